#!/usr/bin/env python3
"""One file of 20 GB, made by a real worker process: time, S3's limits, resident memory, and what it writes to the local disk.

  run.py BUILD_DIR     LONGSHORE_BENCH_GB (default 20) into an S3 server that drops what it gets; LONGSHORE_BENCH_RGW_GB (default 2) into Ceph RGW

Rows of 3 KiB come from a view over a narrow table, so that the source needs no 20 GB either. The records are kept in PostgreSQL.
"""

import os
import pathlib
import sys
import tempfile
import urllib.request
import json

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
os.environ["LONGSHORE_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve() / "bin/longshore")
from audit_table import figure  # noqa: E402
from nodes import Node, Watch, bucket, discarding_s3, harness, settings, wait_succeeded  # noqa: E402
import gateway  # noqa: E402

MIB = 1 << 20
GB = 10 ** 9
ROW_BYTES = 3100
RSS_LIMIT = 128 * MIB
# A view has no statistics, so its rows are thought to be of some 60 bytes: partitions of this size hold 400 MB.
WORKER = {"slots": 2, "partition_rows": 130_000, "partition_bytes": "8MiB"}

SCHEMA = """
CREATE UNLOGGED TABLE narrow (id bigint NOT NULL, tenant_id text NOT NULL);
CREATE VIEW wide AS SELECT id, tenant_id, md5(id::text) AS name, repeat(md5((id * 7)::text), 96) AS note FROM narrow;
"""


def export(directory, source, metadata, storage, rows, name):
    metadata_url = {"driver": "postgres", "url": metadata.dsn, "schema": name}
    catalog = harness.items_catalog(source.source(max_connections=8), relation="wide")
    with Node(directory / f"{name}-api", catalog, settings("api", metadata_url, storage)) as api, \
            Node(directory / f"{name}-worker", catalog, settings("worker", metadata_url, storage, WORKER)) as worker:
        api.start()
        worker.start()
        with Watch(worker.process.pid) as watch:
            # As many ids as there are to be rows.
            export_id = api.create(filters={"id": {"lte": rows}})["exportId"]
            status = wait_succeeded(api, export_id)
        partitions = api.partitions(export_id)
    size = status["metrics"]["totalBytesWritten"]
    name = f"large_file/{name} {size / GB:.1f} GB"
    assert status["metrics"]["totalRowsProcessed"] == rows, status
    figure(f"{name}, seconds", watch.seconds, "s")
    figure(f"{name}, speed", size / MIB / watch.seconds, "MiB/s")
    figure(f"{name}, worker's CPU", watch.cpu_seconds / (size / MIB) * 1000, "ms/MiB")
    figure(f"{name}, partitions", len(partitions), "partitions")
    figure(f"{name}, resident memory at most", watch.peak_rss / MIB, "MiB", RSS_LIMIT / MIB)
    figure(f"{name}, written to the disk (write_bytes)", watch.written["write_bytes"], "bytes", 0)
    # write() of anything: eventfds and the log's pipe. Sockets are sent to, which does not count here.
    figure(f"{name}, written by write() (wchar)", watch.written["wchar"], "bytes")
    figure(f"{name}, regular files open for writing", len(watch.writable_files), "files", 0)
    failures = []
    if watch.peak_rss > RSS_LIMIT:
        failures.append("resident memory is over its limit")
    if watch.written["write_bytes"] or watch.writable_files:
        failures.append(f"the worker wrote to the disk: {watch.written} {watch.writable_files}")
    return size, name, failures


def main():
    rows = int(float(os.environ.get("LONGSHORE_BENCH_GB", "20")) * GB / ROW_BYTES)
    rgw_rows = int(float(os.environ.get("LONGSHORE_BENCH_RGW_GB", "2")) * GB / ROW_BYTES)
    failures = []
    with tempfile.TemporaryDirectory(prefix="longshore-bench-") as place, harness.Postgres() as source, harness.Postgres(synchronous_commit="on") as metadata:
        directory = pathlib.Path(place)
        source.sql(SCHEMA, f"INSERT INTO narrow SELECT g, 'acme' FROM generate_series(1, {max(rows, rgw_rows)}) g",
                   "ALTER TABLE narrow ADD PRIMARY KEY (id)", "VACUUM ANALYZE narrow")
        with discarding_s3() as (endpoint, _):
            size, name, failed = export(directory, source, metadata, bucket(endpoint), rows, "discarding")
            failures += failed
            with urllib.request.urlopen(f"{endpoint}/?summary") as answer:
                upload = json.load(answer)[-1]
            # The server refuses what is outside of S3's limits; this is how far from them the upload was.
            figure(f"{name}, parts", upload["parts"], "parts", 10_000)
            figure(f"{name}, highest part number", upload["highest_number"], "number", 10_000)
            figure(f"{name}, smallest part but the last", upload["smallest_part"] / MIB, "MiB", 5)
            figure(f"{name}, largest part", upload["largest_part"] / MIB, "MiB", 5 * 1024)
            if upload["bytes"] != size or upload["parts"] != upload["uploaded"]:
                failures.append(f"the store has another file: {upload}")
        if rgw_rows:
            rgw = gateway.Rgw(STORE_BYTES=str(int(2 * rgw_rows * ROW_BYTES) + (1 << 30)))
            try:
                client = rgw.client()
                client.create_bucket(Bucket="exports")
                storage = bucket(rgw.values["S3_ENDPOINT"], access_key=rgw.values["AWS_ACCESS_KEY_ID"], secret_key=rgw.values["AWS_SECRET_ACCESS_KEY"])
                size, name, failed = export(directory, source, metadata, storage, rgw_rows, "rgw")
                failures += failed
                stored = [entry for entry in client.list_objects_v2(Bucket="exports")["Contents"] if entry["Key"].endswith(".csv")]
                if [entry["Size"] for entry in stored] != [size] or gateway.uploads_in(client, "exports", ""):
                    failures.append(f"the bucket holds something else: {stored}")
            finally:
                rgw.close()
    for failure in failures:
        print(f"large_file: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
