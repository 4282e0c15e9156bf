"""Kills the server at every durable step of an export, starts it again, and looks at what became of the export.

Whatever the moment, the file must be the same as without the crash, work that was recorded must not be done again, and
nothing may be left over in the store. The servers of several cases run beside each other, because each waits for the
dead one's lease most of the time.
"""

import concurrent.futures
import contextlib
import http.client
import pathlib
import random
import shutil
import signal
import tempfile
import time
import unittest
import urllib.error
import uuid

import harness

LEASE = 3.0
# A takeover may take the lease, a round of the sweeper and what a loaded machine makes of that.
TAKEOVER = LEASE + max(12.0, harness.PATIENCE / 10)

ROWS = 210_000
MEDIUM_ROWS = 20_000  # one partition of more than 5 MiB: its head is staged, the file is one object
SMALL_ROWS = 1_000  # published whole, nothing is staged
SETTINGS = {"worker": {"partition_rows": 75_000, "partition_bytes": "16MiB", "lease": "3s", "heartbeat": "100ms"}}

ONE_PARTITION = {"worker": {**SETTINGS["worker"], "partition_rows": 1_000_000, "partition_bytes": "1GiB"}}
# What says of itself when it was made says the same in every case.
SAME_TIME = {"SOURCE_DATE_EPOCH": "1780000000"}

LARGE = {}
MEDIUM = {"filters": {"id": {"lte": 2 * MEDIUM_ROWS}}}
SMALL = {"filters": {"id": {"lte": 2 * SMALL_ROWS}}}
GZIP = {"compression": "gzip"}
JSONL = {"format": "jsonl"}
JSON = {"format": "json"}
ZSTD_JSONL = {"format": "jsonl", "compression": "zstd"}
PARQUET = {"format": "parquet"}
LONG_PARQUET = {"format": "parquet", "title": "one partition of several row groups"}
XLSX = {"format": "xlsx"}
PDF_ROWS = 120_000  # one partition of several parts, whose pages count on
PDF = {"format": "pdf", "filters": {"id": {"lte": 2 * PDF_ROWS}}}

# Every crash point of the code, at several of its hits. The export has three partitions, each with a head and at least
# two further parts, so nine checkpoints at least, and three glued parts.
STEPS = [
    ("plan.before_upload", 1), ("plan.after_upload", 1), ("plan.before_save", 1), ("plan.after_save", 1),
    ("partition.before_head", 1), ("partition.before_head", 3), ("partition.after_head", 1), ("partition.after_head", 2),
    ("partition.before_part", 1), ("partition.before_part", 4), ("partition.after_part", 1), ("partition.after_part", 6),
    ("partition.after_checkpoint", 1), ("partition.after_checkpoint", 2), ("partition.after_checkpoint", 5),
    ("partition.after_checkpoint", 9),
    ("partition.before_complete", 1), ("partition.before_complete", 3),
    ("partition.after_complete", 1), ("partition.after_complete", 3),
    ("assemble.before_part", 1), ("assemble.before_part", 3), ("assemble.after_part", 1), ("assemble.after_part", 2),
    ("assemble.after_checkpoint", 1), ("assemble.after_checkpoint", 3),
    ("assemble.before_complete", 1), ("assemble.after_complete", 1),
    ("publish.before_manifest", 1), ("publish.after_manifest", 1), ("publish.after_publish", 1),
    ("clean.before", 1), ("clean.after_uploads", 1), ("clean.after_staged", 1),
]
GZIP_STEPS = [("partition.after_head", 1), ("partition.after_checkpoint", 3), ("partition.before_part", 2),
              ("assemble.after_part", 1), ("assemble.after_complete", 1)]
JSONL_STEPS = [("partition.after_part", 2), ("partition.after_checkpoint", 4), ("assemble.after_checkpoint", 2)]
# What is between rows: within a partition, between partitions, after the last.
JSON_STEPS = [("partition.after_checkpoint", 3), ("assemble.after_part", 2)]
# What only binary formats have: row groups whose places are known at the end, sheets whose sizes stand before them, pages that
# count on after the crash.
PARQUET_STEPS = [("partition.after_head", 1), ("partition.after_checkpoint", 2), ("assemble.after_part", 2),
                 ("assemble.before_complete", 1)]
LONG_PARQUET_STEPS = [("partition.after_head", 1), ("partition.before_part", 1), ("partition.after_checkpoint", 2),
                      ("publish.before_manifest", 1)]
XLSX_STEPS = [("partition.after_head", 1), ("partition.before_part", 2), ("partition.after_checkpoint", 4),
              ("assemble.after_part", 1), ("assemble.before_complete", 1)]
PDF_STEPS = [("partition.after_checkpoint", 1), ("partition.after_checkpoint", 2), ("partition.before_part", 2),
             ("partition.after_complete", 1), ("assemble.after_checkpoint", 1)]
