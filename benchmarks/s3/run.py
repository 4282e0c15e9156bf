#!/usr/bin/env python3
"""Uploads to a Ceph RGW in memory on this machine: Longshore against curl and boto3 with the same parts, in the same run.

  run.py BUILD_DIR     LONGSHORE_BENCH_MIB (default 256), LONGSHORE_BENCH_ROUNDS (default 3)

curl puts to presigned URLs: it signs and hashes nothing, so it is the floor. The gateway takes most of the machine; client CPU is what is
compared besides. Figures are medians.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from audit_table import ROOT, figure, median  # noqa: E402

PART = 8 << 20
BOTO = """
import concurrent.futures, os, sys
import boto3, botocore.config
endpoint, bucket, streams, count, path = sys.argv[1:]
config = botocore.config.Config(max_pool_connections=8, s3={"addressing_style": "path"})
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config)
body = open(path, "rb").read()
upload = s3.create_multipart_upload(Bucket=bucket, Key="bench/boto3")["UploadId"]
import resource, time
begun, cpu = time.monotonic(), time.process_time()
def put(number):
    s3.upload_part(Bucket=bucket, Key="bench/boto3", UploadId=upload, PartNumber=number, Body=body)
with concurrent.futures.ThreadPoolExecutor(int(streams)) as pool:
    list(pool.map(put, range(1, int(count) + 1)))
print('{"seconds":%f,"cpu_seconds":%f}' % (time.monotonic() - begun, time.process_time() - cpu))
s3.abort_multipart_upload(Bucket=bucket, Key="bench/boto3", UploadId=upload)
"""


def client(environment):
    import boto3
    import botocore.config
    return boto3.client("s3", endpoint_url=environment["S3_ENDPOINT"], region_name="us-east-1",
                        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
                        config=botocore.config.Config(s3={"addressing_style": "path"}, signature_version="s3v4"))


def run_curl(s3, part, streams, count):
    upload = s3.create_multipart_upload(Bucket="bench-bucket", Key="bench/curl")["UploadId"]
    command = ["curl", "-sS", "--fail", "--noproxy", "*"]
    if streams > 1:
        command += ["--parallel", "--parallel-immediate", "--parallel-max", str(streams)]
    for number in range(1, count + 1):
        url = s3.generate_presigned_url("upload_part", Params={"Bucket": "bench-bucket", "Key": "bench/curl",
                                                               "UploadId": upload, "PartNumber": number})
        command += ["-o", "/dev/null", "-T", part, url]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    # Its progress meter cannot be silenced with --parallel.
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"curl failed: {done.stderr}")
    seconds = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    s3.abort_multipart_upload(Bucket="bench-bucket", Key="bench/curl", UploadId=upload)
    return {"seconds": seconds, "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def main():
    build = pathlib.Path(sys.argv[1])
    mebibytes = int(os.environ.get("LONGSHORE_BENCH_MIB", "256"))
    rounds = int(os.environ.get("LONGSHORE_BENCH_ROUNDS", "3"))
    rgw = subprocess.Popen([str(ROOT / "tests/rgw/ceph_rgw.sh"), "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           text=True, env={**os.environ, "STORE_BYTES": str(6 << 30)})
    environment = {}
    for line in iter(rgw.stdout.readline, "ready\n"):
        if "=" not in line:
            sys.exit("no Ceph RGW: see tests/rgw/ceph_rgw.sh")
        name, value = line.strip().split("=", 1)
        environment[name] = value
    try:
        measure(build, environment, mebibytes, rounds)
    finally:
        rgw.stdin.close()
        rgw.wait()


def measure(build, environment, mebibytes, rounds):
    s3 = client(environment)
    s3.create_bucket(Bucket="bench-bucket")
    count = mebibytes * (1 << 20) // PART
    with tempfile.NamedTemporaryFile() as part:
        part.write(os.urandom(PART))
        part.flush()

        def report(command):
            return json.loads(subprocess.run(command, check=True, capture_output=True, text=True,
                                             env={**os.environ, **environment}).stdout)

        def longshore(streams, mode):
            return report([str(build / "bin/s3_bench"), environment["S3_ENDPOINT"], "bench-bucket", str(streams),
                           str(mebibytes), mode])

        def boto3(streams):
            return report(["/usr/bin/python3", "-c", BOTO, environment["S3_ENDPOINT"], "bench-bucket", str(streams),
                           str(count), part.name])

        runs = {f"{name}, {streams} stream{'s' if streams > 1 else ''}": (function, streams)
                for streams in (1, 4)
                for name, function in {"curl": lambda n: run_curl(s3, part.name, n, count), "boto3": boto3,
                                       "plain": lambda n: longshore(n, "plain"), "hashed": lambda n: longshore(n, "hashed"),
                                       "no-md5": lambda n: longshore(n, "no-md5")}.items()}
        results = {name: [] for name in runs}
        for _ in range(rounds):
            for name, (function, streams) in runs.items():
                results[name].append(function(streams))

    for name, values in results.items():
        reference = results["curl, " + name.split(", ")[1]]
        speed = [mebibytes / value["seconds"] for value in values]
        figure(f"s3/upload {name}", median(speed), "MiB/s", median([mebibytes / value["seconds"] for value in reference]))
        cpu = [value["cpu_seconds"] / mebibytes * 1000 for value in values]
        figure(f"s3/client CPU {name}", median(cpu), "ms/MiB",
               median([value["cpu_seconds"] / mebibytes * 1000 for value in reference]))


if __name__ == "__main__":
    main()
