"""What comes in wrong, and what breaks underneath: requests, ids, links, files of configuration, the database, the disk.

Each must end in an answer that says what is wrong and where, and leave the server as good as before.
"""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import unittest
import urllib.parse
import uuid

import harness

SMALL = {"filters": {"id": {"lte": 200}}}
NOBODY = f"exp_{uuid.uuid4()}"


def raw_request(server, data, limit=10):
    """Sends bytes as they are; returns the status (None without an answer) and all that came back."""
    address = urllib.parse.urlsplit(server.url)
    answer = b""
    with socket.create_connection((address.hostname, address.port), timeout=limit) as connection:
        with contextlib.suppress(ConnectionError, TimeoutError):
            connection.sendall(data)
        with contextlib.suppress(ConnectionError, TimeoutError):
            while piece := connection.recv(65536):
                answer += piece
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else None, answer


def get(target):
    return (f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {harness.TOKEN}\r\nConnection: close\r\n\r\n").encode()


class ApiTestCase(unittest.TestCase):
    def assertApiError(self, status, code, call, *arguments, **options):
        with self.assertRaises(harness.ApiError) as raised:
            call(*arguments, **options)
        problem = raised.exception.problem
        self.assertEqual((raised.exception.status, problem.get("code")), (status, code), raised.exception)
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["title"] and problem["detail"] and problem["type"] and problem["instance"])
        return problem


