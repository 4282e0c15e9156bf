#!/usr/bin/env python3
"""PostgreSQL → a file in each format: Longshore against `psql \\copy`, one stream and two parallel halves, in the same run.

  run.py BUILD_DIR     LONGSHORE_BENCH_ROWS (default 4,000,000), LONGSHORE_BENCH_ROUNDS (default 3)

Each round runs everything once, in turn, so that a machine that slows down slows all of them; medians are compared.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from audit_table import COLUMNS, REPORT_ROWS, audit_server, figure, median  # noqa: E402


def copy_command(output, where=""):
    return f"\\copy (SELECT {COLUMNS} FROM audit_logs{where} ORDER BY id) TO '{output}' (FORMAT csv, HEADER)"


def run_psql(dsn, commands):
    begun = time.monotonic()
    children = [subprocess.Popen(["psql", "-X", "-q", dsn, "-c", command], stdout=subprocess.DEVNULL) for command in commands]
    if any([child.wait() for child in children]):
        sys.exit("psql failed")
    return time.monotonic() - begun


def main():
    build = pathlib.Path(sys.argv[1])
    rows = int(os.environ.get("LONGSHORE_BENCH_ROWS", "4000000"))
    rounds = int(os.environ.get("LONGSHORE_BENCH_ROUNDS", "3"))

    with audit_server(rows) as (dsn, directory):
        def longshore(slots, partitions, store, format="csv", compression="none", dataset="audit_logs"):
            command = [str(build / "bin/export_bench"), str(directory / "catalog.yaml"), dataset, "acme", format, compression,
                       str(slots), str(partitions), store]
            report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            assert report["rows"] == (rows if dataset == "audit_logs" else REPORT_ROWS), report
            if store != "discard":
                subprocess.run(["rm", "-rf", store], check=True)
            return report["seconds"]

        one, two = directory / "one.csv", [directory / "half0.csv", directory / "half1.csv"]
        runs = {
            "psql, one stream": lambda: run_psql(dsn, [copy_command(one)]),
            "psql, two halves": lambda: run_psql(dsn, [copy_command(two[0], f" WHERE id <= {rows // 2}"),
                                                       copy_command(two[1], f" WHERE id > {rows // 2}")]),
            "csv, discard store": lambda: longshore(2, 0, "discard"),
            "csv, local store": lambda: longshore(2, 0, str(directory / "store")),
            "csv, one partition, discard store": lambda: longshore(1, 1, "discard"),
            "csv, one partition, local store": lambda: longshore(1, 1, str(directory / "store")),
            "csv.gz, discard store": lambda: longshore(2, 0, "discard", compression="gzip"),
            "jsonl, discard store": lambda: longshore(2, 0, "discard", format="jsonl"),
            "json, discard store": lambda: longshore(2, 0, "discard", format="json"),
            "parquet, discard store": lambda: longshore(2, 0, "discard", format="parquet"),
            "xlsx, discard store": lambda: longshore(2, 0, "discard", format="xlsx"),
        }
        # A PDF is one partition of no more rows than its limit, so it has a reference of its own.
        reports = {
            "psql, the rows of a PDF": lambda: run_psql(dsn, [copy_command(one).replace("audit_logs", "audit_report")]),
            "pdf, discard store": lambda: longshore(1, 1, "discard", format="pdf", dataset="audit_report"),
        }
        seconds = {name: [] for name in runs | reports}
        for _ in range(rounds):
            for name, run in (runs | reports).items():
                seconds[name].append(run())
        result = {name: median(values) for name, values in seconds.items()}

    stream, halves = result["psql, one stream"], result["psql, two halves"]
    figure("end_to_end/psql one stream", stream, "s")
    figure("end_to_end/psql two halves", halves, "s", stream)
    for name in list(runs)[2:]:
        figure(f"end_to_end/{name} vs psql one stream", result[name], "s", stream)
    figure("end_to_end/pdf, discard store vs psql, the same rows", result["pdf, discard store"], "s", result["psql, the rows of a PDF"])
    for name in ("csv, discard store", "csv, local store"):
        figure(f"end_to_end/{name} vs psql two halves", result[name], "s", halves)


if __name__ == "__main__":
    main()
