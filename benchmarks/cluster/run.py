#!/usr/bin/env python3
"""One export of 3,000,000 rows through Ceph RGW by one worker process, then by three: seconds, and whether the bytes are the same.

  run.py BUILD_DIR     LONGSHORE_BENCH_ROWS (default 3,000,000)

Database, store and workers share the machine, so what is left to gain is told by how busy its cores are with one worker already.
"""

import contextlib
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
os.environ["LONGSHORE_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve() / "bin/longshore")
from audit_table import audit_server, figure  # noqa: E402
from nodes import Node, Watch, bucket, harness, settings, wait_succeeded  # noqa: E402
import gateway  # noqa: E402

TOKENS = [{"token": "benchmark-token-of-acme", "tenant": "acme", "user": "bench", "roles": ["admin"]}]
MIB = 1 << 20


def busy():
    """Seconds that the machine's cores were busy, and all seconds."""
    fields = [int(word) for word in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    ticks = os.sysconf("SC_CLK_TCK")
    return (sum(fields) - fields[3] - fields[4]) / ticks, sum(fields) / ticks


def main():
    rows = int(os.environ.get("LONGSHORE_BENCH_ROWS", "3000000"))
    failures = []
    with audit_server(rows) as (_, directory), harness.Postgres(synchronous_commit="on") as metadata, contextlib.ExitStack() as stack:
        rgw = gateway.Rgw(STORE_BYTES=str(2 * rows * 400 + (1 << 30)))
        stack.callback(rgw.close)
        rgw.client().create_bucket(Bucket="exports")
        storage = bucket(rgw.values["S3_ENDPOINT"], access_key=rgw.values["AWS_ACCESS_KEY_ID"], secret_key=rgw.values["AWS_SECRET_ACCESS_KEY"])
        catalog = (directory / "catalog.yaml").read_text()
        shared = {"driver": "postgres", "url": metadata.dsn}

        def node(name, role):
            made = stack.enter_context(Node(directory / name, catalog, settings(role, shared, storage, {"slots": 1}, tokens=TOKENS)))
            return made.start()

        api = node("api", "api")
        workers = [node("worker-0", "worker")]
        measured = {}
        for count in (1, 3):
            while len(workers) < count:
                workers.append(node(f"worker-{len(workers)}", "worker"))
            busy_before, all_before = busy()
            with contextlib.ExitStack() as watching:
                watches = [watching.enter_context(Watch(worker.process.pid)) for worker in workers]
                export_id = api.create("audit_logs", token=TOKENS[0]["token"])["exportId"]
                status = wait_succeeded(api, export_id, TOKENS[0]["token"])
            busy_after, all_after = busy()
            names = {p["worker"] for p in api.json("GET", f"/v1/exports/{export_id}/partitions", token=TOKENS[0]["token"])["partitions"]}
            measured[count] = (watches[0].seconds, api.digest(export_id, token=TOKENS[0]["token"]))
            size = status["metrics"]["totalBytesWritten"]
            name = f"cluster/{rows} rows, {count} worker{'s' if count > 1 else ''}"
            figure(f"{name}, seconds", watches[0].seconds, "s", measured[1][0])
            figure(f"{name}, speed", size / MIB / watches[0].seconds, "MiB/s")
            figure(f"{name}, workers' CPU", sum(watch.cpu_seconds for watch in watches), "s")
            figure(f"{name}, all cores busy", (busy_after - busy_before) / (all_after - all_before), "of them", 1)
            figure(f"{name}, workers that took part", len(names), "workers", count)
            if status["metrics"]["totalRowsProcessed"] != rows or len(names) != count:
                failures.append(f"{count} workers: {status['metrics']}, {names}")
        figure("cluster/speed-up of 3 workers", measured[1][0] / measured[3][0], "times", 3)
        if measured[1][1] != measured[3][1]:
            failures.append("the file of three workers differs from that of one")
    for failure in failures:
        print(f"cluster: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
