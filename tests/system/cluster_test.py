"""The production shape: API node and workers apart, on a real PostgreSQL for the metadata and a real Ceph RGW for the files."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

import harness

sys.path.insert(0, str(harness.ROOT / "tests/rgw"))
import gateway  # noqa: E402

ROWS = 400_000
LEASE = 3.0


class ClusterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="longshore-test-cluster-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.rgw = gateway.Rgw()
        cls.addClassCleanup(cls.rgw.close)
        cls.source = harness.Postgres()
        cls.addClassCleanup(cls.source.close)
        # An answered commit must survive halt().
        cls.metadata = harness.Postgres(synchronous_commit="on")
        cls.addClassCleanup(cls.metadata.close)
        cls.source.sql(
            "CREATE TABLE items (id bigint, tenant_id text NOT NULL, name text, note text)",
            f"INSERT INTO items SELECT g, 'acme', 'item ' || g, repeat(md5(g::text), 6) FROM generate_series(1, {ROWS}) g",
            "ALTER TABLE items ADD PRIMARY KEY (id)", "VACUUM ANALYZE items")
        cls.catalog = harness.items_catalog(cls.source.source(max_connections=8))
        cls.bucket = cls.rgw.client()
        cls.bucket.create_bucket(Bucket="exports")

    def setUp(self):
        self.schema = "t" + uuid.uuid4().hex[:12]
        self.nodes = []

    def tearDown(self):
        result = self._outcome.result
        failed = any(test is self for test, _ in result.errors + result.failures)
        for node in self.nodes:
            if failed:
                print(f"--- {node.directory.name}", *node.log_lines()[-15:], sep="\n", file=sys.stderr)
            node.__exit__(failed or None)

    def settings(self, role, **worker):
        return {
            "role": role,
            "metadata": {"driver": "postgres", "url": self.metadata.dsn, "schema": self.schema},
            "storage": {"driver": "s3", "endpoint": self.rgw.values["S3_ENDPOINT"], "bucket": "exports", "prefix": self.schema,
                        "access_key_id": self.rgw.values["AWS_ACCESS_KEY_ID"],
                        "secret_access_key": self.rgw.values["AWS_SECRET_ACCESS_KEY"]},
            "manifest": {"key": "ab" * 32},
            "worker": {"slots": 1, "partition_rows": 25_000, "partition_bytes": "4MiB", "lease": f"{LEASE:.0f}s",
                       "heartbeat": "500ms", **worker},
        }

    def node(self, role, wait=True, **worker):
        name = f"{role}-{len(self.nodes)}"
        node = harness.Server(self.directory / self.schema / name, self.catalog, self.settings(role, **worker))
        node.__enter__()
        self.nodes.append(node)
        return node.start(wait=wait, SOURCE_DATE_EPOCH="1780000000")

    def expect_only(self, *export_ids):
        """The bucket holds the artefacts and manifests of these exports, and no upload is left."""
        jobs = [export_id.removeprefix("exp_") for export_id in export_ids]
        harness.wait_until(lambda: self.metadata.sql(f"SELECT count(*) FROM {self.schema}.export_jobs WHERE needs_cleaning = 1") == "0",
                           "all cleaning is done")
        keys = [o["Key"] for o in self.bucket.list_objects_v2(Bucket="exports", Prefix=self.schema + "/").get("Contents", [])]
        self.assertEqual(len(keys), 2 * len(jobs), keys)
        self.assertTrue(all(any(job in key for job in jobs) for key in keys), keys)
        uploads = self.bucket.list_multipart_uploads(Bucket="exports", Prefix=self.schema + "/").get("Uploads", [])
        self.assertEqual(uploads, [])

    def workers_of(self, api, export_id):
        return {p["worker"] for p in api.partitions(export_id)}

    def test_workers_share_an_export_and_make_the_file_of_one(self):
        api = self.node("api")
        first = self.node("worker")
        one = api.create()["exportId"]
        api.wait_succeeded(one)
        self.assertEqual(len(self.workers_of(api, one)), 1)
        alone = api.digest(one)
        for _ in range(2):
            self.node("worker")
        for format in ("csv", "parquet"):
            shared = api.create(format=format)["exportId"]
            status = api.wait_succeeded(shared)
            self.assertEqual(status["metrics"]["totalRowsProcessed"], ROWS)
            self.assertEqual(len(self.workers_of(api, shared)), 3, "not all of them took part")
            api.verify(shared, self.directory)
            if format == "csv":
                self.assertEqual(api.digest(shared), alone)
        listed = api.json("GET", "/v1/workers")["workers"]
        self.assertEqual([w["alive"] for w in listed], [True] * 3)
        table = subprocess.run([str(harness.BINARY), "workers"], capture_output=True, text=True, check=True,
                               env={**os.environ, "LONGSHORE_SERVER": api.url, "LONGSHORE_TOKEN": harness.TOKEN}).stdout
        self.assertEqual(table.count("alive"), 3, table)
        with self.assertRaises(harness.ApiError) as refused:
            api.json("GET", "/v1/workers", token=harness.CLERK_TOKEN)
        self.assertEqual(refused.exception.status, 403)
        # A worker answers no requests but those about itself, and writes nothing to disk.
        with self.assertRaises(harness.ApiError):
            first.call("GET", "/v1/exports")
        self.assertEqual(first.call("GET", "/readyz", token=None)[0], 200)
        self.assertEqual([p.name for p in first.data.rglob("*")], [])

    def test_a_killed_worker_is_replaced_and_a_stopped_one_can_change_nothing(self):
        api = self.node("api")
        victim, zombie = self.node("worker"), self.node("worker")
        export_id = api.create()["exportId"]
        api.wait_running(export_id, rows=20_000)
        victim.kill()
        zombie.signal(signal.SIGSTOP)
        killed = time.monotonic()
        self.node("worker")
        status = api.wait_succeeded(export_id)
        self.assertLess(time.monotonic() - killed, LEASE + harness.PATIENCE / 4)
        digest = api.digest(export_id)
        zombie.signal(signal.SIGCONT)
        harness.wait_until(lambda: zombie.log_events("claim lost: cancelled, or somebody else owns this work") or
                           zombie.json("GET", "/readyz", token=None), "the stopped worker comes back")
        self.assertEqual(status["metrics"]["totalRowsProcessed"], ROWS)
        self.assertEqual(api.digest(export_id), digest)
        api.verify(export_id, self.directory)
        self.expect_only(export_id)

    def test_sigterm_drains_in_time_and_another_goes_on(self):
        api = self.node("api")
        first = self.node("worker")
        export_id = api.create()["exportId"]
        api.wait_running(export_id, rows=20_000)
        begun = time.monotonic()
        self.assertEqual(first.stop(), 0)
        self.assertLess(time.monotonic() - begun, 5 * harness.PATIENCE / 120)
        self.assertEqual([w for w in api.json("GET", "/v1/workers")["workers"]], [])
        self.node("worker")
        api.wait_succeeded(export_id)
        self.assertTrue(all(p["attempts"] <= 2 for p in api.partitions(export_id)))

    def test_the_store_and_the_metadata_may_go_away(self):
        api = self.node("api")
        self.node("worker")
        export_id = api.create()["exportId"]
        api.wait_running(export_id, rows=20_000)
        self.rgw.do("kill")
        self.metadata.halt()
        with self.assertRaises(harness.ApiError) as away:
            api.call("GET", "/readyz", token=None)
        self.assertEqual(away.exception.status, 503)
        self.metadata.resume()
        self.rgw.do("start")
        status = api.wait_succeeded(export_id)
        self.assertEqual(status["metrics"]["totalRowsProcessed"], ROWS)
        api.verify(export_id, self.directory)
        self.expect_only(export_id)

    def test_a_newer_schema_is_refused_and_migrating_is_safe_at_once(self):
        configuration = self.directory / f"{self.schema}.yaml"
        settings = self.settings("all")
        configuration.write_text(json.dumps({"metadata": {**settings["metadata"], "auto_migrate": False}, "catalog": {"path": "/dev/null"}}))
        migrate = [str(harness.BINARY), "migrate", "--config", str(configuration)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda _: subprocess.run(migrate, capture_output=True, text=True), range(8)))
        self.assertEqual([d.returncode for d in done], [0] * 8, done)
        self.metadata.sql(f"INSERT INTO {self.schema}.schema_migrations SELECT (m).* FROM (SELECT jsonb_populate_record(m, jsonb_build_object('version', m.version + 1)) AS m FROM {self.schema}.schema_migrations m ORDER BY version DESC LIMIT 1) newest")
        refused = subprocess.run(migrate, capture_output=True, text=True)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("newer", refused.stderr)

    def test_what_is_wrong_with_the_store_is_said(self):
        cases = {"secret_access_key": ("wrong", "secret"), "bucket": ("missing-bucket", "missing-bucket")}
        for name, (value, word) in cases.items():
            with self.subTest(name):
                settings = self.settings("all")
                settings["storage"][name] = value
                node = harness.Server(self.directory / self.schema / name, self.catalog, settings)
                with node:
                    node.start()
                    with self.assertRaises(harness.ApiError) as away:
                        node.call("GET", "/readyz", token=None)
                    self.assertIn(word, away.exception.problem["problems"]["store"].lower())
                    status = node.wait_finished(node.create()["exportId"])
                    self.assertEqual(status["status"], "FAILED")
                    self.assertEqual(status["error"]["code"], "store_denied")
                    self.assertIn(word, status["error"]["message"].lower())


if __name__ == "__main__":
    unittest.main()
