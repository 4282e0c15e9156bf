#!/usr/bin/env python3
"""Exports while everything dies in random order: see README.md.

  chaos.py --seed N [--exports 50] [--faults 30] [--lease 10] …

Prints the schedule, what happened, and figures, one JSON object a line; ends with 1 if something that must hold did not.
"""

import argparse
import hashlib
import json
import pathlib
import random
import shutil
import statistics
import sys
import time

from cluster import REQUESTS, TENANTS, Cluster, Unanswered, harness
from faults import FAULTS, make_schedule


def say(**fields):
    print(json.dumps(fields), flush=True)


def figure(name, value, unit, limit=None):
    say(name=f"chaos/{name}", value=round(value, 3) if isinstance(value, float) else value, unit=unit,
        **({} if limit is None else {"limit": limit}))


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


class Run:
    """Exports under a schedule of faults: `make_schedule(random)` says which, `faults` what they are."""

    def __init__(self, arguments, cluster, faults, make_schedule):
        self.arguments = arguments
        self.cluster = cluster
        self.faults = faults
        self.random = random.Random(arguments.seed)
        self.exports = []  # (request, export id)
        self.references = {}  # what was asked for → SHA-256 of the file that an undisturbed export made
        self.schedule = make_schedule(self.random)
        # The first are of every kind, so that a short run sees the large ones, too.
        wanted = REQUESTS * (arguments.exports // len(REQUESTS) + 1)
        self.requests = wanted[:arguments.exports] if arguments.exports >= len(REQUESTS) else self.random.sample(REQUESTS, arguments.exports)
        self.random.shuffle(self.requests)
        # The first fault should meet work.
        self.requests.insert(0, self.requests.pop(max(range(len(self.requests)), key=lambda i: TENANTS[self.requests[i]["tenant"]])))
        self.takeovers = []
        self.freed = []
        self.refused = 0
        self.problems = []

    def fail(self, problem, **details):
        self.problems.append(problem)
        say(violation=problem, **details)

    def make_references(self):
        """Every kind of request once, undisturbed."""
        asked = []
        for request in self.requests:
            if request not in [other for other, _ in asked]:
                asked.append((request, self.cluster.create(request)))
        for request, export_id in asked:
            self.wait(request, export_id, "SUCCEEDED")
            digest = self.check_file(request, export_id)
            self.references[json.dumps(request)] = digest
        return [export_id for _, export_id in asked]

    def wait(self, request, export_id, expected):
        status = harness.wait_until(
            lambda: (s := self.cluster.status(request, export_id))["status"] not in ("QUEUED", "RUNNING") and s, f"{export_id} ends",
            self.arguments.patience)
        if status["status"] != expected:
            self.fail("an export did not succeed", request=request, status=status)
        return status

    def check_file(self, request, export_id):
        """Its digest, once `longshore verify` has agreed."""
        path = self.cluster.directory / "file"
        self.cluster.fetch(request, export_id, path)
        complaint = self.cluster.verify(path)
        if complaint:
            self.fail("longshore verify refuses a file", request=request, export=export_id, output=complaint)
        digest = sha256_of(path)
        path.unlink()
        return digest

    def suffer(self):
        """The faults in order, with the exports begun evenly among them."""
        begun = time.monotonic()
        for number, (kind, seconds) in enumerate(self.schedule):
            due = -(-len(self.requests) * (number + 1) // len(self.schedule))
            while len(self.exports) < due:
                request = self.requests[len(self.exports)]
                self.exports.append((request, self.cluster.create(request)))
            note = {}
            at = time.monotonic() - begun
            self.faults[kind](self.cluster, self.random, seconds, note)
            mended = time.monotonic()
            harness.wait_until(self.cluster.runs_again, f"the cluster runs again after {kind}")
            self.takeovers += note.get("takeovers", [])
            self.freed += note.get("freed", [])
            self.refused += note.get("refused", 0)
            say(event=kind, seconds=seconds, at=round(at, 1), well_after=round(time.monotonic() - mended, 2), **note)
            if note.get("not_taken_over"):
                self.fail("work of a dead worker was not taken over", claims=note["not_taken_over"])
            if note.get("exit", 0) != 0 or note.get("drained_in", 0) > 5 * harness.PATIENCE / 120:
                self.fail("a worker did not drain in time", **note)

    def settle(self, references):
        """Waits for the end of everything and looks at what there is."""
        cluster = self.cluster
        succeeded = identical = 0
        for request, export_id in self.exports:
            status = self.wait(request, export_id, "SUCCEEDED")
            if status["status"] != "SUCCEEDED":
                continue
            succeeded += 1
            if self.check_file(request, export_id) == self.references[json.dumps(request)]:
                identical += 1
            else:
                self.fail("a file differs from that of an undisturbed export", request=request, export=export_id)
        harness.wait_until(lambda: cluster.metadata.sql("SELECT count(*) FROM export_jobs WHERE needs_cleaning = 1") == "0", "all cleaning is done")
        jobs = int(cluster.metadata.sql("SELECT count(*) FROM export_jobs"))
        if jobs != len(self.exports) + len(references):
            self.fail("there are other exports than were asked for", asked=len(self.exports) + len(references), found=jobs)
        left = cluster.leftovers()
        if left["unwanted"] or left["missing"] or left["uploads"]:
            self.fail("the bucket holds other things than the artefacts and their manifests", **left)
        violations = cluster.audit.violations()
        for violation in violations:
            self.fail("a write that its writer had no right to", **violation)
        attempts = int(cluster.metadata.sql("SELECT coalesce(max(epoch), 0) FROM export_job_partitions"))
        figure("exports", len(self.exports), "exports")
        figure("succeeded", succeeded, "exports", len(self.exports))
        figure("byte-identical to an undisturbed export", identical, "exports", len(self.exports))
        figure("claims", cluster.audit.count("claim"), "claims")
        figure("checkpoints", cluster.audit.count("part"), "checkpoints")
        figure("claims of one partition, most", attempts, "claims")
        figure("claims that their workers found lost", sum(node.log_count('"claim lost:') for node in cluster.workers), "claims")
        figure("stale writes accepted", len(violations), "writes", 0)
        figure("orphaned objects and uploads", len(left["unwanted"]) + len(left["uploads"]), "objects", 0)
        figure("creates repeated by the client", cluster.retried_creates, "requests")
        figure("answers 503 of a throttled store", self.refused, "answers")

    def judge_takeovers(self):
        """`freed`: when what a dead worker held was anybody's to take; `takeover`: when somebody had a slot for it."""
        limit = self.cluster.lease + 5
        for name, seconds in (("freed", self.freed), ("takeover", self.takeovers)):
            if not seconds:
                continue
            figure(f"{name}, claims", len(seconds), "claims")
            figure(f"{name} p50", statistics.median(seconds), "s", limit)
            figure(f"{name} p99", percentile(seconds, 0.99), "s", limit)
            if percentile(seconds, 0.99) > limit:
                self.fail("work of dead workers was taken over too late", kind=name, seconds=sorted(seconds)[-5:])

    def run(self):
        say(seed=self.arguments.seed, schedule=self.schedule, exports=[list(request.values()) for request in self.requests])
        begun = time.monotonic()
        references = self.make_references()
        figure("undisturbed exports to compare with", len(references), "exports")
        self.cluster.set_pace(self.arguments.pace)
        try:
            self.suffer()
            self.cluster.set_pace(0)
            self.settle(references)
        except (AssertionError, Unanswered) as error:
            self.fail("the cluster does not get on", error=str(error))
        self.judge_takeovers()
        figure("wall clock", time.monotonic() - begun, "s")


def arguments_of(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--exports", type=int, default=50)
    parser.add_argument("--lease", type=float, default=10, help="seconds; a heartbeat is a tenth of it")
    parser.add_argument("--pace", type=float, default=0.3, help="seconds that a thousand rows take, so that faults meet work")
    parser.add_argument("--scale", type=float, default=1.0, help="of the tables; 1: up to 90 MiB an export")
    parser.add_argument("--patience", type=float, default=300, help="seconds that an export may take at the end")
    parser.add_argument("--logs", help="a directory for the nodes' logs, if something did not hold")
    return parser


def keep_logs(cluster, directory):
    place = pathlib.Path(directory)
    place.mkdir(parents=True, exist_ok=True)
    for node in cluster.nodes:
        shutil.copy(node.server.log_path, place / f"{node.place}.log")
    (place / "witness.json").write_text(json.dumps(cluster.audit.rows("SELECT * FROM witness ORDER BY seq")))


def carry_out(run):
    """The exit status."""
    cluster = run.cluster
    try:
        run.run()
        for node in cluster.nodes:
            report = harness.SANITIZER_REPORT.search(node.server.log_path.read_text(errors="replace"))
            if report:
                run.fail("a sanitizer found something", report=report.group())
        if run.problems and run.arguments.logs:
            keep_logs(cluster, run.arguments.logs)
        say(seed=run.arguments.seed, violations=len(run.problems))
        return 1 if run.problems else 0
    finally:
        cluster.close()


def main():
    parser = arguments_of(__doc__)
    parser.add_argument("--faults", type=int, default=36)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--longest", type=float, default=10, help="seconds that a fault may last")
    arguments = parser.parse_args()
    cluster = Cluster(workers=arguments.workers, lease=arguments.lease, scale=arguments.scale)
    return carry_out(Run(arguments, cluster, FAULTS, lambda order: make_schedule(order, arguments.faults, arguments.longest)))


if __name__ == "__main__":
    sys.exit(main())
