#!/usr/bin/env python3
"""`consistency: snapshot` of MariaDB and SQLite: one session reads the whole export as of one moment, while somebody writes.

The writer changes all rows in every transaction, so a file of one moment has the same version in all of its rows.
"""

import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness  # noqa: E402
import mariadb_server  # noqa: E402

ROWS = 20_000
TABLE = "CREATE TABLE items (id int PRIMARY KEY, tenant_id varchar(20) NOT NULL, version int NOT NULL, note varchar(200))"
CHANGE = "UPDATE items SET version = version + 1"


class Writer:
    """Changes all rows, again and again, until the block is left."""

    def __init__(self, change):
        self.change = change
        self.changes = 0
        self.over = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self.work)

    def work(self):
        try:
            while not self.over.is_set():
                self.change()
                self.changes += 1
                self.over.wait(0.1)  # a file's journal grows with each change while somebody reads
        except Exception as failure:  # is raised where the block is left
            self.failure = failure

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.thread.join()
        if self.failure:
            raise self.failure


class MomentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(harness.temporary_directory())
        # Not inside the test's own, which nobody else may enter: the server runs as another user.
        server = tempfile.mkdtemp(prefix="longshore-my-")
        cls.addClassCleanup(mariadb_server.stop, server)
        cls.url = mariadb_server.start(server, {})
        cls.port = cls.url.split(":")[-1].split("/")[0]
        cls.sql(TABLE)
        cls.sql(f"INSERT INTO items SELECT seq, 'acme', 0, repeat('x', 150) FROM seq_1_to_{ROWS}; ANALYZE TABLE items")
        cls.file = cls.root / "items.db"
        with sqlite3.connect(cls.file) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(TABLE)
            database.executemany("INSERT INTO items VALUES (?, 'acme', 0, ?)", ((i, "x" * 150) for i in range(1, ROWS + 1)))
        database.close()
        # Slow enough that there is something to come between.
        pace = {"batch_rows": 500, "pacing": {"duty": 1, "pause": "150ms"}}
        shop = {"driver": "mysql", "replicas": [cls.url], "max_connections": 1, **pace}
        slow = {**shop, "pacing": {"duty": 1, "pause": "300ms"}}
        dataset = """
    relation: items
    tenant_column: tenant_id
    key: [id]
    permission: exports.items
    consistency: [best_effort, snapshot]
    columns:
      id: { type: int64 }
      version: { type: int64 }
      note: { type: text }
"""
        catalog = f"""
sources:
  shop: {json.dumps(shop)}
  slow: {json.dumps(slow)}
  file: {harness.sqlite_source(cls.file, max_connections=1, **pace)}
datasets:
  shop_items:
    source: shop{dataset}
  slow_items:
    source: slow{dataset}
  file_items:
    source: file{dataset}
"""
        cls.server = cls.enterClassContext(harness.Server(cls.root / "server", catalog, {"worker": {"partition_rows": 1000}}))
        cls.server.start()

    @classmethod
    def sql(cls, statement):
        done = subprocess.run(["mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", cls.port, "-u", "root", "-N", "--batch", "test",
                               "-e", statement], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{statement}: {done.stderr}")
        return done.stdout.split()

    def change_file(self):
        with sqlite3.connect(self.file, timeout=harness.PATIENCE) as database:
            database.execute(CHANGE)
        database.close()

    def expect_one_moment(self, export_id, epochs):
        self.server.wait_succeeded(export_id)
        rows = self.server.download(export_id).decode().splitlines()[1:]
        self.assertEqual([int(row.split(",")[0]) for row in rows], list(range(1, ROWS + 1)))
        self.assertEqual(len({row.split(",")[1] for row in rows}), 1, "rows of several moments")
        self.assertEqual(len(self.server.partitions(export_id)), 1)
        with harness.temporary_directory() as directory:
            self.server.verify(export_id, directory)
        consistency = json.loads(self.server.call("GET", f"/v1/exports/{export_id}/manifest")[2])["consistency"]
        self.assertEqual((consistency["mode"], consistency["epochs"]), ("snapshot", epochs), consistency)
        self.assertIsNotNone(consistency["server"])
        status = self.server.status(export_id)
        self.assertLessEqual(status["startedAt"][:19], consistency["takenAt"][:19])
        self.assertLessEqual(consistency["takenAt"][:19], status["completedAt"][:19])

    def test_mariadb_while_it_is_written_to(self):
        with Writer(lambda: self.sql(CHANGE)) as writer:
            export_id = self.server.create("shop_items", consistency="snapshot")["exportId"]
            self.expect_one_moment(export_id, epochs=1)
        self.assertGreater(writer.changes, 0)

    def test_sqlite_while_it_is_written_to(self):
        with Writer(self.change_file) as writer:
            export_id = self.server.create("file_items", consistency="snapshot")["exportId"]
            self.expect_one_moment(export_id, epochs=1)
        self.assertGreater(writer.changes, 0)

    def test_with_its_session_the_moment_is_lost(self):
        export_id = self.server.create("slow_items", consistency="snapshot")["exportId"]
        self.server.wait_running(export_id)
        self.sql("UPDATE items SET version = version + 1000")
        # The reader's, and the lag monitor's, which comes back.
        for session in self.sql("SELECT id FROM information_schema.PROCESSLIST WHERE db = 'test' AND id <> connection_id()"):
            try:
                self.sql(f"KILL HARD CONNECTION {session}")
            except AssertionError as failure:
                if "Unknown thread id" not in str(failure):  # of a client of ours that has gone meanwhile
                    raise
        self.expect_one_moment(export_id, epochs=2)


if __name__ == "__main__":
    unittest.main()
