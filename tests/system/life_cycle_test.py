"""Exports from request to expiry: cancelled, deleted, expired, asked for twice, seen by others, shared by two servers,
interrupted by a shutdown, and continued behind the back of a server that was asleep."""

import concurrent.futures
import datetime
import json
import signal
import socket
import sqlite3
import time
import unittest
import urllib.parse
import uuid

import harness

ROWS = 60_000  # of about 1.2 kB, in six partitions of two checkpoints each
SETTINGS = {"partition_rows": 10_500, "partition_bytes": "256KiB"}  # of a view the database knows no widths

# The view's notes cost time that the table `speed` sets, so that tests find exports at work however fast the machine is.
SCHEMA = (
    "CREATE TABLE speed (pause double precision)", "INSERT INTO speed VALUES (0)",
    "CREATE FUNCTION slow(n bigint, value text) RETURNS text LANGUAGE plpgsql STABLE COST 1000 AS $$ BEGIN "
    "IF n % 100 = 0 THEN PERFORM pg_sleep(pause) FROM speed; END IF; RETURN value; END $$",
    "CREATE TABLE items (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text, note text)",
    f"INSERT INTO items SELECT g, CASE WHEN g % 51 = 0 THEN 'globex' ELSE 'acme' END, 'item ' || g, repeat(md5(g::text), 37) "
    f"FROM generate_series(1, {ROWS * 51 // 50}) g",
    "CREATE UNIQUE INDEX items_tenant ON items (tenant_id, id)",
    "CREATE VIEW slow_items AS SELECT id, tenant_id, name, slow(id, note) AS note FROM items",
    "ANALYZE",
)


class LifeCycleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(harness.temporary_directory())
        cls.database = cls.enterClassContext(harness.Postgres())
        cls.database.sql(*SCHEMA)
        columns = """
    columns:
      id: { type: int64 }
      name: { type: text }
      note: { type: text, permission: notes.read }
    filters: [id, name, note]
"""
        cls.catalog = f"""
sources:
  app: {cls.database.source(batch_rows=1000, max_connections=16)}
datasets:
  items:
    source: app
    relation: public.slow_items
    tenant_column: tenant_id
    key: [id]
    permission: exports.items
    retention: 1m{columns}
  private_items:
    source: app
    relation: public.items
    tenant_column: tenant_id
    key: [id]
    permission: exports.private_items{columns}
"""
        with cls.make_server(cls, "undisturbed") as server:
            server.start()
            export_id = server.create()["exportId"]
            server.wait_succeeded(export_id)
            cls.expected = server.digest(export_id)
            assert len(server.partitions(export_id)) == 6, server.partitions(export_id)

    def setUp(self):
        self.set_pause(0)

    def make_server(self, name, data=None, **worker):
        return harness.Server(self.root / name, self.catalog, {"worker": {**SETTINGS, **worker}}, data=data)

    def start_server(self, **worker):
        server = self.enterContext(self.make_server(self.id().rsplit(".", 1)[1], **worker))
        return server.start()

    def set_pause(self, seconds):
        """Seconds for each hundred rows."""
        self.database.sql(f"UPDATE speed SET pause = {seconds}")

    def readers(self):
        """How many sessions of Longshore read rows now."""
        return int(self.database.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'longshore/exp_%'"))

    def assertApiError(self, status, code, call, *arguments, **options):
        with self.assertRaises(harness.ApiError) as raised:
            call(*arguments, **options)
        self.assertEqual((raised.exception.status, raised.exception.problem.get("code")), (status, code), raised.exception)
        return raised.exception.problem

    # --- cancel, delete, expire

    def test_cancel_of_a_running_export(self):
        server = self.start_server()
        self.set_pause(0.02)
        export_id = server.create()["exportId"]
        server.wait_running(export_id)
        harness.wait_until(lambda: self.readers() == 2, "two partitions are read")
        begun = time.monotonic()
        status, _, body = server.call("POST", f"/v1/exports/{export_id}/cancel")
        self.assertEqual((status, json.loads(body)["status"]), (202, "CANCELLED"))
        harness.wait_until(lambda: self.readers() == 0, "the database is left alone")
        server.expect_only()
        self.assertLess(time.monotonic() - begun, 5 * harness.PATIENCE / 120)
        self.assertEqual(server.status(export_id)["status"], "CANCELLED")
        self.assertApiError(409, "export_finished", server.call, "POST", f"/v1/exports/{export_id}/cancel")
        self.assertApiError(409, "export_not_ready", server.link, export_id)
        self.assertApiError(409, "export_not_ready", server.call, "GET", f"/v1/exports/{export_id}/manifest")
        # The record stays, and the next export is as good as any.
        self.set_pause(0)
        again = server.create()["exportId"]
        server.wait_succeeded(again)
        self.assertEqual(server.digest(again), self.expected)
        server.expect_only(again)

    def test_cancel_of_a_queued_export(self):
        server = self.start_server(slots=1)
        self.set_pause(0.02)
        first = server.create()["exportId"]
        server.wait_running(first)
        second = server.create()["exportId"]
        third = server.create()["exportId"]
        # Positions are remembered for half a second.
        harness.wait_until(lambda: [server.status(e)["queuePosition"] for e in (first, second, third)] == [None, 1, 2], "both are queued")
        server.call("POST", f"/v1/exports/{second}/cancel")
        self.assertEqual(server.status(second)["status"], "CANCELLED")
        harness.wait_until(lambda: server.status(third)["queuePosition"] == 1, "the third is the next")
        self.set_pause(0)
        server.wait_succeeded(third)
        self.assertEqual(server.status(first)["status"], "SUCCEEDED")
        self.assertEqual(server.status(second)["metrics"]["totalRowsProcessed"], 0)
        self.assertIsNone(server.status(second)["startedAt"])
        server.expect_only(first, third)

    def test_cancel_in_every_phase(self):
        """However far it has come, a cancelled export leaves nothing."""
        server = self.start_server()
        for rows in (0, 1, ROWS // 3, ROWS * 9 // 10):
            self.set_pause(0.004)
            export_id = server.create()["exportId"]
            server.wait_running(export_id, rows)
            try:
                server.call("POST", f"/v1/exports/{export_id}/cancel")
            except harness.ApiError as error:
                self.assertEqual(error.problem["code"], "export_finished")
                server.call("DELETE", f"/v1/exports/{export_id}")
            server.expect_only()

    def test_delete(self):
        server = self.start_server()
        export_id = server.create(filters={"id": {"lte": 500}})["exportId"]
        server.wait_succeeded(export_id)
        link = server.link(export_id)
        self.assertEqual(server.call("DELETE", f"/v1/exports/{export_id}")[0], 204)
        server.expect_only()
        self.assertEqual(server.status(export_id)["status"], "EXPIRED")
        self.assertApiError(410, "export_expired", server.link, export_id)
        self.assertApiError(410, "export_expired", server.call, "GET", f"/v1/exports/{export_id}/manifest")
        self.assertApiError(404, "file_not_found", server.call, "GET", link, token=None)
        self.assertEqual(server.call("DELETE", f"/v1/exports/{export_id}")[0], 204)  # again does no harm
        self.assertEqual(len(server.json("GET", f"/v1/exports/{export_id}/downloads")["downloads"]), 1)

    def test_delete_of_an_active_export(self):
        server = self.start_server()
        self.set_pause(0.02)
        export_id = server.create()["exportId"]
        server.wait_running(export_id)
        self.assertApiError(409, "export_active", server.call, "DELETE", f"/v1/exports/{export_id}")
        server.call("POST", f"/v1/exports/{export_id}/cancel")
        self.assertEqual(server.call("DELETE", f"/v1/exports/{export_id}")[0], 204)
        self.assertEqual(server.status(export_id)["status"], "CANCELLED")
        server.expect_only()

    def test_retention(self):
        server = self.start_server()
        request = {"filters": {"id": {"lte": 500}}}
        kept, due = (server.create(**request)["exportId"] for _ in range(2))
        for export_id in (kept, due):
            status = server.wait_succeeded(export_id)
            expires, completed = (datetime.datetime.fromisoformat(status[name]) for name in ("expiresAt", "completedAt"))
            self.assertLess(abs(expires - completed - datetime.timedelta(minutes=1)), datetime.timedelta(milliseconds=1))
        # A minute passes for one of the two.
        with sqlite3.connect(server.data / "longshore.db", timeout=60) as metadata:
            metadata.execute("UPDATE export_jobs SET expires_at = expires_at - 61000000 WHERE id = ?", (due.removeprefix("exp_"),))
        metadata.close()
        harness.wait_until(lambda: server.status(due)["status"] == "EXPIRED", "the file expires")
        server.expect_only(kept)
        self.assertApiError(410, "export_expired", server.link, due)
        self.assertEqual({e["exportId"] for e in server.json("GET", "/v1/exports")["exports"]}, {kept, due})

    # --- asked for twice

    def test_idempotency(self):
        server = self.start_server()
        key = str(uuid.uuid4())
        body = {"exportType": "items", "format": "csv", "filters": {"id": {"lte": 500}}}
        def create(body, key=key, token=harness.TOKEN):
            status, headers, answer = server.call("POST", "/v1/exports", body, token=token, headers={"Idempotency-Key": key})
            return status, json.loads(answer)["exportId"], headers.get("Idempotency-Replayed")
        status, export_id, replayed = create(body)
        self.assertEqual((status, replayed), (202, None))
        self.assertEqual(create(body), (202, export_id, "true"))
        self.assertEqual(create(dict(reversed(body.items()))), (202, export_id, "true"))  # the order of members is no difference
        self.assertEqual(create(body, f'"{key}"'), (202, export_id, "true"))
        server.wait_succeeded(export_id)
        self.assertEqual(create(body), (202, export_id, "true"))  # also when it is long done
        problem = self.assertApiError(422, "idempotency_key_reused", create, {**body, "format": "jsonl"})
        self.assertIn(export_id.removeprefix("exp_"), problem["detail"])
        _, others, replayed = create(body, token=harness.OTHER_TOKEN)  # a key is the tenant's own
        self.assertNotEqual(others, export_id)
        self.assertIsNone(replayed)
        # At once from many sides: one export.
        key = str(uuid.uuid4())
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: create(body, key), range(16)))
        self.assertEqual(len({answer[1] for answer in answers}), 1)
        self.assertEqual(sum(answer[2] is None for answer in answers), 1)
        self.assertEqual(len(server.json("GET", "/v1/exports")["exports"]), 2)

    # --- who may see what

    def test_tenants_see_nothing_of_each_other(self):
        server = self.start_server()
        export_id = server.create()["exportId"]
        server.wait_succeeded(export_id)
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/download-url"), ("GET", "/download"),
                             ("GET", "/manifest"), ("GET", "/partitions"), ("GET", "/downloads")):
            with self.subTest(method + path):
                theirs = self.assertApiError(404, "export_not_found", server.call, method, f"/v1/exports/{export_id}{path}", token=harness.OTHER_TOKEN)
                nobody = self.assertApiError(404, "export_not_found", server.call, method, f"/v1/exports/exp_{uuid.uuid4()}{path}")
                self.assertEqual({**theirs, "instance": "", "requestId": "", "detail": ""}, {**nobody, "instance": "", "requestId": "", "detail": ""})
                for token in (None, "wrong", ""):
                    self.assertApiError(401, "unauthenticated", server.call, method, f"/v1/exports/{export_id}{path}", token=token)
        self.assertEqual(server.json("GET", "/v1/exports", token=harness.OTHER_TOKEN)["exports"], [])
        self.assertEqual(server.status(export_id)["status"], "SUCCEEDED")
        self.assertEqual(server.digest(export_id), self.expected)
        # The same request of the other tenant finds the other tenant's rows, whatever it filters by.
        for filters in ({}, {"id": {"gte": 0}}, {"name": ["item 1", "item 51", "' OR '1'='1"]}):
            other = server.create(token=harness.OTHER_TOKEN, format="jsonl", filters=filters)["exportId"]
            server.wait_succeeded(other, harness.OTHER_TOKEN)
            rows = [json.loads(line) for line in server.download(other, harness.OTHER_TOKEN).splitlines()]
            self.assertTrue(rows)
            self.assertTrue(all(row["id"] % 51 == 0 for row in rows))

    def test_permissions(self):
        server = self.start_server()
        few = {"filters": {"id": {"lte": 500}}}
        clerk = {"token": harness.CLERK_TOKEN}
        # Datasets and columns without the permission are not there.
        datasets = server.json("GET", "/v1/datasets", **clerk)["datasets"]
        self.assertEqual([(d["name"], [c["name"] for c in d["columns"]]) for d in datasets], [("items", ["id", "name"])])
        self.assertNotIn("note", [f["name"] for f in datasets[0]["filters"]])
        self.assertApiError(404, "dataset_not_found", server.call, "GET", "/v1/datasets/private_items", **clerk)
        # Left out, or refused by name.
        own = server.create(format="jsonl", **few, **clerk)["exportId"]
        server.wait_succeeded(own, **clerk)
        self.assertEqual(list(json.loads(server.download(own, **clerk).splitlines()[0])), ["id", "name"])
        problem = self.assertApiError(403, "permission_denied", server.create, "private_items", **few, **clerk)
        self.assertIn("exports.private_items", json.dumps(problem))
        problem = self.assertApiError(403, "permission_denied", server.create, columns=["id", "note"], **few, **clerk)
        self.assertIn("notes.read", json.dumps(problem))
        self.assertEqual(problem["errors"][0]["pointer"], "/columns/1")
        problem = self.assertApiError(422, "invalid_request", server.create, filters={"note": "x"}, **clerk)
        self.assertEqual(problem["errors"][0]["pointer"], "/filters/note")
        # A colleague's file holds what the clerk may not see.
        full = server.create(**few)["exportId"]
        server.wait_succeeded(full)
        self.assertApiError(403, "permission_denied", server.link, full, **clerk)
        self.assertApiError(403, "permission_denied", server.call, "GET", f"/v1/exports/{full}/download", **clerk)

    # --- several servers

    def start_two(self, **worker):
        """Two servers on one data directory."""
        data = self.root / (self.id().rsplit(".", 1)[1] + "-data")
        return [self.enterContext(self.make_server(f"{data.name}-{name}", data, **worker)).start() for name in "ab"]

    def test_two_servers_share_one_export(self):
        servers = self.start_two(slots=1)
        self.set_pause(0.01)
        export_id = servers[0].create()["exportId"]
        servers[1].wait_succeeded(export_id)
        for server in servers:
            self.assertTrue(server.log_events("claimed", work="partition"), "one server did it all alone")
            self.assertEqual(server.digest(export_id), self.expected)
        claimed = [event["partition"] for server in servers for event in server.log_events("claimed", work="partition")]
        self.assertEqual(sorted(claimed), list(range(6)), "a partition was run twice, or not at all")
        self.assertEqual([p["attempts"] for p in servers[0].partitions(export_id)], [1] * 6)
        self.assertEqual(len({p["worker"] for p in servers[0].partitions(export_id)}), 2)
        self.assertEqual(sum(server.metric("longshore_exported_rows_total") for server in servers), ROWS)
        for kind in ("plan", "assemble"):
            self.assertEqual(sum(len(server.log_events("claimed", work=kind)) for server in servers), 1)
        servers[0].expect_only(export_id)

    def test_shutdown_hands_the_work_back(self):
        first = self.start_server(lease="60s", heartbeat="1s")
        self.set_pause(0.005)
        export_id = first.create()["exportId"]
        job = export_id.removeprefix("exp_")
        harness.wait_until(lambda: first.rows("SELECT 1 FROM export_parts"), "a checkpoint is made")
        self.assertEqual(len(first.rows("SELECT 1 FROM export_job_partitions WHERE status = 'RUNNING'")), 2)
        begun = time.monotonic()
        self.assertEqual(first.stop(), 0, first.log_text()[-2000:])
        self.assertLess(time.monotonic() - begun, 5 * harness.PATIENCE / 120)
        self.assertEqual(first.rows("SELECT count(*) FROM export_workers"), [(0,)])
        self.assertEqual(first.rows("SELECT DISTINCT status, attempts FROM export_job_partitions WHERE status <> 'COMPLETED'"), [("PENDING", 0)])
        recorded = first.rows("SELECT sum(row_count) FROM export_parts WHERE job_id = ?", job)[0][0]
        self.assertGreater(recorded, 0)
        self.assertLess(recorded, ROWS)

        self.set_pause(0)
        with self.make_server("taking-over", data=first.data, lease="60s") as second:
            second.start()
            second.wait_succeeded(export_id)
            self.assertLess(time.monotonic() - begun, 60, "the work was not handed back, its lease had to run out")
            self.assertEqual(second.digest(export_id), self.expected)
            self.assertEqual(second.metric("longshore_exported_rows_total"), ROWS - recorded)
            second.expect_only(export_id)
            self.assertEqual(second.stop(), 0)

    def test_shutdown_waits_for_nobody_who_does_not_read(self):
        server = self.start_server()
        export_id = server.create()["exportId"]
        server.wait_succeeded(export_id)
        target = urllib.parse.urlsplit(server.link(export_id))
        with socket.create_connection((target.hostname, target.port)) as idle, socket.create_connection((target.hostname, target.port)) as lazy:
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"200 OK", idle.recv(1000))
            lazy.sendall(f"GET {target.path}?{target.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            self.assertIn(b"200 OK", lazy.recv(1000))
            begun = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - begun, 5 * harness.PATIENCE / 120)

    def test_a_server_that_was_asleep_changes_nothing(self):
        sleeper, other = self.start_two(slots=1, lease="2s")
        self.set_pause(0.01)
        export_id = sleeper.create()["exportId"]
        harness.wait_until(lambda: sleeper.log_events("claimed", work="partition"), "the first server takes part")
        sleeper.signal(signal.SIGSTOP)
        try:
            harness.wait_until(lambda: other.log_events("freed claims of silent workers"), "its work is taken from it")
            self.set_pause(0)
            other.wait_succeeded(export_id)
            self.assertEqual(other.digest(export_id), self.expected)
            other.expect_only(export_id)
            before = [(name, (other.data / "objects" / name).stat().st_mtime_ns) for name in other.stored_files()]
            record = other.rows("SELECT * FROM export_jobs"), other.rows("SELECT * FROM export_parts")
        finally:
            sleeper.signal(signal.SIGCONT)
        harness.wait_until(lambda: sleeper.log_events("stopping all work"), "the first server knows that it was too late")
        harness.wait_until(lambda: sleeper.log_events("claim lost: cancelled, or somebody else owns this work"), "it lets go")
        other.expect_only(export_id)
        self.assertEqual([(name, (other.data / "objects" / name).stat().st_mtime_ns) for name in other.stored_files()], before)
        self.assertEqual((other.rows("SELECT * FROM export_jobs"), other.rows("SELECT * FROM export_parts")), record)
        # It works again under a new name.
        self.assertEqual(other.stop(), 0)
        again = sleeper.create()["exportId"]
        sleeper.wait_succeeded(again)
        self.assertEqual(sleeper.digest(again), self.expected)
        sleeper.expect_only(export_id, again)


if __name__ == "__main__":
    unittest.main()
