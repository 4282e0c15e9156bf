"""A throw-away S3 server for Python programs: ceph_rgw.sh as an object, and what lies in its bucket."""

import os
import pathlib
import subprocess

import boto3
from botocore.config import Config

SCRIPT = pathlib.Path(__file__).resolve().with_name("ceph_rgw.sh")


class Rgw:
    """See ceph_rgw.sh. `environment`: variables of that script."""

    def __init__(self, **environment):
        self.process = subprocess.Popen([str(SCRIPT), "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **environment})
        self.values = {}
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
            name, _, value = line.strip().partition("=")
            self.values[name] = value
        raise AssertionError("the gateway does not start")

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer == "ok", f"{command}: {answer}"

    def client(self):
        return boto3.client("s3", endpoint_url=self.values["S3_ENDPOINT"], region_name="us-east-1",
                            aws_access_key_id=self.values["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=self.values["AWS_SECRET_ACCESS_KEY"],
                            config=Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 2}))

    def refusals(self):
        """How many requests were answered 503, by the gateway's own log."""
        log = pathlib.Path(self.values["S3_CA_FILE"]).parent / "log/client.rgw.log"
        return sum(1 for line in log.read_text(errors="replace").splitlines() if " 503 " in line or "status=503" in line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def keys_in(client, bucket, prefix):
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def uploads_in(client, bucket, prefix):
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Uploads", [])]
