"""Exports that read a replicated database: they leave a standby that lags or dies, wait when there is no other, go on after
conflicts with recovery, leave the primary alone, and guard each session.

What Longshore did is seen on the database servers: in pg_stat_activity and in their logs, where every statement stands with
its time and the name of its session.
"""

import contextlib
import csv
import datetime
import io
import json
import re
import subprocess
import time
import unittest

import harness

ROWS = 24_000
MAX_LAG = 1.0
NOTICED = 2.0  # seconds from the limit to the last statement
BATCH = 200

SCHEMA = (
    "CREATE TABLE items (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text, amount numeric(12,2), at timestamptz, note text)",
    f"INSERT INTO items SELECT 10 * g, 'acme', 'item ' || g, g * 1.25, timestamptz '2026-01-01' + g * interval '1.5 s', repeat(md5(g::text), 3) "
    f"FROM generate_series(1, {ROWS}) g",
    *harness.SLOW,
    "CREATE VIEW slow_items AS SELECT id, tenant_id, name, amount, at, slow(id, note) AS note FROM items",
    "CREATE TABLE noise (n bigint, at timestamptz)",
    "INSERT INTO noise SELECT g, now() FROM generate_series(1, 2000) g",
    "CREATE TABLE writing ()",
    "CREATE PROCEDURE write() LANGUAGE plpgsql AS $$ BEGIN WHILE EXISTS (SELECT FROM writing) LOOP "
    "UPDATE noise SET at = clock_timestamp() WHERE n = 1; COMMIT; PERFORM pg_sleep(0.02); COMMIT; END LOOP; END $$",
    # What is exported from here is what the reader's own session is set to.
    "CREATE VIEW guards AS SELECT row_number() OVER (ORDER BY name) AS id, 'acme' AS tenant_id, name, setting FROM pg_settings",
    "ANALYZE items",
)

DATASET = """
  {name}:
    source: {source}
    relation: public.{relation}
    tenant_column: tenant_id
    key: [id]
    permission: exports.items
    columns:
      id: {{ type: int64 }}
      name: {{ type: text }}"""
ITEMS = DATASET + """
      amount: {{ type: "numeric(12,2)" }}
      at: {{ type: timestamptz }}
      note: {{ type: text }}
    filters: [id]"""
GUARDS = DATASET + """
      setting: {{ type: text }}"""


def values(text):
    """The rows of a CSV file, each value as what it means."""
    def row(id, name, amount, at, note):
        return int(id), name, amount, datetime.datetime.fromisoformat(at), note
    return [row(*line) for line in list(csv.reader(io.StringIO(text)))[1:]]


class Writing:
    """A session that commits all the time, as a product does."""

    def __init__(self, database):
        self.database = database

    def __enter__(self):
        self.database.sql("INSERT INTO writing DEFAULT VALUES")
        self.session = subprocess.Popen(["psql", "-X", "-q", "-d", self.database.dsn, "-c", "CALL write()"])

    def __exit__(self, *unused):
        self.database.sql("TRUNCATE writing")
        self.session.wait()


class PoliteTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(harness.temporary_directory())
        cls.servers = harness.PostgresCluster(settings={"log_statement": "all", "log_line_prefix": "%m|%a|"})
        cls.addClassCleanup(cls.servers.close)
        cls.servers.primary.sql(*SCHEMA)
        cls.servers.wait_caught_up()
        path = cls.root / "expected.csv"
        cls.servers.primary.copy_to(path, "SELECT id, name, amount, at, note FROM items ORDER BY id", "FORMAT csv, HEADER")
        cls.expected = values(path.read_text())
        # Exports take about ten seconds: of one server with two slots, and of two.
        slowly, slowest = [{"pacing": {"duty": 1, "least_duty": 1, "pause": pause}, "batch_rows": BATCH, "max_lag": f"{MAX_LAG:.0f}s"}
                           for pause in ("100ms", "300ms")]
        cls.catalog = f"""
sources:
  one: {cls.servers.source("standby1", **slowest)}
  two: {cls.servers.source("standby1", "standby2", **slowly)}
  watched: {cls.servers.source(primary=True, primary_max_rows="unlimited", **slowest)}
  unpaced: {cls.servers.source("standby1", pacing="off", batch_rows=BATCH)}
  primary: {cls.servers.source(primary=True, statement_timeout="7s")}
datasets:""" + "".join([
            ITEMS.format(name="one", source="one", relation="items"),
            ITEMS.format(name="two", source="two", relation="items"),
            ITEMS.format(name="watched", source="watched", relation="items"),
            ITEMS.format(name="slow", source="unpaced", relation="slow_items"),
            ITEMS.format(name="primary", source="primary", relation="items"),
            GUARDS.format(name="guards", source="primary", relation="guards")]) + "\n"

    @classmethod
    def tearDownClass(cls):
        """Whatever the tests were about: how Longshore reads."""
        statements = [statement for name in cls.servers.servers for statement in cls.statements(name)]
        assert statements, "the logs say nothing"
        paged = [statement for statement in statements if re.search(r"\boffset\b", statement[2], re.IGNORECASE)]
        assert not paged, paged
        unread = [statement for statement in statements if re.match(r"(INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|LOCK)\b", statement[2])]
        assert not unread, unread

    def setUp(self):
        self.data = self.root / self.id().rsplit(".", 1)[1]
        self.writing = self.enterContext(contextlib.ExitStack())
        self.writing.enter_context(Writing(self.servers.primary))

    def start(self, name="a"):
        server = harness.Server(self.data / name, self.catalog, {"worker": {"slots": 2, "partition_rows": 6_500, "partition_bytes": "256KiB"}}, data=self.data / "data")
        return self.enterContext(server).start()

    # --- what the database servers saw

    @classmethod
    def statements(cls, server):
        """(time, session's name, statement) of everything that Longshore sent, as the server logged it."""
        found = []
        for line in cls.servers.log(server).replace("\n\t", " ").splitlines():
            match = re.match(r"(\S+ \S+) (\S+)\|(longshore[^|]*)\|LOG: +(?:statement|execute [^:]*): (.*)", line)
            if match:
                at = datetime.datetime.fromisoformat(match[1]).replace(tzinfo=datetime.timezone.utc)
                found.append((at.timestamp(), match[3], match[4]))
        return found

    def reads(self, server, after, before=float("inf")):
        """The statements that read rows of exports in this time."""
        return [(at, name, text) for at, name, text in self.statements(server)
                if after < at < before and name.startswith("longshore/exp_") and text.startswith("COPY")]

    def readers(self, server):
        return int(self.servers.servers[server].sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'longshore/exp_%'"))

    def wait_serving(self):
        """The one standby that is read."""
        return harness.wait_until(lambda: next((name for name in ("standby1", "standby2") if self.readers(name)), None), "a standby is read")

    def create(self, server, dataset, **fields):
        return server.create(dataset, csv={"profile": "machine", "bom": False}, **fields)["exportId"]

    def expect_rows(self, server, export_id):
        server.wait_succeeded(export_id)
        self.assertEqual(values(server.download(export_id).decode()), self.expected)
        server.verify(export_id, self.root)

    # --- lag

    def test_everybody_waits_for_a_standby_that_lags(self):
        self.everybody_waits("one", read="standby1")

    def test_everybody_waits_for_the_standbys_of_a_primary(self):
        self.everybody_waits("watched", read="primary")

    def everybody_waits(self, dataset, read):
        servers = [self.start("a"), self.start("b")]
        export_id = self.create(servers[0], dataset)
        harness.wait_until(lambda: len({p["worker"] for p in servers[0].partitions(export_id)}) == 2, "both servers read")
        servers[0].wait_running(export_id, 4 * BATCH)
        self.servers.pause_replay("standby1")
        self.addCleanup(self.servers.resume_replay, "standby1")
        lagging = time.time()

        def paused():
            status = servers[1].status(export_id)
            self.assertEqual(status["status"], "RUNNING")
            return status["sourcePressure"]["state"] == "paused" and status["sourcePressure"]

        pressure = harness.wait_until(paused, "the export says that it is paused")
        self.assertRegex(pressure["reason"], r"behind .*limit 1 s")
        # On a busy machine one of them may have come to the end of its partitions before.
        reading = {p["worker"] for p in servers[0].partitions(export_id) if p["state"] == "RUNNING"}
        self.assertTrue(reading)

        def waiting():
            return [server for server in servers if server.metric("longshore_source_paused", source=dataset) >= 1]

        harness.wait_until(lambda: len(waiting()) == len(reading), "the metrics say so")
        for server in waiting():
            self.assertGreater(server.metric("longshore_source_lag_seconds", source=dataset), MAX_LAG)
        quiet = max(time.time(), lagging + MAX_LAG + NOTICED)
        harness.wait_until(lambda: time.time() > quiet + 1.5, "nothing happens for a while")
        self.assertEqual(self.reads(read, lagging + MAX_LAG + NOTICED), [], "statements were begun while the standby lagged")
        rows = servers[0].status(export_id)["metrics"]["totalRowsProcessed"]
        self.assertLess(rows, ROWS)
        self.servers.resume_replay("standby1")
        harness.wait_until(lambda: servers[0].status(export_id)["sourcePressure"]["state"] != "paused", "it goes on")
        self.expect_rows(servers[0], export_id)
        self.assertEqual(servers[0].status(export_id)["sourcePressure"]["state"], "none")

    def test_planning_waits_for_a_standby_that_lags(self):
        server = self.start()
        self.servers.pause_replay("standby1")
        self.addCleanup(self.servers.resume_replay, "standby1")
        behind = "SELECT extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())"
        harness.wait_until(lambda: float(self.servers.servers["standby1"].sql(behind)) > 3 * MAX_LAG, "the standby lags")
        export_id = self.create(server, "one")
        harness.wait_until(lambda: server.status(export_id)["sourcePressure"]["state"] == "paused", "the export says that it is paused")
        self.assertEqual(server.partitions(export_id), [], "it is not planned yet")
        self.servers.resume_replay("standby1")
        harness.wait_until(lambda: server.partitions(export_id), "it is planned")

    def test_readers_move_from_a_standby_that_lags(self):
        server = self.start()
        export_id = self.create(server, "two")
        server.wait_running(export_id, 2 * BATCH)
        lagging = self.wait_serving()
        other = {"standby1": "standby2", "standby2": "standby1"}[lagging]
        self.servers.pause_replay(lagging)
        self.addCleanup(self.servers.resume_replay, lagging)
        since = time.time()
        harness.wait_until(lambda: len(self.reads(other, since)) > 5, "the other standby is read")
        self.assertLess(time.time() - since, MAX_LAG + NOTICED + 3)
        self.assertEqual(server.log_events("paused"), [])
        self.expect_rows(server, export_id)
        self.assertEqual(self.reads(lagging, since + MAX_LAG + NOTICED), [], "the standby was read on while it lagged")

    # --- failure

    def test_a_standby_dies(self):
        server = self.start()
        export_id = self.create(server, "two")
        server.wait_running(export_id, 4 * BATCH)
        victim = self.wait_serving()
        other = {"standby1": "standby2", "standby2": "standby1"}[victim]
        self.servers.halt(victim)
        self.addCleanup(self.servers.resume, victim)
        since = time.time()
        harness.wait_until(lambda: self.reads(other, since), "the other standby is read")
        self.expect_rows(server, export_id)
        self.assertTrue(all(p["attempts"] == 1 for p in server.partitions(export_id)), "partitions began anew")

    def test_conflicts_with_recovery(self):
        self.servers.change("standby1", max_standby_streaming_delay="0")
        self.addCleanup(self.servers.change, "standby1", max_standby_streaming_delay=None)
        # Only what is done here is to disturb: where rows are written all the time, statements of this length never end.
        self.writing.close()
        # A statement takes 0.6 s, and the export half a minute at least: it must not end before all has happened.
        harness.set_pause(self.servers.primary, 0.3)
        self.addCleanup(harness.set_pause, self.servers.primary, 0)
        self.servers.wait_caught_up()
        server = self.start()

        def conflicts(kind):
            return int(self.servers.servers["standby1"].sql(f"SELECT sum({kind}) FROM pg_stat_database_conflicts"))

        def is_read():
            return self.servers.servers["standby1"].sql(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'longshore/exp_%' AND state = 'active' AND query LIKE 'COPY%'") != "0"

        export_id = self.create(server, "slow")
        for kind, disturb in (("confl_snapshot", ("UPDATE noise SET at = now() WHERE n > 1", "VACUUM noise")),
                              ("confl_lock", ("BEGIN; SELECT pg_current_xact_id(); LOCK TABLE items IN ACCESS EXCLUSIVE MODE; COMMIT",))) * 2:
            before = conflicts(kind)
            def disturbed():
                # Statements are short: the first attempts may fall between them.
                harness.wait_until(is_read, "the standby is read")
                self.servers.primary.sql(*disturb)
                self.servers.wait_caught_up()
                return conflicts(kind) > before
            harness.wait_until(disturbed, f"{kind} happens")
        harness.set_pause(self.servers.primary, 0)
        self.expect_rows(server, export_id)

    # --- the primary

    def test_the_primary_serves_small_exports_only(self):
        server = self.start()
        status = server.wait_finished(self.create(server, "primary"))
        self.assertEqual((status["status"], status["error"]["code"]), ("FAILED", "primary_refused"), status)
        self.assertRegex(status["error"]["message"], r"10,?000")
        few = 10 * 5_000
        export_id = self.create(server, "primary", filters={"id": {"lte": few}})
        server.wait_succeeded(export_id)
        self.assertEqual(values(server.download(export_id).decode()), [row for row in self.expected if row[0] <= few])

    def test_sessions_are_guarded(self):
        server = self.start()
        export_id = self.create(server, "guards")
        server.wait_succeeded(export_id)
        lines = list(csv.reader(io.StringIO(server.download(export_id).decode())))[1:]
        settings = {name: setting for _, name, setting in lines}
        self.assertEqual(settings["default_transaction_read_only"], "on")
        self.assertEqual(settings["statement_timeout"], "7000")
        self.assertGreater(int(settings["lock_timeout"]), 0)
        self.assertLessEqual(int(settings["lock_timeout"]), 10_000)
        self.assertGreater(int(settings["idle_in_transaction_session_timeout"]), 0)
        self.assertTrue(settings["search_path"].startswith("pg_catalog"))
        self.assertIn(export_id, settings["application_name"])
        self.assertLessEqual(int(settings["work_mem"]), 64 * 1024)


if __name__ == "__main__":
    unittest.main()
