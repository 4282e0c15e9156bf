#!/usr/bin/env python3
"""run.py BUILD_DIR: what the metadata store's calls cost on SQLite and on PostgreSQL, one JSON line a figure.

The store has 10,000 finished jobs of ten partitions each. Both databases make every commit durable on the disk of TMPDIR
(PostgreSQL with fsync and synchronous_commit on, as it is installed). The reference of each figure is a statement that does
nothing on the same database: how many of those the call is worth.
"""

import json
import os
import pathlib
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SERVER = REPOSITORY / "tests" / "postgres_server.py"
DURABLE = ["fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on"]


def measure(binary, environment):
    done = subprocess.run(
        [binary, "--benchmark_format=json", "--benchmark_min_time=0.5"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, env={**os.environ, **environment})
    if done.returncode != 0:
        sys.exit(done.stderr.decode())
    return json.loads(done.stdout)["benchmarks"]


def report(database, runs):
    nothing = next(run["real_time"] for run in runs if run["run_name"].startswith("now/"))
    for run in runs:
        name = run["run_name"].replace("/real_time", "").replace("/threads:8", "").replace(":", "_").replace("/", "_")
        figure = {"name": f"metadata_{database}_{name}", "value": round(run["real_time"], 1), "unit": "us",
                  "reference": round(nothing, 1), "ratio": round(run["real_time"] / nothing, 2)}
        if "items_per_second" in run:
            figure.update(value=round(run["items_per_second"]), unit="calls/s", reference=None, ratio=None)
        print(json.dumps(figure), flush=True)


def main():
    binary = os.path.join(sys.argv[1], "bin", "metadata_bench")
    report("sqlite", measure(binary, {}))
    settings = [argument for setting in DURABLE for argument in ("--set", setting)]
    server = subprocess.Popen([sys.executable, SERVER, *settings, "serve"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        connection = server.stdout.readline().strip()
        report("postgres", measure(binary, {"LONGSHORE_BENCH_POSTGRES": connection}))
    finally:
        server.stdin.close()
        server.wait()


main()
