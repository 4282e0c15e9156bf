"""Materialized exports, while the table is written to and workers die: the file is the table at one moment, and no copy is left.

The view that is exported tells in every row which snapshot of PostgreSQL it was read in, and writers keep a journal with the ids of
their transactions. So what the file has to be is computed of the journal, to the last transaction, whoever made the copy and when.
"""

import contextlib
import csv
import io
import itertools
import json
import subprocess
import unittest
import uuid

import harness

ROWS = 20_000  # in some partitions
LEASE = 3.0

SCHEMA = (
    "CREATE TABLE items (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text)",
    *harness.SLOW,
    "CREATE VIEW seen_items AS SELECT id, tenant_id, slow(id, name) AS name, pg_current_snapshot()::text AS seen FROM items",
    "CREATE TABLE journal (step bigserial, xid xid8 DEFAULT pg_current_xact_id(), id bigint, name text)",
    "CREATE TABLE writing ()",
    # Each transaction changes one row, inserts one, and deletes one; each writer has rows of its own.
    f"""CREATE PROCEDURE write(writer int, writers int) LANGUAGE plpgsql AS $$
DECLARE
  target bigint;
  said text;
BEGIN
  WHILE EXISTS (SELECT FROM writing) LOOP
    target := 10 * (writer + writers * (1 + floor(random() * ({ROWS} / writers - 2))::bigint));
    said := md5(random()::text);
    WITH changed AS (UPDATE items SET name = said WHERE id = target RETURNING id, name)
    INSERT INTO journal (id, name) SELECT id, name FROM changed;
    target := target + 1 + floor(random() * 9)::bigint;
    WITH added AS (INSERT INTO items VALUES (target, 'acme', said) ON CONFLICT DO NOTHING RETURNING id, name)
    INSERT INTO journal (id, name) SELECT id, name FROM added;
    target := 10 * (writer + writers * (1 + floor(random() * ({ROWS} / writers - 2))::bigint));
    WITH gone AS (DELETE FROM items WHERE id = target RETURNING id)
    INSERT INTO journal (id, name) SELECT id, NULL FROM gone;
    COMMIT;
    PERFORM pg_sleep(0.001);
    COMMIT;
  END LOOP;
END $$""",
    "CREATE SCHEMA staging",
)

DATASET = """
  {name}:
    source: app
    relation: public.seen_items
    tenant_column: tenant_id
    key: [id]
    unique_key: declared
    permission: exports.items
    consistency: [materialized]
    on_snapshot_loss: {loss}
    columns:
      id: {{ type: int64 }}
      name: {{ type: text }}
      seen: {{ type: text }}
"""


class MaterializedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(harness.temporary_directory())
        cls.database = cls.enterClassContext(harness.Postgres())
        cls.database.sql(*SCHEMA)
        source = cls.database.source(max_connections=16, batch_rows=1000, staging={"schema": "staging"})
        cls.catalog = f"sources:\n  app: {source}\ndatasets:" + DATASET.format(name="items", loss="restart") + \
            DATASET.format(name="strict_items", loss="fail")

    def setUp(self):
        self.database.sql("TRUNCATE items, journal RESTART IDENTITY",
                          f"INSERT INTO items SELECT 10 * g, 'acme', 'item ' || g FROM generate_series(1, {ROWS}) g",
                          "INSERT INTO journal (id, name) SELECT id, name FROM items", "ANALYZE items")
        self.set_pause(0)
        self.schema = "t" + uuid.uuid4().hex[:12]
        self.nodes = 0
        self.api = self.node("api")

    def node(self, role, **environment):
        settings = {
            "role": role,
            "metadata": {"driver": "postgres", "url": self.database.dsn, "schema": self.schema},
            # Each death counts as an attempt.
            "worker": {"slots": 2, "partition_rows": ROWS // 5, "partition_bytes": "64KiB", "lease": f"{LEASE:.0f}s", "heartbeat": "300ms",
                       "max_attempts": 20},
        }
        self.nodes += 1
        node = harness.Server(self.root / self.schema / f"{role}-{self.nodes}", self.catalog, settings,
                              data=self.root / self.schema / "data")
        self.enterContext(node)
        return node.start(wait=role == "api", **environment)

    def dying_worker(self, crash_point):
        """A worker that is killed by SIGKILL at a point of its way; returns when it is dead."""
        self.node("worker", LONGSHORE_CRASH_AT=crash_point).wait_dead()

    def set_pause(self, seconds):
        """For each hundred rows that are copied."""
        harness.set_pause(self.database, seconds)

    @contextlib.contextmanager
    def writers(self, count=2):
        self.database.sql("INSERT INTO writing DEFAULT VALUES")
        sessions = [subprocess.Popen(["psql", "-X", "-q", "-d", self.database.dsn, "-c", f"CALL write({number}, {count})"])
                    for number in range(count)]
        try:
            self.wait_written(50)
            yield
        finally:
            self.database.sql("TRUNCATE writing")
            ends = [session.wait() for session in sessions]
        self.assertEqual(ends, [0] * count)

    def wait_written(self, more):
        target = self.written() + more
        harness.wait_until(lambda: self.written() >= target, "the writers write")

    def written(self):
        return int(self.database.sql("SELECT last_value FROM journal_step_seq"))

    # --- what is there, and what must be

    def copies(self):
        return self.database.sql("SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'staging'::regnamespace").splitlines()

    def expect_nothing_left(self):
        harness.wait_until(lambda: not self.copies(), "no copy is left")
        harness.wait_until(lambda: self.database.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'longshore/%' AND xact_start IS NOT NULL") == "0",
            "no transaction is left open")

    def seen_by(self, copy):
        return self.database.sql(f"SELECT DISTINCT seen FROM {copy}")

    def truth(self, seen):
        """The table as this snapshot saw it, by the journal."""
        lines = self.database.sql(
            "SELECT id, name FROM (SELECT DISTINCT ON (id) id, name FROM journal "
            f"WHERE pg_visible_in_snapshot(xid, '{seen}') ORDER BY id, step DESC) state WHERE name IS NOT NULL ORDER BY id").splitlines()
        return [line.split("|") for line in lines]

    def create(self, dataset="items"):
        return self.api.create(dataset, csv={"profile": "machine", "bom": False})["exportId"]

    def expect_one_moment(self, export_id):
        """The file of a finished export is the table at one moment; returns which one, and what the manifest says of it."""
        self.api.wait_succeeded(export_id)
        self.api.verify(export_id, self.root)
        rows = list(csv.reader(io.StringIO(self.api.download(export_id).decode())))[1:]
        moments = {seen for _, _, seen in rows}
        self.assertEqual(len(moments), 1, "rows of several moments")
        seen = moments.pop()
        file, truth = [row[:2] for row in rows], self.truth(seen)
        self.assertEqual([pair for pair in itertools.zip_longest(file, truth) if pair[0] != pair[1]][:5], [])
        declared = json.loads(self.api.call("GET", f"/v1/exports/{export_id}/manifest")[2])["consistency"]
        self.assertEqual(declared["mode"], "materialized")
        self.assertRegex(declared["snapshotId"], rf"^staging\.longshore_[0-9a-f]{{8}}_{export_id[4:].replace('-', '')}_[0-9]$")
        self.assertRegex(declared["lsn"], r"^[0-9A-F]+/[0-9A-F]+$")
        self.assertIn(":", declared["server"])
        self.assertTrue(declared["takenAt"])
        return seen, declared

    # --- tests

    def test_whoever_dies_the_file_is_one_moment(self):
        with self.writers():
            # Killed while PostgreSQL is copying for it.
            self.set_pause(0.2)
            victim = self.node("worker")
            export_id = self.create()
            harness.wait_until(lambda: self.database.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'longshore/copy %' AND query LIKE 'CREATE TABLE%'") == "1",
                "the copy is being made")
            victim.kill()
            self.set_pause(0)
            # All made and not committed; then committed and not recorded.
            self.dying_worker("copy.before_commit")
            self.dying_worker("copy.after_commit")
            copies = self.copies()
            self.assertEqual(len(copies), 1)
            seen = self.seen_by(copies[0])
            self.wait_written(100)
            # While it is read: before the first partition is durable, and before it is recorded.
            self.dying_worker("partition.before_head")
            self.dying_worker("partition.after_head:2")
            self.assertEqual(self.copies(), copies, "the same copy is read by all")
            self.node("worker")
            self.wait_written(100)
            file_seen, declared = self.expect_one_moment(export_id)
        self.assertEqual(file_seen, seen)
        self.assertEqual((declared["snapshotId"], declared["epochs"]), (copies[0], 1))
        self.expect_nothing_left()

    def test_whoever_takes_over_finishes_and_cleans(self):
        for point in ("plan.after_copy", "plan.before_save", "partition.after_checkpoint", "publish.after_publish", "clean.after_staged",
                      "clean.after_copies"):
            with self.subTest(point), self.writers():
                export_id = self.create()
                self.dying_worker(point)
                heir = self.node("worker")
                self.expect_one_moment(export_id)
                self.expect_nothing_left()
                heir.kill()

    def test_a_lost_copy_begins_again_with_a_new_one(self):
        with self.writers():
            export_id = self.create()
            self.dying_worker("plan.after_save")
            [lost] = self.copies()
            before = self.seen_by(lost)
            self.database.sql(f"DROP TABLE {lost}")
            self.wait_written(100)
            self.node("worker")
            seen, declared = self.expect_one_moment(export_id)
        self.assertNotEqual(seen, before)
        self.assertEqual(declared["epochs"], 2)
        self.assertNotEqual(declared["snapshotId"], lost)
        self.expect_nothing_left()

    def test_a_lost_copy_fails_where_the_catalog_says_so(self):
        export_id = self.create("strict_items")
        self.dying_worker("plan.after_save")
        self.database.sql(f"DROP TABLE {self.copies()[0]}")
        self.node("worker")
        status = self.api.wait_finished(export_id)
        self.assertEqual((status["status"], status["error"]["code"]), ("FAILED", "snapshot_lost"), status)
        self.assertIn("somebody dropped it", status["error"]["message"])
        self.expect_nothing_left()

    def test_cancelling_leaves_no_copy(self):
        # One whose copy is being made, and one whose copy is there.
        made = self.create()
        self.dying_worker("plan.after_save")
        self.assertEqual(len(self.copies()), 1)
        self.api.call("POST", f"/v1/exports/{made}/cancel")
        self.set_pause(0.2)
        export_id = self.create()
        self.node("worker")
        harness.wait_until(lambda: self.database.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'longshore/copy %' AND query LIKE 'CREATE TABLE%'") == "1",
            "the copy is being made")
        self.api.call("POST", f"/v1/exports/{export_id}/cancel")
        self.expect_nothing_left()
        self.assertEqual({self.api.status(id)["status"] for id in (made, export_id)}, {"CANCELLED"})

    def test_the_sweeper_drops_what_no_export_needs_and_nobody_elses(self):
        mine = self.database.sql(f"SELECT id FROM {self.schema}.export_deployment")
        for deployment in (mine, "0" * 32):
            job = str(uuid.uuid4())
            name = f"staging.longshore_{deployment[:8]}_{job.replace('-', '')}_0"
            self.database.sql(f"CREATE TABLE {name} (id int)",
                              f"COMMENT ON TABLE {name} IS 'Longshore copy: deployment={deployment} export={job} attempt=0 lsn=0/1 system= taken=0 x'")
        self.addCleanup(self.database.sql, f"DROP TABLE {name}")
        self.node("worker")
        harness.wait_until(lambda: len(self.copies()) == 1, "one of two is swept")
        self.assertEqual(self.copies(), [name])


if __name__ == "__main__":
    unittest.main()
