#!/usr/bin/env python3
"""Many small exports: how many a second, and how long one of them waits behind a thousand of somebody else's.

  run.py BUILD_DIR     LONGSHORE_BENCH_JOBS (default 1000)

Exports of 20 rows, for 100 tenants, from PostgreSQL; with the records in PostgreSQL and files in an S3 server that drops them (one API node
and one worker of 4 slots), and with the embedded defaults (one process, SQLite, a directory).
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
os.environ["LONGSHORE_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve() / "bin/longshore")
from audit_table import figure  # noqa: E402
from nodes import Node, Watch, bucket, discarding_s3, harness, settings  # noqa: E402

JOBS = int(os.environ.get("LONGSHORE_BENCH_JOBS", "1000"))
TENANTS = 100
SLOTS = 4
CLIENTS = 4
ROWS = 20


def token(tenant):
    return f"benchmark-token-of-{tenant}"


class Client(threading.local):
    """A connection for each thread that asks."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)

    def ask(self, method, path, tenant, body=None):
        headers = {"Authorization": f"Bearer {token(tenant)}", "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self.connection.getresponse()
        content = json.loads(answer.read())
        assert answer.status < 300, content
        return content

    def create(self, tenant):
        return self.ask("POST", "/v1/exports", tenant, {"exportType": "items", "format": "csv"})["exportId"]


class Shape:
    """A way to run Longshore: `api` and `worker` are the processes, the same one or not; `sql` asks the metadata."""

    def __init__(self, name, api, worker, sql):
        self.name = name
        self.api = api
        self.worker = worker
        self.sql = sql

    def wait_drained(self):
        harness.wait_until(lambda: self.sql("SELECT count(*) FROM export_jobs WHERE status IN ('QUEUED', 'RUNNING')") == "0", "the queue is empty", 600)
        assert self.sql("SELECT count(*) FROM export_jobs WHERE status <> 'SUCCEEDED'") == "0"


def measure(shape, server_pid):
    client = Client(shape.api.url)
    name = f"small_exports/{shape.name}"

    def queue(count, tenant_of):
        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda i: client.create(tenant_of(i)), range(count)))
        return count / (time.monotonic() - begun)

    def wait_one(tenant):
        """Seconds from asking to SUCCEEDED."""
        begun = time.monotonic()
        export_id = client.create(tenant)
        while True:
            status = client.ask("GET", f"/v1/exports/{export_id}", tenant)["status"]
            if status == "SUCCEEDED":
                return time.monotonic() - begun
            assert status in ("QUEUED", "RUNNING"), status
            time.sleep(0.002)

    alone = [wait_one("t0") for _ in range(20)]
    figure(f"{name}, one export alone, median", statistics.median(alone) * 1000, "ms")
    shape.wait_drained()

    begun = time.monotonic()
    with Watch(shape.worker.process.pid) as watch, Watch(server_pid) if server_pid else contextlib.nullcontext():
        created = queue(JOBS, lambda i: f"t{i % TENANTS}")
        shape.wait_drained()
        seconds = time.monotonic() - begun
    figure(f"{name}, exports of {TENANTS} tenants, create to SUCCEEDED", JOBS / seconds, "exports/s", 50)
    figure(f"{name}, creates meanwhile", created, "requests/s")
    figure(f"{name}, CPU of the worker's process", watch.cpu_seconds / JOBS * 1000, "ms/export")
    figure(f"{name}, resident memory at most", watch.peak_rss / (1 << 20), "MiB", 128)

    # One tenant floods; the others come after it.
    queue(JOBS, lambda _: "flood")
    waited = [wait_one(f"t{i}") for i in range(5)]
    left = int(shape.sql("SELECT count(*) FROM export_jobs WHERE status IN ('QUEUED', 'RUNNING') AND tenant_id = 'flood'"))
    figure(f"{name}, first export of a tenant behind a flood, median", statistics.median(waited), "s", 3)
    figure(f"{name}, first export of a tenant behind a flood, longest", max(waited), "s", 3)
    figure(f"{name}, of the flood still queued then", left, "exports")
    shape.wait_drained()
    return max(waited) < 3 and left > 0


def main():
    names = [f"t{i}" for i in range(TENANTS)] + ["flood"]
    tokens = [{"token": token(name), "tenant": name, "user": "bench", "roles": ["admin"]} for name in names]
    good = True
    with tempfile.TemporaryDirectory(prefix="longshore-bench-") as place, harness.Postgres() as source, \
            harness.Postgres(synchronous_commit="on", shared_preload_libraries="pg_stat_statements") as metadata, discarding_s3() as (endpoint, _):
        directory = pathlib.Path(place)
        source.sql("CREATE TABLE items (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text, note text)",
                   f"INSERT INTO items SELECT row_number() OVER (), t, 'name', md5(r::text) "
                   f"FROM unnest('{{{','.join(names)}}}'::text[]) t, generate_series(1, {ROWS}) r",
                   "CREATE UNIQUE INDEX ON items (tenant_id, id)", "VACUUM ANALYZE items")
        metadata.sql("CREATE EXTENSION pg_stat_statements")
        catalog = harness.items_catalog(source.source(max_connections=8))
        shared = {"driver": "postgres", "url": metadata.dsn}
        storage = bucket(endpoint)
        with Node(directory / "api", catalog, settings("api", shared, storage, tokens=tokens)) as api, \
                Node(directory / "worker", catalog, settings("worker", shared, storage, {"slots": SLOTS}, tokens=tokens)) as worker:
            api.start()
            worker.start()
            good &= measure(Shape("postgres", api, worker, metadata.sql), None)
            if os.environ.get("LONGSHORE_BENCH_STATEMENTS"):
                print(metadata.sql("SELECT round(total_exec_time::numeric) AS ms, calls, round(mean_exec_time::numeric, 3), left(regexp_replace(query, '\\s+', ' ', 'g'), 150) "
                                   "FROM pg_stat_statements ORDER BY 1 DESC LIMIT 16"), file=sys.stderr)
        embedded = settings("all", {"driver": "sqlite"}, {"driver": "local"}, {"slots": SLOTS}, tokens=tokens)
        with Node(directory / "embedded", catalog, embedded) as node:
            node.start()
            database = node.data / "longshore.db"

            def sql(query):
                return subprocess.run(["sqlite3", "-readonly", str(database), query], check=True, capture_output=True, text=True).stdout.strip()

            good &= measure(Shape("sqlite", node, node, sql), None)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
