"""A PostgreSQL server with the table `audit_logs`, for benchmarks: 11 columns, about 300 bytes a row as CSV, one tenant; and
`audit_report`, its first rows, as many as a PDF may have."""

import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import postgres_server  # noqa: E402

CREATE = """
CREATE UNLOGGED TABLE audit_logs (
  id bigint NOT NULL, tenant_id text NOT NULL, user_id text NOT NULL, action text NOT NULL, created_at timestamptz NOT NULL,
  ip_address text, user_agent text, status int, amount numeric(12,2), success boolean, metadata jsonb);
INSERT INTO audit_logs
SELECT i, 'acme', 'usr_' || (i * 7919 %% 100000), (ARRAY['login','logout','export.created','invoice.paid','user.updated'])[1 + i %% 5],
  timestamptz '2026-01-01' + i * interval '1.371 second', '10.' || (i %% 256) || '.' || (i / 256 %% 256) || '.' || (i * 31 %% 256),
  CASE WHEN i %% 10 = 0 THEN NULL ELSE 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/' || (90 + i %% 40) || '.0.0.0 Safari/537.36' END,
  (ARRAY[200,201,204,400,404,500])[1 + i %% 6], (i * 7 %% 1000000)::numeric / 100, i %% 7 <> 0,
  jsonb_build_object('request', md5(i::text), 'ms', i %% 900)
FROM generate_series(1::bigint, %(rows)d) i;
ALTER TABLE audit_logs ADD PRIMARY KEY (id);
VACUUM ANALYZE audit_logs;
CREATE UNLOGGED TABLE audit_report (LIKE audit_logs);
INSERT INTO audit_report SELECT * FROM audit_logs WHERE id <= %(report_rows)d;
ALTER TABLE audit_report ADD PRIMARY KEY (id);
VACUUM ANALYZE audit_report;
"""

# As many rows as a PDF may have.
REPORT_ROWS = 200_000

COLUMNS = "id, tenant_id, user_id, action, created_at, ip_address, user_agent, status, amount, success, metadata"

CATALOG = """
sources:
  app: {{ driver: postgres, primary: "{dsn}", max_connections: 8, primary_max_rows: unlimited, pacing: off }}
datasets:
"""

DATASET = """
  {relation}:
    source: app
    relation: public.{relation}
    tenant_column: tenant_id
    key: [id]
    time_column: created_at
    permission: exports.audit_logs
    retention: 1d
    columns:
      id: {{ type: int64 }}
      tenantId: {{ column: tenant_id, type: text }}
      userId: {{ column: user_id, type: text }}
      action: {{ type: text }}
      createdAt: {{ column: created_at, type: timestamptz }}
      ipAddress: {{ column: ip_address, type: text }}
      userAgent: {{ column: user_agent, type: text }}
      status: {{ type: int32 }}
      amount: {{ type: "numeric(12,2)" }}
      success: {{ type: bool }}
      metadata: {{ type: json }}
"""


def psql(dsn, command, **options):
    return subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", dsn, "-c", command], check=True, **options)


@contextlib.contextmanager
def audit_server(rows):
    """Yields (dsn, directory with catalog.yaml)."""
    with tempfile.TemporaryDirectory(prefix="longshore-bench-") as directory:
        path = pathlib.Path(directory)
        path.chmod(0o755)  # the server may run as another user
        script = str(ROOT / "tests/postgres_server.py")
        dsn = subprocess.run([sys.executable, script, "start", str(path / "pg")], check=True, capture_output=True, text=True).stdout.strip()
        try:
            for statement in (CREATE % {"rows": rows, "report_rows": REPORT_ROWS}).split(";\n"):
                if statement.strip():
                    psql(dsn, statement, stdout=subprocess.DEVNULL)
            datasets = "".join(DATASET.format(relation=relation) for relation in ("audit_logs", "audit_report"))
            (path / "catalog.yaml").write_text(CATALOG.format(dsn=dsn) + datasets)
            yield dsn, path
        finally:
            subprocess.run([sys.executable, script, "stop", str(path / "pg")], check=True, stdout=subprocess.DEVNULL)


def figure(name, value, unit, reference=None):
    """Prints one figure; ratio = value / reference."""
    ratio = None if not reference else round(value / reference, 3)
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit,
                      "reference": None if reference is None else round(reference, 3), "ratio": ratio}), flush=True)


def median(values):
    return statistics.median(values)
