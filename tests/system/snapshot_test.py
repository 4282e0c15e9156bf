"""Exports at one point in time, while the table is written to.

What an export of a snapshot must contain is asked of PostgreSQL itself: a session of the test imports the same snapshot
while the export holds it.
"""

import contextlib
import csv
import io
import json
import subprocess
import unittest
import uuid

import harness

ROWS = 40_000  # in four partitions
LEASE = 3.0

SCHEMA = (
    "CREATE TABLE items (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text, version int, note text)",
    f"INSERT INTO items SELECT 10 * g, 'acme', 'item ' || g, 0, repeat(md5(g::text), 6) FROM generate_series(1, {ROWS}) g",
    *harness.SLOW,
    "CREATE VIEW slow_items AS SELECT id, tenant_id, name, version, slow(id, note) AS note FROM items",
    # What was done to the table since the test began.
    "CREATE TABLE journal (step bigserial, writer int, id bigint, version int, note text)",
    "CREATE TABLE writing ()",
    # Each transaction updates one row, inserts one between others, and deletes one; writers have rows of their own.
    f"""CREATE PROCEDURE write(writer int, writers int) LANGUAGE plpgsql AS $$
DECLARE
  target bigint;
  fresh bigint;
  said text;
BEGIN
  WHILE EXISTS (SELECT FROM writing) LOOP
    target := 10 * (writer + writers * (1 + floor(random() * ({ROWS} / writers - 2))::bigint));
    said := md5(random()::text);
    WITH changed AS (UPDATE items SET version = version + 1, note = said WHERE id = target RETURNING id, version, note)
    INSERT INTO journal (writer, id, version, note) SELECT writer, id, version, note FROM changed;
    fresh := target + 1 + floor(random() * 9)::bigint;
    WITH added AS (INSERT INTO items VALUES (fresh, 'acme', 'new', 0, said) ON CONFLICT DO NOTHING RETURNING id, version, note)
    INSERT INTO journal (writer, id, version, note) SELECT writer, id, version, note FROM added;
    target := 10 * (writer + writers * (1 + floor(random() * ({ROWS} / writers - 2))::bigint));
    WITH gone AS (DELETE FROM items WHERE id = target RETURNING id)
    INSERT INTO journal (writer, id) SELECT writer, id FROM gone;
    COMMIT;
    PERFORM pg_sleep(0.001);
    COMMIT;
  END LOOP;
END $$""",
    "ANALYZE items",
)

DATASET = """
  {name}:
    source: {source}
    relation: public.slow_items
    tenant_column: tenant_id
    key: [id]
    permission: exports.items
    consistency: [best_effort, snapshot]
    on_snapshot_loss: {loss}
    columns:
      id: {{ type: int64 }}
      name: {{ type: text }}
      version: {{ type: int32 }}
      note: {{ type: text }}
    filters: [id]
"""
COLUMNS = "id, name, version, note"


def rows_of(file):
    """A CSV file without its header: id → the other values, and the ids in their order."""
    lines = list(csv.reader(io.StringIO(file.decode())))[1:]
    return {int(line[0]): tuple(line[1:]) for line in lines}, [int(line[0]) for line in lines]


class Writers:
    """Sessions that insert, update and delete all the time."""

    def __init__(self, database, count):
        self.database = database
        database.sql("TRUNCATE journal RESTART IDENTITY", "DELETE FROM items WHERE id % 10 <> 0",
                     f"INSERT INTO items SELECT 10 * g, 'acme', 'item ' || g, 0, repeat(md5(g::text), 6) FROM generate_series(1, {ROWS}) g "
                     "ON CONFLICT (id) DO UPDATE SET version = 0, note = excluded.note WHERE items.version <> 0",
                     "INSERT INTO writing DEFAULT VALUES", "VACUUM ANALYZE items")
        self.before = rows_of(table(database))[0]
        self.sessions = [subprocess.Popen(["psql", "-X", "-q", "-d", database.dsn, "-c", f"CALL write({number}, {count})"])
                         for number in range(count)]
        self.wait_written(50)

    def written(self):
        return int(self.database.sql("SELECT last_value FROM journal_step_seq"))

    def wait_written(self, more):
        target = self.written() + more
        harness.wait_until(lambda: self.written() >= target, "the writers write")

    def stop(self):
        """Returns the journal: (id, None for a deleted row or its values)."""
        self.database.sql("TRUNCATE writing")
        for session in self.sessions:
            assert session.wait() == 0
        self.sessions = []
        lines = self.database.sql("SELECT id, version, note FROM journal ORDER BY step").splitlines()
        journal = []
        for id, version, note in (line.split("|") for line in lines):
            name = "new" if int(id) % 10 else f"item {int(id) // 10}"
            journal.append((int(id), (name, version, note) if version else None))
        return journal

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for session in self.sessions:
            session.kill()
            session.wait()
        self.database.sql("TRUNCATE writing")


def table(database, *before):
    with harness.temporary_directory() as directory:
        database.copy_to(directory / "table.csv", f"SELECT {COLUMNS} FROM items ORDER BY id", "FORMAT csv, HEADER", *before)
        return (directory / "table.csv").read_bytes()


