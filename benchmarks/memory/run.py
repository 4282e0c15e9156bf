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

# The worst that an encoder can meet: nothing in it can be compressed.
NOISE_ROWS = 1_000_000
NOISE = f"""
CREATE UNLOGGED TABLE noise AS SELECT i AS id, 'acme' AS tenant_id, decode(md5(i::text) || md5((i + 1)::text) || md5((-i)::text), 'hex') AS a,
  random() AS b, decode(string_agg(md5((i * prime)::text), ''), 'hex') AS c
FROM generate_series(1::bigint, {NOISE_ROWS}) i, unnest(ARRAY[7, 11, 13, 17, 19, 23, 29, 31]) prime GROUP BY i;
ALTER TABLE noise ADD PRIMARY KEY (id), ALTER tenant_id SET NOT NULL;
VACUUM ANALYZE noise"""
NOISE_DATASET = """
  noise:
    source: app
    relation: public.noise
    tenant_column: tenant_id
    key: [id]
    permission: exports.audit_logs
    retention: 1d
    columns:
      id: { type: int64 }
      a: { type: bytea }
      b: { type: float64 }
      c: { type: bytea }
"""


def main():
    build = pathlib.Path(sys.argv[1])
    rows = int(os.environ.get("LONGSHORE_BENCH_ROWS", "10000000"))
    with audit_server(rows) as (dsn, directory):
        # The same rows under another tenant, fewer of them: is memory the same for a tenth?
        psql(dsn, f"UPDATE audit_logs SET tenant_id = 'small' WHERE id <= {rows // 10}", stdout=subprocess.DEVNULL)
        psql(dsn, "VACUUM ANALYZE audit_logs", stdout=subprocess.DEVNULL)

        for statement in NOISE.split(";\n"):
            psql(dsn, statement, stdout=subprocess.DEVNULL)
        with open(directory / "catalog.yaml", "a") as catalog:
            catalog.write(NOISE_DATASET)

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
        for format in ("csv", "parquet", "xlsx"):
            figure(f"memory/{format} of noise, 2 at once, {NOISE_ROWS} rows", peak("noise", "acme", format, "none", 2), "MiB", LIMIT)
        figure(f"memory/pdf, {REPORT_ROWS} rows", peak("audit_report", "acme", "pdf", "none", 1), "MiB", LIMIT)


if __name__ == "__main__":
    main()