class RequestTest(ApiTestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(harness.temporary_directory())
        harness.make_items(cls.root / "items.db", 2000, wide=300)
        catalog = harness.items_catalog(harness.sqlite_source(cls.root / "items.db"))
        tokens = [{"token": "test-token-of-a-strange-tenant", "tenant": "../../etc", "user": "../eve", "roles": ["admin"]}]
        cls.server = cls.enterClassContext(harness.Server(cls.root / "server", catalog, {"tokens": tokens}))
        cls.server.start()

    def tearDown(self):
        self.assertEqual(self.server.call("GET", "/healthz")[0], 200)

    def post(self, body, **options):
        return self.server.call("POST", "/v1/exports", body, **options)

    def test_malformed_json(self):
        for body in (b"", b" ", b"{", b"nul", b"[]", b'"text"', b"1", b'{"exportType":"items"', b'{"exportType":"items",}', b"{'a':1}",
                     b'{"exportType":"items","format":"csv"} {}', b'{"exportType":"\xff\xfe","format":"csv"}', b"\xff\xfe{\x00}\x00",
                     b'\xef\xbb\xbf{"exportType":"items","format":"csv"}', b'{"a":NaN}', b'{"a":"\\ud800"}', b'{"a":"\n"}', b"[" * 100_000,
                     b'{"a":' * 50_000, b"\x00" * 100):
            with self.subTest(body[:40]):
                self.assertApiError(400, "malformed_request", self.post, body)
                self.assertApiError(400, "malformed_request", self.server.call, "POST", "/v1/exports/estimate", body)

    def test_content_types(self):
        body = b'{"exportType":"items","format":"csv"}'
        for type in ("text/plain", "application/x-www-form-urlencoded", "application/json5", "multipart/form-data; boundary=x", "", "*/*"):
            with self.subTest(type):
                self.assertApiError(415, "unsupported_media_type", self.post, body, headers={"Content-Type": type})
        self.assertEqual(self.post(body, headers={"Content-Type": "Application/JSON; charset=utf-8"})[0], 202)

    def test_bodies_that_are_too_large(self):
        self.assertApiError(413, "body_too_large", self.post, b'{"exportType":"' + b"x" * (1 << 20) + b'"}')
        head = (f"POST /v1/exports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {harness.TOKEN}\r\nContent-Type: application/json\r\n").encode()
        begun = time.monotonic()
        for length in (b"1048577", b"10000000000", b"9223372036854775807"):  # announced: refused before it is sent
            with self.subTest(length):
                self.assertEqual(raw_request(self.server, head + b"Content-Length: " + length + b"\r\n\r\n{")[0], 413)
        self.assertLess(time.monotonic() - begun, 10)
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        self.assertEqual(raw_request(self.server, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 64)[0], 413)
        for length in (b"-1", b"99999999999999999999999", b"ten", b"1, 2", b"0x10"):
            with self.subTest(length):
                self.assertIn(raw_request(self.server, head + b"Content-Length: " + length + b"\r\n\r\n{}")[0], (400, 413))
        self.assertEqual(raw_request(self.server, head + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")[0], 400)
        self.assertEqual(raw_request(self.server, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")[0], 431)
        self.assertEqual(raw_request(self.server, get("/" + "x" * 10_000))[0], 414)
        for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, b"\r\n" * 3 + b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 1000):
            status, _ = raw_request(self.server, garbage)
            self.assertIn(status, (None, 400, 505))

    def test_all_findings_come_at_once_each_with_its_place(self):
        problem = self.assertApiError(422, "invalid_request", self.post, {
            "exprotType": "items", "exportType": "items", "format": "cvs", "columns": ["id", "nmae", "id", 7],
            "filters": {"id": {"gte": 5, "gte_": 6}, "naem": 1, "name": {"like": "x"}, "from": "2026-01-01"},
            "csv": {"delimiter": "\"", "header": "yes", "quote": "'"}, "compression": "brotli", "notify": {"emails": ["a@b.c"]}, "title": "a\nb"})
        found = {error["pointer"]: error["code"] for error in problem["errors"]}
        expected = {"/exprotType": "unknown_field", "/format": "unknown_format", "/columns/1": "unknown_column", "/columns/2": "duplicate_column",
                    "/columns/3": "wrong_type", "/filters/id/gte_": "unknown_field", "/filters/naem": "unknown_filter", "/filters/name/like": "unknown_field",
                    "/filters/from": "unknown_filter", "/csv/delimiter": "bad_value", "/csv/header": "wrong_type", "/csv/quote": "unknown_field",
                    "/compression": "bad_value", "/notify/emails": "not_available", "/title": "bad_value"}
        self.assertEqual({pointer: found.get(pointer) for pointer in expected}, expected)
        details = {error["pointer"]: error["detail"] for error in problem["errors"]}
        self.assertIn("exportType", details["/exprotType"])
        self.assertIn("name", details["/columns/1"])
        self.assertIn("csv", details["/format"])

    def test_wrong_types(self):
        good = {"exportType": "items", "format": "csv"}
        for pointer, body in {
                "/exportType": {"format": "csv"}, "/format": {"exportType": "items"}, "/exportType ": {**good, "exportType": 7},
                "/exportType  ": {**good, "exportType": "itmes"}, "/format ": {**good, "format": None}, "/columns": {**good, "columns": "id"},
                "/columns ": {**good, "columns": []}, "/columns/0": {**good, "columns": [None]}, "/filters": {**good, "filters": [1]},
                "/filters/id": {**good, "filters": {"id": "seven"}}, "/filters/id ": {**good, "filters": {"id": 1.5}},
                "/filters/id  ": {**good, "filters": {"id": 9223372036854775808}}, "/filters/id   ": {**good, "filters": {"id": True}},
                "/filters/id    ": {**good, "filters": {"id": []}}, "/filters/id/1": {**good, "filters": {"id": [1, "x"]}},
                "/filters/id     ": {**good, "filters": {"id": {"gte": 9, "lt": 5}}}, "/filters/id/gte": {**good, "filters": {"id": {"gte": {}}}},
                "/filters/id      ": {**good, "filters": {"id": {}}}, "/filters/name": {**good, "filters": {"name": 5}},
                "/csv": {**good, "csv": True}, "/csv ": {**good, "format": "jsonl", "csv": {}}, "/title": {**good, "title": 5},
                "/compression": {**good, "compression": 1}, "/consistency": {**good, "consistency": "snapshot"}, "/notify": {**good, "notify": []},
        }.items():
            with self.subTest(body=body):
                problem = self.assertApiError(422, "invalid_request", self.post, body)
                self.assertEqual([error["pointer"] for error in problem["errors"]], [pointer.strip()])
        problem = self.assertApiError(422, "invalid_request", self.post, b'{"exportType":"items","format":"csv","format":"jsonl"}')
        self.assertEqual([(e["pointer"], e["code"]) for e in problem["errors"]], [("/format", "duplicate_key")])

    def test_values_that_look_like_sql(self):
        for value in ("' OR '1'='1", "'; DROP TABLE items; --", "\\'; --", "%", "\u0000", "x" * 100_000, "\U0001F600"):
            with self.subTest(value[:30]):
                try:
                    export_id = json.loads(self.post({"exportType": "items", "format": "csv", "filters": {"name": value}})[2])["exportId"]
                except harness.ApiError as error:
                    self.assertEqual(error.status, 422)
                    continue
                self.assertEqual(self.server.wait_succeeded(export_id)["metrics"]["totalRowsProcessed"], 0)

    def test_headers(self):
        body = {"exportType": "items", "format": "csv", **SMALL}
        for key in ("", '"', '"open', "a b", "x" * 257, '""', "tab\tinside"):
            with self.subTest(key):
                self.assertApiError(400, "malformed_request", self.post, body, headers={"Idempotency-Key": key})
        for authorization in ("Basic YTpi", "Bearer", "Bearer ", "bearer wrong", "Bearer a b", harness.TOKEN):
            with self.subTest(authorization):
                self.assertApiError(401, "unauthenticated", self.post, body, token=None, headers={"Authorization": authorization})

    def test_queries(self):
        for query in ("status=DONE", "pageSize=0", "pageSize=201", "pageSize=ten", "pageSize=-1", "pageToken=x", "pageToken=%00", "stauts=QUEUED",
                      "status=QUEUED&status=FAILED", "pageToken=..%2f..", "exportType=%ff"):
            with self.subTest(query):
                with self.assertRaises(harness.ApiError) as raised:
                    self.server.call("GET", "/v1/exports?" + query)
                self.assertEqual(raised.exception.status, 400)
        self.assertApiError(405, "method_not_allowed", self.server.call, "PUT", "/v1/exports")
        self.assertApiError(404, "route_not_found", self.server.call, "GET", "/v2/exports")

    def test_paths_that_try_to_get_out(self):
        secret = (self.root / "server/data/link.key").read_bytes()
        ups = ("../" * 8, "..%2f" * 8, "%2e%2e/" * 8, "..\\" * 8, "....//" * 8, "..%c0%af" * 8, "..%252f" * 8, "./" * 8)
        targets = [prefix + up + file for prefix in ("/", "/v1/exports/", f"/v1/exports/{NOBODY}/", "/v1/files/", "/v1/files/acme/", "/v1/datasets/")
                   for up in ups for file in ("etc/passwd", "data/link.key", "link.key")]
        targets += ["//etc/passwd", "/v1/files//etc/passwd", "/v1/files/%2fetc%2fpasswd", "/v1/files/link.key", "/v1/files/../link.key", "/v1/exports/exp_",
                    "/v1/exports/exp_%00", "/v1/exports/exp_' OR 1=1", "/v1/exports/exp_'%20OR%201=1", "/v1/exports/exp_" + "a" * 5000, f"/v1/exports/{NOBODY.upper()}", f"/v1/exports/{NOBODY[4:]}",
                    f"/v1/exports/{NOBODY}%00", f"/v1/exports/{NOBODY}%2fmanifest", f"/v1/exports/{NOBODY}/", "/v1/exports/*", "/v1/exports/exp_%ff%fe",
                    "/v1/exports/exp_00000000-0000-0000-0000-00000000000g", "http://example.com/etc/passwd", "/v1/exports/;ls", "/%", "/%zz", "/%0d%0aX: y", "*", "x"]
        for target in targets:
            status, answer = raw_request(self.server, get(target))
            self.assertIn(status, (400, 403, 404, 405, 414, 505), target)
            self.assertNotIn(b"root:", answer, target)
            self.assertNotIn(secret.strip(), answer, target)
            self.assertIn(b"application/problem+json", answer, target)

    def test_a_tenant_whose_name_is_a_path(self):
        token = "test-token-of-a-strange-tenant"
        export_id = self.server.create(token=token)["exportId"]
        self.assertEqual(self.server.wait_succeeded(export_id, token)["metrics"]["totalRowsProcessed"], 0)
        self.assertTrue(self.server.download(export_id, token).startswith(b"id,"))
        place = [name for name in self.server.stored_files() if export_id.removeprefix("exp_") in name]
        self.assertTrue(all(name.startswith("objects/") and ".." not in name for name in place), place)

    # --- links

    def make_link(self, **fields):
        export_id = self.server.create(**SMALL, title="Übersicht \"x\"; 1")["exportId"]
        self.server.wait_succeeded(export_id)
        return self.server.link(export_id, **fields)

    def fetch(self, link, **options):
        return self.server.call("GET", link, token=None, **options)

    def test_tampered_links(self):
        link = self.make_link()
        other = urllib.parse.urlsplit(self.make_link())
        parts = urllib.parse.urlsplit(link)
        query = dict(urllib.parse.parse_qsl(parts.query))
        self.assertEqual(self.fetch(link)[0], 200)
        def with_query(**changes):
            changed = {name: value for name, value in {**query, **changes}.items() if value is not None}
            return parts._replace(query=urllib.parse.urlencode(changed)).geturl()
        self.assertEqual(self.fetch(with_query())[0], 200)
        bad = [with_query(expires=str(int(query["expires"]) + 1)), with_query(expires="9999999999"), with_query(expires="x"), with_query(expires=""),
               with_query(filename="other.csv"), with_query(type="text/html"), with_query(kid="other"), with_query(sig=""), with_query(sig=query["sig"][:-1]),
               with_query(sig=query["sig"] + "0"), with_query(sig=query["sig"].swapcase()), with_query(sig=query["sig"][::-1]),
               with_query(sig=dict(urllib.parse.parse_qsl(other.query))["sig"]), with_query(sig="0" * len(query["sig"])),
               parts._replace(path=other.path).geturl(), parts._replace(path=parts.path + ".manifest.json").geturl(),
               parts._replace(path=parts.path.replace("acme", "globex")).geturl(), parts._replace(path="/v1/files/x").geturl(),
               parts._replace(query="").geturl(), link + "&expires=9999999999", link + "&sig=" + query["sig"], link.replace("?", "?sig=0&")]
        bad += [with_query(**{name: None}) for name in query]
        for tampered in bad:
            with self.subTest(tampered):
                problem = self.assertApiError(403, "link_invalid", self.fetch, tampered)
                self.assertNotIn(query["sig"], problem["detail"])

    def test_expired_links(self):
        link = self.make_link(expiresInSeconds=1)
        def expired():
            try:
                self.fetch(link)
            except harness.ApiError as error:
                return error
            return None
        error = harness.wait_until(expired, "the link expires")
        self.assertEqual((error.status, error.problem["code"]), (410, "link_expired"))
        later = urllib.parse.urlsplit(link)
        query = dict(urllib.parse.parse_qsl(later.query))
        query["expires"] = str(int(query["expires"]) + 3600)
        self.assertApiError(403, "link_invalid", self.fetch, later._replace(query=urllib.parse.urlencode(query)).geturl())

    def test_link_lifetimes(self):
        export_id = self.server.create(**SMALL)["exportId"]
        self.server.wait_succeeded(export_id)
        for lifetime in (0, -1, 86401, 10**30, "300", 1.5, None, True, [300]):
            with self.subTest(lifetime):
                problem = self.assertApiError(422, "invalid_request", self.server.link, export_id, expiresInSeconds=lifetime)
                self.assertEqual(problem["errors"][0]["pointer"], "/expiresInSeconds")
        self.assertApiError(422, "invalid_request", self.server.link, export_id, expiresIn=300)
        self.assertApiError(400, "malformed_request", self.server.call, "POST", f"/v1/exports/{export_id}/download-url", b"{")

    def test_ranges(self):
        link = self.make_link()
        _, headers, whole = self.fetch(link)
        self.assertEqual(headers["Accept-Ranges"], "bytes")
        self.assertIn("filename*=UTF-8''%C3%9Cbersicht", headers["Content-Disposition"])
        for asked, expected in (("bytes=0-9", whole[:10]), ("bytes=-5", whole[-5:]), (f"bytes=7-{10**12}", whole[7:])):
            status, headers, part = self.fetch(link, headers={"Range": asked})
            self.assertEqual((status, part), (206, expected))
        self.assertApiError(416, "range_not_satisfiable", self.fetch, link, headers={"Range": f"bytes={len(whole)}-"})
        for ignored in ("bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=", "bytes=--1"):
            self.assertEqual(self.fetch(link, headers={"Range": ignored})[2], whole)


class StartTest(unittest.TestCase):
    """A server that cannot start says why and where."""

    def setUp(self):
        self.root = self.enterContext(harness.temporary_directory())
        harness.make_items(self.root / "items.db", 10)
        self.catalog = harness.items_catalog(harness.sqlite_source(self.root / "items.db"))

    def start(self, catalog=None, configuration=None, arguments=(), path=None, **environment):
        """(exit status, what it said)"""
        server = harness.Server(self.root / "server", catalog if catalog is not None else self.catalog)
        if configuration is not None:
            (server.directory / "longshore.yaml").write_text(configuration)
        done = subprocess.run([str(harness.BINARY), "serve", "--config", str(path or server.directory / "longshore.yaml"), *arguments],
                              capture_output=True, text=True, timeout=harness.PATIENCE, env={**os.environ, **environment}, cwd=server.directory)
        return done.returncode, done.stdout + done.stderr

    def assertRefused(self, started, *expected, status=2):
        self.assertEqual(started[0], status, started[1])
        for text in expected:
            self.assertIn(text, started[1])

    def test_broken_catalogs(self):
        lines = self.catalog.splitlines()
        def at(text):
            number = next(i for i, line in enumerate(lines) if text in line)
            return number + 1, lines[number].index(text) + 1
        def place(text):
            return "catalog.yaml:{}:{}:".format(*at(text))
        self.assertRefused(self.start(self.catalog.replace("tenant_column", "tenant_colum")), place("tenant_column"), "tenant_colum", "did you mean")
        self.assertRefused(self.start(self.catalog.replace("int64", "int46")), "int46", ":{}:".format(at("int64")[0]))
        self.assertRefused(self.start(self.catalog.replace("source: app", "source: ap")), "ap", ":{}:".format(at("source: app")[0]))
        self.assertRefused(self.start(self.catalog.replace("key: [id]", "key: [idd]")), "idd", ":{}:".format(at("key: [id]")[0]))
        # All at once.
        both = self.catalog.replace("int64", "int46").replace("filters: [id, name]", "filters: [id, nmae]")
        self.assertRefused(self.start(both), "int46", "nmae", ":{}:".format(at("filters:")[0]))
        for broken in ("", "sources: {", "\tx: y", "sources: []\ndatasets: {}\n", "- a\n- b\n", "{}", "&a {sources: *a}", "\x00", "sources: !!python/object x"):
            with self.subTest(broken):
                self.assertRefused(self.start(broken), "catalog.yaml:")
        (self.root / "server/catalog.yaml").unlink()
        self.assertRefused(self.start(configuration=json.dumps({"catalog": {"path": str(self.root / "nowhere.yaml")}})), "nowhere.yaml", status=4)

    def test_broken_configurations(self):
        good = {"server": {"listen": "127.0.0.1:0"}, "data_dir": str(self.root / "data"), "catalog": {"path": "catalog.yaml"},
                "auth": {"roles": {"admin": ["*"]}, "tokens": [{"token": "a-secret-token-nobody-may-see", "tenant": "acme", "user": "ann", "roles": ["admin"]}]}}
        def text(section, key, value):
            return json.dumps({**good, section: {**good.get(section, {}), key: value}}, indent=1)
        for section, key, value, expected in (
                ("server", "listne", "127.0.0.1:0", "listen"), ("server", "listen", "nowhere", "address:port"), ("server", "listen", "127.0.0.1:99999", "address:port"),
                ("server", "threads", 0, "threads"), ("server", "threads", "many", "threads"), ("worker", "lease", "5 parsecs", "lease"), ("worker", "lease", "100ms", "heartbeat"),
                ("worker", "part_size", "1KiB", "part_size"), ("worker", "slots", -1, "slots"), ("log", "level", "loud", "level"), ("storage", "link_key", "short", "32 bytes"),
                ("auth", "tokens", [{"token": "a-secret-token-nobody-may-see", "tenant": "acme"}], "user"), ("auth", "tokens", {"a": "b"}, "list"),
                ("auth", "tokens", [{**good["auth"]["tokens"][0], "roles": ["nobody"]}], "nobody"), ("wroker", "slots", 1, "worker")):
            with self.subTest(section=section, key=key, value=value):
                started = self.start(configuration=text(section, key, value))
                self.assertRefused(started, expected)
                self.assertRegex(started[1], r"longshore\.yaml:\d+:\d+:")
                self.assertNotIn("a-secret-token", started[1])
        self.assertRefused(self.start(configuration=json.dumps(good), LONGSHORE_WORKER_SLOTS="two"), "LONGSHORE_WORKER_SLOTS")
        self.assertRefused(self.start(configuration="server: {listen: [}"), "longshore.yaml:1:")
        self.assertRefused(self.start(path=self.root / "none.yaml"), "none.yaml", status=4)
        self.assertRefused(self.start(arguments=("--nonsense",)), "--nonsense")

    def test_places_that_cannot_be_used(self):
        with socket.create_server(("127.0.0.1", 0)) as busy:
            address = "127.0.0.1:{}".format(busy.getsockname()[1])
            status, said = self.start(arguments=("--listen", address))
            self.assertNotEqual(status, 0)
            self.assertIn(address, said)
            self.assertIn("in use", said)
        (self.root / "file").write_text("not a directory")
        status, said = self.start(arguments=("--data-dir", str(self.root / "file/data")))
        self.assertNotEqual(status, 0)
        self.assertIn(str(self.root / "file/data"), said)


class DatabaseTest(ApiTestCase):
    ROWS = 60_000

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(harness.temporary_directory())

    def setUp(self):
        self.database = self.enterContext(harness.Postgres())
        self.database.sql(
            "CREATE TABLE items (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text, note text)",
            f"INSERT INTO items SELECT g, 'acme', 'item ' || g, repeat(md5(g::text), 10) FROM generate_series(1, {self.ROWS}) g",
            "CREATE UNIQUE INDEX items_tenant ON items (tenant_id, id)", "ANALYZE")

    def start_server(self, rows_at_once=1, **worker):
        """A server that reads row by row, so that an export takes as long as a test needs to break something."""
        catalog = harness.items_catalog(self.database.source(batch_rows=rows_at_once))
        settings = {"worker": {"partition_rows": 35_000, "partition_bytes": "1MiB", **worker}}
        return self.enterContext(harness.Server(self.root / self.id().rsplit(".", 1)[1], catalog, settings)).start()

    def wait_failed(self, server, export_id, code):
        status = server.wait_finished(export_id)
        self.assertEqual((status["status"], status["error"] and status["error"]["code"]), ("FAILED", code), status)
        self.assertLess(status["progressPercent"], 100)
        self.assertIsNone(status["expiresAt"])
        self.assertApiError(409, "export_not_ready", server.link, export_id)
        server.expect_only()
        return status["error"]["message"]

    def test_a_database_that_comes_back(self):
        server = self.start_server(rows_at_once=4)
        undisturbed = server.create()["exportId"]
        server.wait_succeeded(undisturbed)
        export_id = server.create()["exportId"]
        server.wait_running(export_id)
        self.database.halt()
        error = harness.wait_until(lambda: server.status(export_id)["error"], "the work is given up for the moment")
        self.assertEqual((server.status(export_id)["status"], error["code"]), ("RUNNING", "source_unavailable"))
        with self.assertRaises(harness.ApiError) as raised:
            harness.wait_until(lambda: server.call("GET", "/readyz")[0] != 200, "the server says that it is not ready")
        self.assertEqual(raised.exception.status, 503)
        self.database.resume()
        status = server.wait_succeeded(export_id)
        self.assertIsNone(status["error"])
        self.assertEqual(server.digest(export_id), server.digest(undisturbed))
        server.expect_only(undisturbed, export_id)

    def test_connections_that_are_cut(self):
        """A failover of the database: every connection is gone at once, and may be made anew."""
        server = self.start_server()
        export_id = server.create()["exportId"]
        for rows in (1, self.ROWS // 10, self.ROWS // 5):
            server.wait_running(export_id, rows)
            self.database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'longshore/%'")
        server.wait_succeeded(export_id)
        undisturbed = server.create()["exportId"]
        server.wait_succeeded(undisturbed)
        self.assertEqual(server.digest(export_id), server.digest(undisturbed))
        self.assertFalse(server.log_events("work failed"), "the reader should have gone on by itself")

    def test_a_database_that_stays_away(self):
        server = self.start_server(max_attempts=2)
        export_id = server.create()["exportId"]
        server.wait_running(export_id)
        self.database.halt()
        message = self.wait_failed(server, export_id, "source_unavailable")
        self.assertIn("app", message)
        self.assertRegex(message, "refused|lost|closed|terminating")
        self.assertGreaterEqual(len(server.log_events("work failed", code="source_unavailable")), 2, "it was not tried again")
        # An export that finds it away from the beginning.
        export_id = server.create()["exportId"]
        self.wait_failed(server, export_id, "source_unavailable")

    def test_a_column_that_is_dropped(self):
        server = self.start_server()
        export_id = server.create()["exportId"]
        server.wait_running(export_id)
        self.database.sql("ALTER TABLE items DROP COLUMN note")
        message = self.wait_failed(server, export_id, "source_schema_changed")
        self.assertIn("note", message)
        failed = [event["partition"] for event in server.log_events("work failed")]
        self.assertEqual(len(failed), len(set(failed)), "trying again cannot mend it")
        # What does not need the column goes on.
        export_id = server.create(columns=["id", "name"], **SMALL)["exportId"]
        server.wait_succeeded(export_id)
        export_id = server.create(**SMALL)["exportId"]
        self.assertIn("note", server.wait_finished(export_id)["error"]["message"])

    def test_a_table_that_is_renamed(self):
        server = self.start_server()
        export_id = server.create()["exportId"]
        server.wait_running(export_id)
        self.database.sql("ALTER TABLE items RENAME TO things")
        self.assertIn("items", self.wait_failed(server, export_id, "source_schema_changed"))

    def test_a_column_that_changes_its_type(self):
        server = self.start_server()
        export_id = server.create()["exportId"]
        server.wait_running(export_id)
        self.database.sql("ALTER TABLE items ALTER COLUMN id TYPE text")
        message = self.wait_failed(server, export_id, "source_schema_changed")
        self.assertIn("id", message)

    def test_a_right_that_is_revoked(self):
        self.database.sql("CREATE ROLE reader LOGIN", "GRANT SELECT ON items TO reader")
        self.database.dsn = self.database.dsn.replace("user=postgres", "user=reader")
        server = self.start_server()
        self.database.dsn = self.database.dsn.replace("user=reader", "user=postgres")
        export_id = server.create()["exportId"]
        server.wait_running(export_id)
        self.database.sql("REVOKE SELECT ON items FROM reader")
        self.assertIn("items", self.wait_failed(server, export_id, "source_denied"))


class StoreTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(harness.temporary_directory())
        harness.make_items(cls.root / "items.db", 150_000, wide=300)
        cls.catalog = harness.items_catalog(harness.sqlite_source(cls.root / "items.db"))

    def start_server(self, megabytes, **worker):
        """A server whose store lies on a disk of that size, which only this server sees."""
        name = self.id().rsplit(".", 1)[1]
        store = self.root / name / "small-disk"
        store.mkdir(parents=True)
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
        mount = f"mount -t tmpfs -o size={megabytes}m none '{store}'"
        if subprocess.run([*unshare, "sh", "-c", mount], capture_output=True).returncode != 0:
            self.skipTest("needs the right to mount a small disk")
        settings = {"worker": {"partition_rows": 55_000, "partition_bytes": "16MiB", **worker}, "storage": {"path": str(store)}}
        wrapper = [*unshare, "sh", "-c", f'{mount} && exec "$@"', "sh"]
        server = self.enterContext(harness.Server(self.root / name, self.catalog, settings, wrapper=wrapper)).start()
        # The disk as the server sees it.
        self.store = pathlib.Path(f"/proc/{server.process.pid}/root{store}")
        return server

    def left(self):
        return sorted(map(str, harness.stored_in(self.store)))

    def test_a_disk_that_is_too_small(self):
        server = self.start_server(24, max_attempts=2)
        export_id = server.create()["exportId"]
        status = server.wait_finished(export_id)
        self.assertEqual((status["status"], status["error"]["code"]), ("FAILED", "store_full"), status)
        self.assertIn("No space left on device", status["error"]["message"])
        self.assertIn("MiB", status["error"]["message"])
        self.assertGreaterEqual(len(server.log_events("work failed", code="store_full")), 2, "it was not tried again")
        # What the failed export held is free again, and what fits goes through.
        server.wait_clean(export_id)
        harness.wait_until(lambda: not self.left(), "the failed export leaves nothing")
        small = server.create(filters={"id": {"lte": 40_000}})["exportId"]
        server.wait_succeeded(small)
        server.verify(small, self.root)

    def test_a_disk_that_gets_room_in_time(self):
        server = self.start_server(160, max_attempts=10)
        undisturbed = server.create()["exportId"]
        server.wait_succeeded(undisturbed)
        digest = server.digest(undisturbed)
        server.call("DELETE", f"/v1/exports/{undisturbed}")
        harness.wait_until(lambda: not self.left(), "the first export is gone")
        filler = self.store / "filler"
        with open(filler, "wb") as file:
            free = shutil.disk_usage(self.store).free
            file.write(bytes(free - (20 << 20)))
        export_id = server.create()["exportId"]
        error = harness.wait_until(lambda: server.status(export_id)["error"], "the disk is full")
        self.assertEqual((server.status(export_id)["status"], error["code"]), ("RUNNING", "store_full"))
        filler.unlink()
        server.wait_succeeded(export_id)
        self.assertEqual(server.digest(export_id), digest)
        server.wait_clean(export_id)
        self.assertEqual(len(self.left()), 2)

    def test_a_file_that_is_gone(self):
        """Somebody removed the artefact behind the server's back."""
        with harness.Server(self.root / "gone", self.catalog) as server:
            server.start()
            export_id = server.create(filters={"id": {"lte": 200}})["exportId"]
            server.wait_succeeded(export_id)
            server.expect_only(export_id)
            link = server.link(export_id)
            for name in server.stored_files():
                (server.data / "objects" / name).unlink()
            with self.assertRaises(harness.ApiError) as raised:
                server.call("GET", link, token=None)
            self.assertEqual((raised.exception.status, raised.exception.problem["code"]), (404, "file_not_found"))
            self.assertEqual(server.status(export_id)["status"], "SUCCEEDED")


class SqliteSourceTest(unittest.TestCase):
    def test_a_file_that_is_no_database(self):
        with harness.temporary_directory() as root:
            (root / "text.db").write_text("this is not a database, but long enough to be looked at" * 100)
            for path, code in ((root / "nowhere.db", "source_unavailable"), (root / "text.db", None), (root, None)):
                catalog = harness.items_catalog(harness.sqlite_source(path))
                with self.subTest(path), harness.Server(root / uuid.uuid4().hex, catalog, {"worker": {"max_attempts": 2}}) as server:
                    server.start()
                    status = server.wait_finished(server.create()["exportId"])
                    self.assertEqual(status["status"], "FAILED")
                    self.assertIn(str(path), status["error"]["message"])
                    self.assertFalse(pathlib.Path(root / "nowhere.db").exists(), "a source was created")
                    if code:
                        self.assertEqual(status["error"]["code"], code)


if __name__ == "__main__":
    unittest.main()