class SnapshotCase(unittest.TestCase):
    """A primary, a standby, and nodes that read them."""

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(harness.temporary_directory())
        cls.source = harness.PostgresCluster(standbys=1)
        cls.addClassCleanup(cls.source.close)
        # So that the primary keeps what the standby's snapshots see, but in one test.
        cls.source.change("standby1", hot_standby_feedback="on")
        cls.metadata = cls.enterClassContext(harness.Postgres())
        cls.source.primary.sql(*SCHEMA)
        cls.source.wait_caught_up()
        unpaced = {"max_connections": 8, "batch_rows": 1000, "pacing": "off"}
        cls.catalog = f"""
sources:
  primary: {cls.source.source(primary=True, primary_max_rows="unlimited", **unpaced)}
  standby: {cls.source.source("standby1", max_lag="60s", **unpaced)}
datasets:{DATASET.format(name="items", source="primary", loss="restart")}""" + \
            f"""{DATASET.format(name="strict_items", source="primary", loss="fail")}""" + \
            f"""{DATASET.format(name="standby_items", source="standby", loss="restart")}"""

    def setUp(self):
        self.schema = "t" + uuid.uuid4().hex[:12]
        self.nodes = []
        self.api = self.node("api")
        self.set_pause(0.05)

    def tearDown(self):
        self.set_pause(0)

    def node(self, role):
        settings = {
            "role": role,
            "metadata": {"driver": "postgres", "url": self.metadata.dsn, "schema": self.schema},
            "worker": {"slots": 2, "partition_rows": 10_500, "partition_bytes": "256KiB", "lease": f"{LEASE:.0f}s", "heartbeat": "300ms"},
        }
        node = harness.Server(self.root / self.schema / f"{role}-{len(self.nodes)}", self.catalog, settings,
                              data=self.root / self.schema / "data")
        self.nodes.append(self.enterContext(node))
        return node.start()

    def set_pause(self, seconds):
        """For each hundred rows that an export reads; a test can let an export go that began slowly."""
        harness.set_pause(self.source.primary, seconds)
        self.source.wait_caught_up()

    # --- what an export reads, and what it left

    def snapshot(self, export_id):
        """What the metadata store knows of an export's snapshot; None before there is one."""
        said = self.metadata.sql(f"SELECT to_jsonb(j)->>'snapshot' FROM {self.schema}.export_jobs j "
                                 f"WHERE id = '{export_id.removeprefix('exp_')}'")
        return json.loads(said) if said else None

    def wait_snapshot(self, export_id, other_than=None):
        def there():
            snapshot = self.snapshot(export_id)
            return snapshot and snapshot["id"] != other_than and snapshot
        return harness.wait_until(there, f"{export_id} has its snapshot")

    def truth(self, snapshot, database):
        """The table as the snapshot sees it."""
        return table(database, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", f"SET TRANSACTION SNAPSHOT '{snapshot['id']}'")

    def expect_nothing_left(self):
        for name, server in self.source.servers.items():
            harness.wait_until(lambda server=server: server.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'longshore%' AND xact_start IS NOT NULL") == "0",
                f"no transaction is left open on {name}")

    def consistency(self, export_id):
        return json.loads(self.api.call("GET", f"/v1/exports/{export_id}/manifest")[2])["consistency"]

    def workers_of(self, export_id):
        return {p["worker"] for p in self.api.partitions(export_id)} - {None}

    def wait_shared(self, export_id):
        """Two workers read."""
        harness.wait_until(lambda: len(self.workers_of(export_id)) == 2, "two workers take part")
        self.assertGreaterEqual(len(self.api.partitions(export_id)), 4)

    def create(self, dataset, consistency):
        return self.api.create(dataset, consistency=consistency, csv={"profile": "machine", "bom": False})["exportId"]

    def finish(self, export_id):
        self.set_pause(0)
        self.api.wait_succeeded(export_id)
        self.api.verify(export_id, self.root)
        return self.api.download(export_id)

    def expect_same(self, file, truth):
        """The same rows with the same values in the same order."""
        (mine, order), (theirs, due) = rows_of(file), rows_of(truth)
        wrong = [(id, mine.get(id), theirs.get(id)) for id in sorted(mine.keys() | theirs.keys()) if mine.get(id) != theirs.get(id)]
        self.assertEqual(wrong, [], f"{len(wrong)} of {len(theirs)} rows differ")
        self.assertEqual(order, due)

    # --- one point in time

    def export_while_written(self, dataset, database, kill_planner):
        """One of the two workers dies; the other holds the snapshot on."""
        workers = [self.node("worker"), self.node("worker")]
        with Writers(self.source.primary, 2) as writers:
            self.source.wait_caught_up()
            export_id = self.create(dataset, "snapshot")
            snapshot = self.wait_snapshot(export_id)
            truth = self.truth(snapshot, database)
            self.wait_shared(export_id)
            planner = next(worker for worker in workers if worker.log_events("claimed", work="plan"))
            victim = planner if kill_planner else next(worker for worker in workers if worker is not planner)
            writers.wait_written(300)
            victim.kill()
            file = self.finish(export_id)
            writers.stop()
        self.assertNotEqual(truth, table(self.source.primary), "nobody has written")
        self.expect_same(file, truth)
        declared = self.consistency(export_id)
        self.assertEqual((declared["mode"], declared["snapshotId"], declared["epochs"]), ("snapshot", snapshot["id"], 1))
        self.assertRegex(declared["lsn"], r"^[0-9A-F]+/[0-9A-F]+$")
        self.expect_nothing_left()


class SnapshotTest(SnapshotCase):
    def test_a_worker_dies_that_did_not_take_the_snapshot(self):
        self.export_while_written("items", self.source.primary, kill_planner=False)

    def test_the_worker_dies_that_took_the_snapshot(self):
        self.export_while_written("items", self.source.primary, kill_planner=True)

    def lose_snapshot(self, dataset):
        """Kills all that hold the snapshot, and starts others."""
        workers = [self.node("worker"), self.node("worker")]
        export_id = self.create(dataset, "snapshot")
        snapshot = self.wait_snapshot(export_id)
        truth = self.truth(snapshot, self.source.primary)
        self.wait_shared(export_id)
        for worker in workers:
            worker.kill()
        for _ in workers:
            self.node("worker")
        return export_id, snapshot, truth

    def test_a_lost_snapshot_begins_again_with_a_new_one(self):
        with Writers(self.source.primary, 2) as writers:
            export_id, lost, before = self.lose_snapshot("items")
            snapshot = self.wait_snapshot(export_id, other_than=lost["id"])
            truth = self.truth(snapshot, self.source.primary)
            self.assertNotEqual(truth, before)
            writers.wait_written(300)
            file = self.finish(export_id)
            writers.stop()
        self.expect_same(file, truth)
        declared = self.consistency(export_id)
        self.assertEqual((declared["snapshotId"], declared["epochs"]), (snapshot["id"], 2))
        self.expect_nothing_left()

    def test_a_lost_snapshot_fails_where_the_catalog_says_so(self):
        export_id, _, _ = self.lose_snapshot("strict_items")
        status = self.api.wait_finished(export_id)
        self.assertEqual((status["status"], status["error"]["code"]), ("FAILED", "snapshot_lost"), status)
        self.expect_nothing_left()

    def test_cancelling_lets_the_snapshot_go(self):
        self.node("worker")
        self.node("worker")
        export_id = self.create("items", "snapshot")
        self.wait_shared(export_id)
        self.api.call("POST", f"/v1/exports/{export_id}/cancel")
        self.expect_nothing_left()

    # --- the other strategy under the same writers

    def test_best_effort(self):
        workers = [self.node("worker"), self.node("worker")]
        with Writers(self.source.primary, 2) as writers:
            export_id = self.create("items", "best_effort")
            self.wait_shared(export_id)
            writers.wait_written(300)
            workers[0].kill()
            file = self.finish(export_id)
            journal = writers.stop()
        rows, ids = rows_of(file)
        self.assertEqual(ids, sorted(set(ids)), "a row is there twice, or out of order")
        touched = {id for id, _ in journal}
        wrong = [id for id in writers.before if id not in touched and rows.get(id) != writers.before[id]]
        self.assertEqual(wrong, [], "rows that nobody touched are missing or not what they were")
        # The others are there in a state that they had.
        states = {*writers.before.items(), *journal}
        self.assertEqual([row for row in rows.items() if row not in states], [])
        self.assertEqual(self.consistency(export_id)["mode"], "best_effort")
        self.expect_nothing_left()


class StandbySnapshotTest(SnapshotCase):
    def test_on_a_standby(self):
        self.export_while_written("standby_items", self.source.standbys[0], kill_planner=True)

    def test_on_a_standby_whose_primary_removes_what_it_sees(self):
        """Without feedback replay waits for the snapshot's readers, and a death may lose it: then the file is another snapshot,
        the one that its manifest names."""
        standby = self.source.standbys[0]
        self.source.change("standby1", hot_standby_feedback="off")
        self.addCleanup(self.source.change, "standby1", hot_standby_feedback="on")
        workers = [self.node("worker"), self.node("worker")]
        truths = {}
        with Writers(self.source.primary, 2) as writers:
            self.source.wait_caught_up()
            export_id = self.create("standby_items", "snapshot")
            self.wait_snapshot(export_id)
            killed = False
            while self.api.status(export_id)["status"] in ("QUEUED", "RUNNING"):
                snapshot = self.snapshot(export_id)
                if snapshot and snapshot["id"] not in truths:
                    with contextlib.suppress(AssertionError):  # it was lost meanwhile
                        truths[snapshot["id"]] = self.truth(snapshot, standby)
                if not killed and len(self.workers_of(export_id)) == 2:
                    next(worker for worker in workers if worker.log_events("claimed", work="plan")).kill()
                    killed = True
                    self.source.primary.sql("VACUUM items")
            writers.stop()
        self.api.wait_succeeded(export_id)
        declared = self.consistency(export_id)
        self.expect_same(self.api.download(export_id), truths[declared["snapshotId"]])


if __name__ == "__main__":
    unittest.main()
