#!/usr/bin/env python3
"""PostgreSQL → RowBatch, nothing else, against `psql \\copy … (FORMAT binary)` into /dev/null, in the same run.

  run.py BUILD_DIR     LONGSHORE_BENCH_ROWS (default 2,000,000), LONGSHORE_BENCH_ROUNDS (default 3)
"""

import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from audit_table import COLUMNS, audit_server, figure, median, psql  # noqa: E402


def main():
    build = pathlib.Path(sys.argv[1])
    rows = int(os.environ.get("LONGSHORE_BENCH_ROWS", "2000000"))
    rounds = int(os.environ.get("LONGSHORE_BENCH_ROUNDS", "3"))

    with audit_server(rows) as (dsn, _):
        def copy(form):
            begun = time.monotonic()
            with open("/dev/null", "w") as nowhere:
                psql(dsn, f"\\copy (SELECT {COLUMNS} FROM audit_logs ORDER BY id) TO STDOUT (FORMAT {form})", stdout=nowhere)
            return time.monotonic() - begun

        def scan(partitions):
            report = json.loads(subprocess.run([str(build / "bin/scan_bench"), dsn, str(partitions)], check=True,
                                               capture_output=True, text=True).stdout)
            assert report["rows"] == rows, report
            cpu[partitions] = report["cpu_seconds"]
            return report["seconds"]

        cpu = {}
        runs = {"binary": lambda: copy("binary"), "csv": lambda: copy("csv"), "one": lambda: scan(1), "two": lambda: scan(2)}
        seconds = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                seconds[name].append(run())
        result = {name: median(values) for name, values in seconds.items()}

    figure("scan/psql csv vs psql binary", result["csv"], "s", result["binary"])
    figure("scan/one partition vs psql binary", result["one"], "s", result["binary"])
    figure("scan/two partitions vs psql binary", result["two"], "s", result["binary"])
    figure("scan/client CPU, one partition", cpu[1] / rows * 1e9, "ns/row")


if __name__ == "__main__":
    main()