# One object made of a staged head, and one that was never in parts.
MEDIUM_STEPS = [("partition.after_checkpoint", 1), ("assemble.before_put", 1), ("assemble.after_put", 1)]
SMALL_STEPS = [("plan.after_save", 1), ("assemble.before_put", 1), ("assemble.after_put", 1),
               ("publish.before_manifest", 1), ("publish.after_manifest", 1), ("publish.after_publish", 1),
               ("clean.before", 1), ("clean.after_staged", 1)]
# Cleaning what a cancelled export left, and what an expired one did. The latter was cleaned once before.
CANCEL_STEPS = [("clean.before", 1), ("clean.after_uploads", 1), ("clean.after_staged", 1), ("clean.after_artefact", 1)]
EXPIRY_STEPS = [("clean.before", 2), ("clean.after_artefact", 1)]


class CrashTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="longshore-test-crash-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        harness.make_items(cls.directory / "items.db", ROWS, wide=300)
        cls.catalog = harness.items_catalog(harness.sqlite_source(cls.directory / "items.db"))
        cls.expected = {}
        cls.batches = {}
        requests = (LARGE, GZIP, JSONL, JSON, ZSTD_JSONL, PARQUET, XLSX, PDF, MEDIUM, SMALL)
        cls.run_undisturbed(cls.directory / "undisturbed", SETTINGS, requests)
        cls.run_undisturbed(cls.directory / "one-partition", ONE_PARTITION, (LONG_PARQUET,))

    @classmethod
    def run_undisturbed(cls, directory, settings, requests):
        with harness.Server(directory, cls.catalog, settings) as server:
            server.start(**SAME_TIME)
            for request in requests:
                before = server.metric("longshore_source_batch_seconds_count")
                created = server.create(**request)["exportId"]
                server.wait_succeeded(created)
                cls.expected[repr(request)] = server.digest(created)
                cls.batches[repr(request)] = server.metric("longshore_source_batch_seconds_count") - before
                parts = server.rows("SELECT count(*) FROM export_parts WHERE job_id = ? GROUP BY partition_index",
                                    created.removeprefix("exp_"))
                if request in (LARGE, GZIP, JSONL, JSON):
                    assert len(parts) == 4 and min(parts)[0] >= 3, f"not the export that the cases are about: {parts}"
                if request in (LONG_PARQUET, XLSX, PDF):
                    assert len(parts) == 2 and max(parts)[0] >= 3, f"not the export that the cases are about: {parts}"

    def server(self, directory, request=None):
        return harness.Server(directory, self.catalog, ONE_PARTITION if request is LONG_PARQUET else SETTINGS)

    def run_cases(self, function, cases):
        """Runs the cases beside each other and reports all that failed."""
        with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
            futures = {pool.submit(function, *case): case for case in cases}
            failures = [f"{futures[f]}: {type(f.exception()).__name__}: {f.exception()}"
                        for f in concurrent.futures.as_completed(futures) if f.exception()]
        self.assertFalse(failures, "\n\n".join(failures))

    @staticmethod
    def create(server, key, request):
        """The answer may be lost with the server: None then."""
        with contextlib.suppress(ConnectionError, http.client.HTTPException, urllib.error.URLError):
            return server.create(key=key, **request)["exportId"]
        return None

    def crash_once(self, request, point, hit):
        with harness.temporary_directory() as directory, self.server(directory, request) as server:
            key = str(uuid.uuid4())
            server.start(LONGSHORE_CRASH_AT=f"{point}:{hit}", **SAME_TIME)
            told = self.create(server, key, request)
            self.assertEqual(server.wait_dead(), -signal.SIGKILL, server.log_text()[-2000:])
            died = time.monotonic()

            job, status = server.rows("SELECT id, status FROM export_jobs")[0]
            total = {repr(MEDIUM): MEDIUM_ROWS, repr(SMALL): SMALL_ROWS, repr(PDF): PDF_ROWS}.get(repr(request), ROWS)
            recorded = server.rows("SELECT coalesce(sum(row_count), 0), count(*) FROM export_parts WHERE partition_index >= 0")[0]
            if point == "partition.after_checkpoint":
                self.assertIn(recorded[1], (hit, hit + 1), "a checkpoint is lost")
            done = total if status == "SUCCEEDED" else recorded[0]

            server.start()
            if status != "SUCCEEDED":
                harness.wait_until(lambda: server.log_events("claimed"), "the work is taken over")
                self.assertLess(time.monotonic() - died, TAKEOVER)
            again = server.create(key=key, **request)["exportId"]
            self.assertEqual(again, "exp_" + job)  # the key finds the export of before the crash
            self.assertIn(told, (None, again))
            self.expect_finished(server, again, request)

            # The second process did what was not recorded, and nothing twice.
            self.assertEqual(server.metric("longshore_exported_rows_total"), total - done)
            whole = self.batches[repr(request)]
            # A partition that is taken up again begins and ends with a batch that may be a short one.
            short = 2 * len(server.partitions(again)) + 4
            self.assertLessEqual(server.metric("longshore_source_batch_seconds_count"),
                                 whole * (total - done) / total + short, "rows were read again that were safe already")
            self.assertTrue(all(p["attempts"] <= 2 and p["state"] == "COMPLETED" for p in server.partitions(again)))
            server.expect_only(again)
            server.verify(again, directory)

    def expect_finished(self, server, export_id, request):
        status = server.wait_succeeded(export_id)
        self.assertEqual(status["progressPercent"], 100)
        self.assertIsNone(status["error"])
        self.assertEqual(server.digest(export_id), self.expected[repr(request)], "the file differs from the undisturbed one")

    def test_every_step_of_a_large_export(self):
        self.run_cases(self.crash_once, [(LARGE, *step) for step in STEPS])

    def test_compressed_and_json_exports(self):
        self.run_cases(self.crash_once, [(GZIP, *step) for step in GZIP_STEPS] + [(JSONL, *step) for step in JSONL_STEPS] +
                       [(JSON, *step) for step in JSON_STEPS])

    def test_binary_formats(self):
        self.run_cases(self.crash_once, [(PARQUET, *step) for step in PARQUET_STEPS] + [(LONG_PARQUET, *step) for step in LONG_PARQUET_STEPS] +
                       [(XLSX, *step) for step in XLSX_STEPS] + [(PDF, *step) for step in PDF_STEPS])

    def test_exports_of_one_object(self):
        self.run_cases(self.crash_once,
                       [(MEDIUM, *step) for step in MEDIUM_STEPS] + [(SMALL, *step) for step in SMALL_STEPS])

    def clean_cancelled(self, point, hit):
        with harness.temporary_directory() as directory, self.server(directory) as server:
            server.start(LONGSHORE_CRASH_AT=f"{point}:{hit}")
            export_id = server.create()["exportId"]
            harness.wait_until(lambda: server.rows("SELECT 1 FROM export_job_partitions WHERE status = 'RUNNING'"),
                               "the export runs")
            with contextlib.suppress(ConnectionError, http.client.HTTPException, urllib.error.URLError):
                server.call("POST", f"/v1/exports/{export_id}/cancel")
            self.assertEqual(server.wait_dead(), -signal.SIGKILL)
            server.start()
            server.expect_only()
            self.assertEqual(server.status(export_id)["status"], "CANCELLED")

    def clean_expired(self, point, hit):
        with harness.temporary_directory() as directory, self.server(directory) as server:
            server.start(LONGSHORE_CRASH_AT=f"{point}:{hit}")
            export_id = server.create(**MEDIUM)["exportId"]
            server.wait_succeeded(export_id)
            server.wait_clean(export_id)
            with contextlib.suppress(ConnectionError, http.client.HTTPException, urllib.error.URLError):
                server.call("DELETE", f"/v1/exports/{export_id}")
            self.assertEqual(server.wait_dead(), -signal.SIGKILL)
            server.start()
            server.expect_only()
            self.assertEqual(server.status(export_id)["status"], "EXPIRED")

    def test_cleaning(self):
        self.run_cases(self.clean_cancelled, CANCEL_STEPS)
        self.run_cases(self.clean_expired, EXPIRY_STEPS)

    def random_kills(self, request, seed):
        """Kills the server again and again, each time when the export has come a random piece further."""
        moments = random.Random(seed)
        with harness.temporary_directory() as directory, self.server(directory) as server:
            server.start()
            export_id = server.create(**request)["exportId"]
            kills = 0
            for _ in range(3):
                begun = server.rows("SELECT row_count FROM export_jobs")[0][0]
                target = begun + moments.random() * (ROWS - begun)
                def reached():
                    status = server.status(export_id)
                    return status["status"] not in ("QUEUED", "RUNNING") or status["metrics"]["totalRowsProcessed"] >= target
                harness.wait_until(reached, f"{export_id} processes {target:.0f} rows")
                finished = server.status(export_id)["status"] == "SUCCEEDED"
                server.kill()
                kills += 1
                server.start()
                if finished:
                    break
            self.expect_finished(server, export_id, request)
            server.expect_only(export_id)
            server.verify(export_id, directory)
            claimed = sum(p["attempts"] for p in server.partitions(export_id))
            self.assertLessEqual(claimed, 3 + 2 * kills, "more was done again than the kills interrupted")

    def test_random_moments(self):
        self.run_cases(self.random_kills, [(LARGE, 1), (LARGE, 2), (GZIP, 3), (ZSTD_JSONL, 4)])


if __name__ == "__main__":
    unittest.main()
