#!/usr/bin/env python3
"""How long it takes to cut large tables into ranges, and how even these are: `boundaries: cheap` against `exact`, the one
pass over the keys, in the same run. The spread is the rows of the largest range over the mean.

  run.py BUILD_DIR     LONGSHORE_BENCH_ROWS (default 5,000,000)
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from audit_table import ROOT, figure, psql  # noqa: E402

# `acme` came late: nine tenths of its rows are among the last third of the ids. `niche` has a twentieth of the rows, all
# in one place. The rest are many small tenants in between.
CREATE = """
CREATE UNLOGGED TABLE events (tenant text NOT NULL, id bigint NOT NULL, note text);
INSERT INTO events SELECT
  CASE WHEN i BETWEEN %(rows)d / 10 AND %(rows)d * 3 / 20 THEN 'niche' WHEN (i > %(rows)d * 2 / 3) = (i %% 10 > 0) THEN 'acme'
  ELSE 'small' || i %% 500 END, i * 3 + i %% 2, repeat('x', 60) FROM generate_series(1::bigint, %(rows)d) i;
CREATE UNIQUE INDEX ON events (id);
CREATE UNIQUE INDEX ON events (tenant, id);
VACUUM ANALYZE events;
CREATE TABLE parts (tenant text NOT NULL, id bigint NOT NULL, note text) PARTITION BY HASH (id);
CREATE UNLOGGED TABLE parts0 PARTITION OF parts FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE UNLOGGED TABLE parts1 PARTITION OF parts FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE UNLOGGED TABLE parts2 PARTITION OF parts FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE UNLOGGED TABLE parts3 PARTITION OF parts FOR VALUES WITH (MODULUS 4, REMAINDER 3);
INSERT INTO parts SELECT * FROM events WHERE id %% 2 = 0;
CREATE UNIQUE INDEX ON parts (id);
CREATE INDEX ON parts (tenant, id);
VACUUM parts0, parts1, parts2, parts3;
"""
CASES = {"whole table": ("public.events", "-"), "late tenant": ("public.events", "acme"),
         "small tenant": ("public.events", "niche"), "partitioned, not analysed": ("public.parts", "acme")}
PARTITIONS = 16


def main():
    build = pathlib.Path(sys.argv[1])
    rows = int(os.environ.get("LONGSHORE_BENCH_ROWS", "5000000"))
    script = str(ROOT / "tests/postgres_server.py")
    with tempfile.TemporaryDirectory(prefix="longshore-bench-") as directory:
        pathlib.Path(directory).chmod(0o755)
        dsn = subprocess.run([sys.executable, script, "start", f"{directory}/server"], check=True, capture_output=True,
                             text=True).stdout.strip()
        try:
            for statement in (CREATE % {"rows": rows}).strip().split(";\n"):
                psql(dsn, statement)
            for name, (relation, tenant) in CASES.items():
                measure(build, dsn, name, relation, tenant)
        finally:
            subprocess.run([sys.executable, script, "stop", f"{directory}/server"], check=True)


def measure(build, dsn, name, relation, tenant):
    seconds, spreads = {}, {}
    for how in ("cheap", "exact"):
        plan = json.loads(subprocess.run([str(build / "bin/plan_bench"), dsn, relation, tenant, str(PARTITIONS), how],
                                         check=True, capture_output=True, text=True).stdout)
        assert plan["exact"] or how == "cheap", plan
        seconds[how] = plan["seconds"]
        spreads[how] = spread(dsn, relation, tenant, plan["upto"])
        print(f"{name}, {how}: counted {plan['exact']}", file=sys.stderr)
    figure(f"plan/{name}: cheap vs exact", seconds["cheap"], "s", seconds["exact"])
    figure(f"plan/{name}: spread, cheap vs exact", spreads["cheap"], "of the mean", spreads["exact"])


def spread(dsn, relation, tenant, upto):
    where = "TRUE" if tenant == "-" else f"tenant = '{tenant}'"
    # width_bucket counts from the bounds that are reached, a range includes its upper end.
    bounds = ",".join(str(bound + 1) for bound in upto[:-1])
    counts = psql(dsn, f"SELECT count(*) FROM {relation} WHERE {where} GROUP BY width_bucket(id, ARRAY[{bounds}]::bigint[])",
                  capture_output=True, text=True).stdout
    sizes = [int(line) for line in counts.splitlines() if line.strip().isdigit()]
    return max(sizes) * PARTITIONS / sum(sizes)


if __name__ == "__main__":
    main()
