#!/usr/bin/env python3
"""Peak resident memory of a worker process over whole exports of 10 million rows from PostgreSQL to the local store.

  run.py BUILD_DIR     LONGSHORE_BENCH_ROWS (default 10,000,000)

The reference is the limit, 128 MiB; one export of a tenth of the rows besides shows whether memory is flat.
"""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from audit_table import REPORT_ROWS, audit_server, figure, psql  # noqa: E402

LIMIT = 128
MIB = 1 << 20
CASES = [(format, compression, at_once) for format in ("csv", "jsonl") for compression in ("none", "gzip") for at_once in (1, 4)]
CASES += [(format, "none", 2) for format in ("csv", "json", "parquet", "xlsx")]


def main():
    build = pathlib.Path(sys.argv[1])
    rows = int(os.environ.get("LONGSHORE_BENCH_ROWS", "10000000"))
    with audit_server(rows) as (dsn, directory):
        # The same rows under another tenant, fewer of them: is memory the same for a tenth?
        psql(dsn, f"UPDATE audit_logs SET tenant_id = 'small' WHERE id <= {rows // 10}", stdout=subprocess.DEVNULL)
        psql(dsn, "VACUUM ANALYZE audit_logs", stdout=subprocess.DEVNULL)

        def peak(dataset, tenant, format, compression, at_once):
            partitions = "1" if at_once == 1 else "8"
            command = [str(build / "bin/export_bench"), str(directory / "catalog.yaml"), dataset, tenant, format, compression,
                       str(at_once), partitions, str(directory / "store")]
            report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            subprocess.run(["rm", "-rf", str(directory / "store")], check=True)
            return report["peak_rss"] / MIB

        for format, compression, at_once in CASES:
            name = f"memory/{format} {compression}, {at_once} at once"
            large = peak("audit_logs", "acme", format, compression, at_once)
            figure(f"{name}, {rows * 9 // 10} rows", large, "MiB", LIMIT)
            figure(f"{name}, against a ninth of the rows", large, "MiB", peak("audit_logs", "small", format, compression, at_once))
        figure(f"memory/pdf, {REPORT_ROWS} rows", peak("audit_report", "acme", "pdf", "none", 1), "MiB", LIMIT)


if __name__ == "__main__":
    main()
