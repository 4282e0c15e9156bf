#!/usr/bin/env python3
"""What an export costs the users of a database: transactions a second of pgbench with and without one, in alternation.

  run.py BUILD_DIR [CASE…]     LONGSHORE_BENCH_ROUNDS (default 4), LONGSHORE_BENCH_SECONDS (default 10) a phase

A primary and a streaming standby. A case is a load and where the export reads:

  standby     pgbench -S on the standby that the export reads too: what sharing a replica costs its other readers
  primary     pgbench (TPC-B) on the primary, while the export reads the standby: what is promised to the product
  own         pgbench (TPC-B) on the primary, which the export reads too
  saturated   as `standby`, with as many clients as there are processors

pgbench runs in a closed loop with one client (but `saturated`): it and its backend take turns, so the machine is about half
busy, and what the export takes shows as transactions that come later. Phases alternate: no export, one at default pacing, no
export, one with pacing off, and so on. A loss is 1 - TPS with / mean TPS of the phases before and after; the median over the
rounds counts.

Two loops that only get processor time which nobody else wants (SCHED_IDLE) run all the while: a processor that falls asleep
between two turns of pgbench takes long to wake, longest on a virtual machine, so that an export which keeps it awake would make
pgbench faster, and nothing else would be seen.

Everything shares this machine, while in production Longshore runs on another one. So each export is run twice: `here`, and
`elsewhere`, where its process (not its database sessions) only gets processor time that nobody else wants (SCHED_IDLE).
The case says which by its suffix, e.g. `standby.elsewhere`.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests/system")]
from audit_table import CREATE, DATASET, figure, median, psql  # noqa: E402
import harness  # noqa: E402

ROWS = 1_000_000
LOADS = {
    "standby": {"load": "standby1", "read": "standby", "clients": 1},
    "primary": {"load": "primary", "read": "standby", "clients": 1},
    "own": {"load": "primary", "read": "primary", "clients": 1},
    "saturated": {"load": "standby1", "read": "standby", "clients": os.cpu_count()},
}
CASES = [f"{load}.{where}" for load in LOADS for where in ("here", "elsewhere")]


class Export:
    """An export that is begun again as soon as it has ended, until it is stopped."""

    def __init__(self, command, elsewhere):
        self.command = ["setpriv", "--pdeathsig", "KILL", *(["chrt", "--idle", "0"] if elsewhere else []), *command]
        self.stopping = False
        self.finished = 0
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        self.thread = threading.Thread(target=self.repeat)
        self.thread.start()

    def repeat(self):
        while True:
            code = self.process.wait()
            if self.stopping:
                return
            if code:
                print(f"politeness: the export ended with {code}", file=sys.stderr)
                os._exit(1)
            self.finished += 1
            self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)

    def stop(self):
        self.stopping = True
        self.process.kill()
        self.thread.join()


@contextlib.contextmanager
def processors_awake():
    loops = [subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "chrt", "--idle", "0", sys.executable, "-c", "while True: pass"])
             for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


class Bench:
    def __init__(self, build, directory, servers):
        self.seconds = int(os.environ.get("LONGSHORE_BENCH_SECONDS", "10"))
        self.rounds = int(os.environ.get("LONGSHORE_BENCH_ROUNDS", "4"))
        self.build = build
        self.directory = directory
        self.servers = servers
        sources = {"standby": servers.source("standby1"), "primary": servers.source(primary=True, primary_max_rows="unlimited")}
        for name, source in sources.items():
            for pacing, text in (("default", source), ("off", source[:-1] + ', "pacing": "off"}')):
                (directory / f"{name}-{pacing}.yaml").write_text(f"sources:\n  app: {text}\ndatasets:\n" + DATASET.format(relation="audit_logs"))

    def export(self, read, pacing, elsewhere):
        return Export([str(self.build / "bin/export_bench"), str(self.directory / f"{read}-{pacing}.yaml"), "audit_logs", "acme", "csv",
                       "none", "2", "0", "discard"], elsewhere)

    def readers(self):
        return sum(int(server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'longshore%'"))
                   for server in self.servers.servers.values())

    def read_rows(self, read):
        """How many rows of the table have been read there."""
        server = self.servers.standbys[0] if read == "standby" else self.servers.primary
        return int(server.sql("SELECT idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'audit_logs'"))

    def transactions(self, load, clients):
        """Transactions a second of one phase."""
        kind = "select-only" if load != "primary" else "tpcb-like"
        done = subprocess.run(["pgbench", "-n", "-b", kind, "-M", "prepared", "-T", str(self.seconds), "-c", str(clients), "-j", "1",
                               self.servers.servers[load].dsn], check=True, capture_output=True, text=True)
        return float(re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)[1])

    def run(self, case):
        load, where = case.split(".")
        setting = LOADS[load]
        idle = [self.transactions(setting["load"], setting["clients"])]
        losses, rates = {"default": [], "off": []}, {"default": [], "off": []}
        for _ in range(self.rounds):
            for pacing in losses:
                export = self.export(setting["read"], pacing, where == "elsewhere")
                try:
                    harness.wait_until(lambda: self.readers() >= 2, "the export reads")
                    before = self.read_rows(setting["read"])
                    tps = self.transactions(setting["load"], setting["clients"])
                    rates[pacing].append((self.read_rows(setting["read"]) - before) / self.seconds)
                finally:
                    export.stop()
                harness.wait_until(lambda: self.readers() == 0, "the export's sessions end")
                idle.append(self.transactions(setting["load"], setting["clients"]))
                losses[pacing].append(100 * (1 - tps * 2 / (idle[-2] + idle[-1])))
        figure(f"politeness/{case}, no export", median(idle), "tps")
        for pacing, name in (("default", "default pacing"), ("off", "pacing off")):
            figure(f"politeness/{case}, {name}, loss (aim: 5)", median(losses[pacing]), "%")
            figure(f"politeness/{case}, {name}, export", median(rates[pacing]), "rows/s")
            print(f"{case} {name}: {' '.join(f'{loss:.1f}' for loss in losses[pacing])}", file=sys.stderr)


def main():
    build = pathlib.Path(sys.argv[1])
    cases = sys.argv[2:] or CASES
    if unknown := set(cases) - set(CASES):
        sys.exit(f"politeness: there is no case {', '.join(unknown)}; there are: {' '.join(CASES)}")
    with tempfile.TemporaryDirectory(prefix="longshore-bench-") as directory, contextlib.ExitStack() as stack:
        servers = harness.PostgresCluster(standbys=1)
        stack.callback(servers.close)
        for statement in (CREATE % {"rows": ROWS, "report_rows": 1}).replace("UNLOGGED ", "").split(";\n"):
            if statement.strip():
                psql(servers.primary.dsn, statement, stdout=subprocess.DEVNULL)
        subprocess.run(["pgbench", "-i", "-q", "-s", "5", servers.primary.dsn], check=True, capture_output=True)
        servers.wait_caught_up()
        bench = Bench(build, pathlib.Path(directory), servers)
        stack.enter_context(processors_awake())
        for case in cases:
            bench.run(case)


if __name__ == "__main__":
    main()
