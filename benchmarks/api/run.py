#!/usr/bin/env python3
"""What the API takes: POST /v1/exports at a constant rate, and status reads as fast as they come, on PostgreSQL metadata.

  run.py BUILD_DIR     LONGSHORE_BENCH_ROUNDS (default 3), LONGSHORE_BENCH_SECONDS (default 10) a measurement

The metadata server keeps what it promises (fsync, synchronous_commit), the source is a small SQLite file. Creates are
sent by open_loop (each request counts from when it was due), reads by wrk over 32 connections. Once with an API node
alone, once with one process that also runs a worker on the exports that are created. The references are the aims: a
99th percentile of 20 ms at 200 creates a second, 5,000 reads a second. Medians over the rounds.
"""

import contextlib
import json
import os
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import urllib.request
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/system"))
from audit_table import figure  # noqa: E402
import harness  # noqa: E402

RATE = 200
ROUNDS = int(os.environ.get("LONGSHORE_BENCH_ROUNDS", "3"))
SECONDS = int(os.environ.get("LONGSHORE_BENCH_SECONDS", "10"))
BODY = {"exportType": "items", "format": "csv", "columns": ["id", "name"], "filters": {"id": {"gte": 10, "lt": 20}}}

# Reads the status of many exports in turn, as many clients do.
WRK = """
local ids = {%s}
local at = 0
request = function()
  at = at %% #ids + 1
  return wrk.format("GET", "/v1/exports/" .. ids[at], {["Authorization"] = "Bearer %s"})
end
"""


def create_items(path):
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, tenant_id TEXT, name TEXT, note TEXT)")
        database.executemany("INSERT INTO items VALUES (?, 'acme', ?, '')", [(i, f"item {i}") for i in range(1, 101)])
        database.commit()


def creates(build, port):
    command = [str(build / "bin/open_loop"), str(port), "/v1/exports", harness.TOKEN, json.dumps(BODY), str(RATE), str(SECONDS), "16"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert report["refused"] == 0, report
    return report


def reads(url, script):
    done = subprocess.run(["wrk", "-t1", "-c32", f"-d{SECONDS}s", "--latency", "-s", str(script), url], check=True,
                          capture_output=True, text=True).stdout
    assert "Non-2xx" not in done and "Socket errors" not in done, done
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", done).groups()
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1]), "p99_ms": float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]}


def measure(build, directory, role):
    with harness.Postgres(fsync="on", synchronous_commit="on", full_page_writes="on", autovacuum="on") as metadata:
        create_items(directory / "items.db")
        settings = {"role": role, "metadata": {"driver": "postgres", "url": metadata.dsn},
                    "storage": {"driver": "local", "path": str(directory / "objects")}, "log": {"level": "info"}}
        catalog = harness.items_catalog(json.dumps({"driver": "sqlite", "path": str(directory / "items.db")}))
        with harness.Server(directory / "node", catalog, settings) as node:
            node.start()
            port = int(node.url.rsplit(":", 1)[1])
            ids = [node.create(key=str(uuid.uuid4()), **BODY)["exportId"] for _ in range(100)]
            script = directory / "reads.lua"
            script.write_text(WRK % (", ".join(f'"{i}"' for i in ids), harness.TOKEN))
            rounds = [(creates(build, port), reads(node.url, script)) for _ in range(ROUNDS)]

    def median(of):
        return statistics.median(of(one) for one in rounds)

    name = f"api/role {role}"
    figure(f"{name}, creates at {RATE}/s, p50", median(lambda r: r[0]["p50_ms"]), "ms")
    figure(f"{name}, creates at {RATE}/s, p99", median(lambda r: r[0]["p99_ms"]), "ms", 20)
    figure(f"{name}, creates at {RATE}/s, longest", median(lambda r: r[0]["max_ms"]), "ms")
    figure(f"{name}, status reads", median(lambda r: r[1]["rate"]), "1/s", 5000)
    figure(f"{name}, status reads over 32 connections, p99", median(lambda r: r[1]["p99_ms"]), "ms")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    for role in ("api", "all"):
        with tempfile.TemporaryDirectory(prefix="longshore-bench-") as directory:
            measure(build, pathlib.Path(directory), role)


if __name__ == "__main__":
    main()
