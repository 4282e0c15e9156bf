#!/usr/bin/env python3
"""The local store: one object of 1 GiB in parts of 8 MiB, each durable, against the system's own tools in the same run.

  run.py BUILD_DIR     LONGSHORE_BENCH_STORE (a directory on the disk to measure; default: where temporary files go),
                       LONGSHORE_BENCH_MIB (default 1024), LONGSHORE_BENCH_ROUNDS (default 3)

The reference for writing is `cp` and `sync` of a file of the same bytes that is in the page cache; for reading, `cat` of that file,
without the page cache and with it. Each round does everything once, after one that is thrown away: the disks of virtual machines
are slow where nothing was ever written.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from audit_table import figure, median  # noqa: E402


def seconds_of(command):
    begun = time.monotonic()
    subprocess.run(["sh", "-c", command], check=True)
    return time.monotonic() - begun


def measure(binary, directory, mib):
    store = directory / "store"
    result = json.loads(subprocess.run([str(binary), str(store), str(mib)], check=True, capture_output=True, text=True).stdout)
    one, two = directory / "one", directory / "two"
    subprocess.run(["sh", "-c", f"cat {store}/objects/bench/object/~part-* > {one} && sync {one}"], check=True)
    result["cp"] = seconds_of(f"cp {one} {two} && sync {two}")
    result["cat_again"] = seconds_of(f"cat {one} > /dev/null")
    with open(one, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    result["cat"] = seconds_of(f"cat {one} > /dev/null")
    shutil.rmtree(store)
    one.unlink()
    two.unlink()
    os.sync()
    return result


def main():
    binary = pathlib.Path(sys.argv[1]) / "bin/storage_local_benchmark"
    mib = int(os.environ.get("LONGSHORE_BENCH_MIB", "1024"))
    rounds = int(os.environ.get("LONGSHORE_BENCH_ROUNDS", "3"))
    with tempfile.TemporaryDirectory(prefix="longshore-bench-", dir=os.environ.get("LONGSHORE_BENCH_STORE")) as name:
        directory = pathlib.Path(name)
        results = [measure(binary, directory, mib) for _ in range(rounds + 1)][1:]
    result = {key: median([one[key] for one in results]) for key in results[0]}
    figure("storage/local: upload and complete, vs cp and sync", result["upload"] + result["complete"], "s", result["cp"])
    figure("storage/local: complete", result["complete"] * 1000, "ms")
    figure("storage/local: CPU of the upload", result["upload_cpu"], "s")
    figure("storage/local: read, not in the page cache, vs cat", result["read"], "s", result["cat"])
    figure("storage/local: read, in the page cache, vs cat", result["read_again"], "s", result["cat_again"])


if __name__ == "__main__":
    main()
