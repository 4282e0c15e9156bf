"""`max_connections` of a source, over several workers: watched on the source itself while workers are killed, stopped and woken."""

import csv
import io
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

import harness

ROWS = 40_000
LEASE = 3.0
SAMPLE = 0.01  # seconds between two looks at pg_stat_activity
SUSPECT = "holder IS NOT NULL AND expires_at <= now()"

SCHEMA = (
    "CREATE TABLE items (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text, note text)",
    f"INSERT INTO items SELECT 10 * g, 'acme', 'item ' || g, repeat(md5(g::text), 3) FROM generate_series(1, {ROWS}) g",
    *harness.SLOW,
    "CREATE VIEW slow_items AS SELECT id, tenant_id, name, slow(id, note) AS note FROM items",
    "VACUUM ANALYZE items",
)


class Watcher:
    """Looks at the source's sessions every 10 ms, by one session of psql, and keeps the most that it saw at a time."""

    def __init__(self, database):
        self.psql = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", database.dsn], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.psql.stdin.write(
            "SELECT count(*), string_agg(application_name || ' ' || state, ', ') FROM pg_stat_activity "
            f"WHERE application_name LIKE 'longshore/%' AND backend_type = 'client backend' \\watch {SAMPLE}\n")
        self.psql.stdin.flush()
        self.samples = 0
        self.most = 0
        self.worst = ""
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        for line in self.psql.stdout:
            count, bar, names = line.partition("|")
            if not bar or not count.isdigit():
                continue
            self.samples += 1
            if int(count) > self.most:
                self.most, self.worst = int(count), names.strip()

    def stop(self):
        self.psql.kill()
        self.psql.wait()
        self.thread.join()
        self.psql.stdin.close()
        self.psql.stdout.close()


class ConnectionBudgetTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="longshore-test-budget-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.source = harness.Postgres()
        cls.addClassCleanup(cls.source.close)
        cls.metadata = harness.Postgres()
        cls.addClassCleanup(cls.metadata.close)
        cls.source.sql(*SCHEMA)
        harness.set_pause(cls.source, 0.01)

    def setUp(self):
        self.schema = "t" + uuid.uuid4().hex[:12]
        self.nodes = []
        self.watcher = None

    def tearDown(self):
        result = self._outcome.result
        failed = any(test is self for test, _ in result.errors + result.failures)
        if self.watcher:
            self.watcher.stop()
        for node in self.nodes:
            if failed:
                print(f"--- {node.directory.name}", *node.log_lines()[-20:], sep="\n", file=sys.stderr)
            node.__exit__(failed or None)

    def node(self, role, limit, slots=2):
        name = f"{role}-{len(self.nodes)}"
        settings = {
            "role": role,
            "metadata": {"driver": "postgres", "url": self.metadata.dsn, "schema": self.schema},
            "storage": {"driver": "local", "path": str(self.directory / self.schema / "files")},
            "manifest": {"key": "ab" * 32},
            "worker": {"slots": slots, "partition_rows": 4_000, "partition_bytes": "256KiB", "lease": f"{LEASE:.0f}s", "heartbeat": "300ms"},
        }
        catalog = harness.items_catalog(self.source.source(max_connections=limit, max_lag="off"), relation="slow_items")
        node = harness.Server(self.directory / self.schema / name, catalog, settings, data=self.directory / self.schema / "data")
        node.__enter__()
        self.nodes.append(node)
        return node.start()

    def is_ready(self, node):
        try:
            return node.call("GET", "/readyz", token=None)[0] == 200
        except harness.ApiError:
            return False

    def rows(self, condition):
        return int(self.metadata.sql(f"SELECT count(*) FROM {self.schema}.source_connections WHERE {condition}"))

    def marks(self):
        """What the names of the source's sessions say about their places."""
        names = self.source.sql("SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'longshore/%'")
        return {name[-12:-6] for name in names.splitlines()}

    def expect_complete(self, api, export_id):
        api.wait_succeeded(export_id)
        lines = list(csv.reader(io.StringIO(api.download(export_id).decode())))
        self.assertEqual([line[0] for line in lines[1:]], [str(10 * g) for g in range(1, ROWS + 1)])

    def expect_never_more_than(self, limit):
        self.watcher.stop()
        samples, most, worst = self.watcher.samples, self.watcher.most, self.watcher.worst
        self.watcher = None
        self.assertGreater(samples, 100)
        self.assertLessEqual(most, limit, worst)
        self.assertEqual(most, limit, "the limit was never reached, so nothing was shown")

    def test_never_more_connections_whatever_becomes_of_the_workers(self):
        limit = 3
        api = self.node("api", limit)
        self.watcher = Watcher(self.source)
        stopped, victim, steady = (self.node("worker", limit) for _ in range(3))
        exports = [api.create()["exportId"] for _ in range(3)]
        api.wait_running(exports[0], rows=4_000)
        harness.wait_until(lambda: len(self.marks()) == limit, "all places are in use")

        stopped.signal(signal.SIGSTOP)
        # Whatever it held is ended by others, from a place of theirs, while it cannot do anything about it.
        harness.wait_until(lambda: self.rows(SUSPECT) > 0 or api.status(exports[0])["status"] != "RUNNING",
                           "the stopped worker's lease ends")
        harness.wait_until(lambda: self.rows(SUSPECT) == 0, "its places are cleared")
        stopped.signal(signal.SIGCONT)
        victim.kill()
        replacement = self.node("worker", limit)
        for export_id in exports:
            self.expect_complete(api, export_id)
        self.assertGreaterEqual(steady.metric("longshore_source_connection_wait_seconds_count", source="app"), 1)
        self.assertIn("longshore_source_connections", steady.call("GET", "/metrics", token=None)[2].decode())
        steady.stop()
        replacement.stop()
        stopped.stop()
        api.stop()
        self.assertEqual(self.rows("holder IS NOT NULL AND expires_at > now()"), 0, "places were not given back")
        self.expect_never_more_than(limit)

    def test_workers_take_turns_where_there_is_one_connection(self):
        api = self.node("api", 1)
        self.watcher = Watcher(self.source)
        workers = [self.node("worker", 1) for _ in range(3)]
        exports = [api.create()["exportId"] for _ in range(2)]
        for export_id in exports:
            self.expect_complete(api, export_id)
        took_part = {p["worker"] for export_id in exports for p in api.partitions(export_id)}
        self.assertEqual(len(took_part), len(workers), "somebody never had its turn")
        self.expect_never_more_than(1)

    def test_a_metadata_store_that_goes_away_ends_the_connections_in_time(self):
        limit = 2
        node = self.node("all", limit)
        self.watcher = Watcher(self.source)
        export_id = node.create()["exportId"]
        node.wait_running(export_id, rows=4_000)
        self.metadata.halt()
        halted = time.monotonic()
        harness.wait_until(lambda: not self.marks(), "nothing is read without a lease")
        self.assertLess(time.monotonic() - halted, LEASE + harness.PATIENCE / 40)
        self.metadata.resume()
        harness.wait_until(lambda: self.is_ready(node), "the store is back")
        self.expect_complete(node, export_id)
        self.expect_never_more_than(limit)


if __name__ == "__main__":
    unittest.main()
