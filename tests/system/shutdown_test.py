"""A process that is told to end is gone within five seconds, whatever its metadata server does meanwhile."""

import contextlib
import json
import pathlib
import re
import select
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
import unittest

import harness

ROWS = 200_000


class Proxy:
    """A TCP proxy on loopback that can fall silent: connections stay open and are taken, and nothing is passed on."""

    def __init__(self, port):
        self.silent = threading.Event()
        self.port_behind = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client):
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self.port_behind)) as server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 16)
                    if self.silent.is_set():
                        threading.Event().wait()  # until the test's process ends
                    if not data:
                        return
                    (server if ready is client else client).sendall(data)

    def close(self):
        self.listener.close()


class ShutdownTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="longshore-test-shutdown-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.metadata = harness.Postgres()
        self.addCleanup(self.metadata.close)
        with contextlib.closing(sqlite3.connect(self.directory / "items.db")) as database:
            database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, tenant_id TEXT, name TEXT, note TEXT)")
            database.executemany("INSERT INTO items VALUES (?, 'acme', ?, ?)", ((i, f"item {i}", "x" * 200) for i in range(1, ROWS + 1)))
            database.commit()

    def end_during(self, outage, url):
        """Ends a server that works on an export while `outage` has happened; an export waits and requests come."""
        catalog = harness.items_catalog(json.dumps({"driver": "sqlite", "path": str(self.directory / "items.db")}))
        settings = {"metadata": {"driver": "postgres", "url": url}, "worker": {"partition_rows": 20_000, "partition_bytes": "4MiB"}}
        with harness.Server(self.directory / "node", catalog, settings) as node:
            node.start()
            export_id = node.create()["exportId"]
            harness.wait_until(lambda: node.log_events("claimed", work="partition"), "the export is worked on")
            outage()
            reader = threading.Thread(target=lambda: self.assertRaises(Exception, node.status, export_id))
            reader.start()
            begun = time.monotonic()
            self.assertEqual(node.stop(), 0, node.log_text()[-2000:])
            taken = time.monotonic() - begun
            reader.join()
            self.assertLess(taken, 5 * harness.PATIENCE / 120, node.log_text()[-3000:])

    def test_while_the_metadata_server_is_away(self):
        self.end_during(self.metadata.halt, self.metadata.dsn)

    def test_while_the_metadata_server_is_silent(self):
        port = re.search(r"port=(\d+)", self.metadata.dsn)[1]
        proxy = Proxy(int(port))
        self.addCleanup(proxy.close)
        self.end_during(proxy.silent.set, self.metadata.dsn.replace(port, str(proxy.port)))


if __name__ == "__main__":
    unittest.main()
