"""What is wrong with the bucket is said: by /readyz before anybody asks for an export, and by the export that failed for it.

A real Ceph RGW with users who may do less than all. Permanent errors end an export at once."""

import contextlib
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import harness

sys.path.insert(0, str(harness.ROOT / "tests/rgw"))
from gateway import Rgw  # noqa: E402

BUCKET = "exports"
SKEW_MINUTES = 40
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
LIST = ("s3:ListBucket", "s3:ListBucketMultipartUploads")
OBJECT = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")


def is_sanitized():
    needed = subprocess.run(["ldd", str(harness.BINARY)], capture_output=True, text=True, check=True).stdout
    return "libasan" in needed or "libtsan" in needed


class StoreFaultsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="longshore-test-store-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.rgw = Rgw()
        cls.addClassCleanup(cls.rgw.close)
        cls.bucket = cls.rgw.client()
        cls.addClassCleanup(cls.bucket.close)
        cls.bucket.create_bucket(Bucket=BUCKET)
        with contextlib.closing(sqlite3.connect(cls.directory / "items.db")) as database:
            database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, tenant_id TEXT, name TEXT, note TEXT)")
            database.executemany("INSERT INTO items VALUES (?, 'acme', ?, '')", [(i, f"item {i}") for i in range(1, 101)])
            database.commit()
        cls.catalog = harness.items_catalog(json.dumps({"driver": "sqlite", "path": str(cls.directory / "items.db")}))

    def user_who_may(self, name, *actions):
        """Credentials of a user to whom the bucket's policy allows these actions and no others."""
        key, secret = f"{name.upper()}KEY0001", f"{name}secret0001"
        self.rgw.do(f"user {name} {key} {secret}")
        if actions:
            arn = f"arn:aws:s3:::{BUCKET}"
            policy = {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam:::user/{name}"]}, "Action": list(actions), "Resource": [arn, arn + "/*"]}]}
            self.bucket.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
        return {"access_key_id": key, "secret_access_key": secret}

    @contextlib.contextmanager
    def node(self, environment=None, **storage):
        settings = {"storage": {"driver": "s3", "endpoint": self.rgw.values["S3_ENDPOINT"], "bucket": BUCKET,
                                "access_key_id": self.rgw.values["AWS_ACCESS_KEY_ID"],
                                "secret_access_key": self.rgw.values["AWS_SECRET_ACCESS_KEY"], **storage},
                    "worker": {"max_attempts": 2}}
        with harness.Server(self.directory / self.id().rsplit(".", 1)[1], self.catalog, settings) as node:
            yield node.start(**(environment or {}))

    def problem(self, node):
        with self.assertRaises(harness.ApiError) as away:
            node.call("GET", "/readyz", token=None)
        self.assertEqual(away.exception.status, 503)
        return away.exception.problem["problems"]["store"]

    def failure(self, node, seconds):
        begun = time.monotonic()
        status = node.wait_finished(node.create()["exportId"])
        self.assertLess(time.monotonic() - begun, seconds * harness.PATIENCE / 120)
        self.assertEqual(status["status"], "FAILED")
        return status["error"]

    def expect_denied(self, node, words, failing_words=None):
        """readyz and a failed export say these words, what the store itself said, and the export failed at once."""
        told = self.problem(node)
        self.assertIn(words, told)
        self.assertIn("[HTTP 40", told)
        error = self.failure(node, 5)
        self.assertEqual(error["code"], "store_denied")
        self.assertIn(failing_words or words, error["message"])

    def test_a_user_without_any_right(self):
        with self.node(**self.user_who_may("stranger")) as node:
            self.expect_denied(node, f"the credentials from the configuration (access key id …0001) have no permission for it on the "
                                     f"bucket {BUCKET} (it takes s3:PutObject); docs/operations.md lists what is needed")

    def test_a_bucket_that_can_only_be_read(self):
        with self.node(**self.user_who_may("reader", *LIST, "s3:GetObject")) as node:
            self.expect_denied(node, "(it takes s3:PutObject)")

    def test_a_bucket_that_can_only_be_written(self):
        with self.node(**self.user_who_may("writer", "s3:PutObject", "s3:AbortMultipartUpload")) as node:
            self.assertIn("ListObjectsV2 (a probe): the credentials", self.problem(node))
            self.assertIn("(it takes s3:ListBucket)", self.problem(node))

    def test_a_user_who_may_do_what_is_documented_and_no_more(self):
        with self.node(**self.user_who_may("enough", *LIST, *OBJECT)) as node:
            self.assertEqual(node.call("GET", "/readyz", token=None)[0], 200)
            export_id = node.create()["exportId"]
            node.wait_succeeded(export_id)
            self.assertEqual(node.download(export_id).count(b"\n"), 101)

    def test_wrong_credentials(self):
        with self.node(secret_access_key="wrong") as node:
            self.expect_denied(node, "the secret access key does not belong to the access key id …0001 (from the configuration)")

    def test_an_unknown_access_key(self):
        with self.node(access_key_id="NOBODYKNOWSTHIS") as node:
            self.expect_denied(node, "the store does not know the access key id …THIS (from the configuration)")

    def test_a_missing_bucket(self):
        with self.node(bucket="no-such-bucket") as node:
            self.expect_denied(node, f"there is no bucket no-such-bucket at {self.rgw.values['S3_ENDPOINT']}; create it, or correct "
                                     "the bucket's name or the endpoint")

    def test_a_clock_that_is_wrong(self):
        self.assertTrue(pathlib.Path(FAKETIME).exists(), "scripts/install.sh test installs faketime")
        if is_sanitized():
            self.skipTest("libfaketime and a sanitizer's run-time library each want to be loaded first, and wait for each other")
        environment = {"LD_PRELOAD": FAKETIME, "FAKETIME": f"+{SKEW_MINUTES}m", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with self.node(environment) as node:
            words = f"this machine's clock is {SKEW_MINUTES} min "
            told = self.problem(node)
            self.assertIn(words, told)
            self.assertIn("ahead of the store's; set it, best by NTP [HTTP 403 RequestTimeTooSkewed", told)
            # Another worker's clock may be right: so it is tried as often as configured, here twice, a second apart.
            error = self.failure(node, 15)
            self.assertEqual(error["code"], "store_unavailable")
            self.assertIn(words, error["message"])

    def test_a_store_that_is_not_there(self):
        with self.node(endpoint="http://127.0.0.1:1") as node:
            self.assertIn("no connection to 127.0.0.1:1", self.problem(node))


if __name__ == "__main__":
    unittest.main()
