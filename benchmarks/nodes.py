"""Whole `longshore serve` processes for benchmarks, and what the system says of them while they work."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "tests/rgw")]
import harness  # noqa: E402

PATIENCE = 1800


class Node(harness.Server):
    """A process whose log goes into a pipe, so that none of it comes to a disk."""

    def start(self, wait=True, **environment):
        self.lines = []
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", str(harness.BINARY), "serve", "--config", str(self.directory / "longshore.yaml")],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}, cwd=self.directory)
        threading.Thread(target=self._gather, args=(self.process.stderr,), daemon=True).start()
        if wait:
            self.url = harness.wait_until(self._endpoint, "the server listens")
        return self

    def _gather(self, stream):
        for line in stream:
            self.lines.append(line)

    def log_lines(self):
        return list(self.lines)


class Watch:
    """What one process uses, from the beginning of the watch to its end: `with Watch(pid) as watch:`. Memory is looked at every 50 ms."""

    def __init__(self, pid):
        self.pid = pid
        self.peak_rss = 0
        self.writable_files = set()
        self.done = threading.Event()

    def __enter__(self):
        self.io_before = self.io()
        self.cpu_before = self.cpu()
        self.begun = time.monotonic()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.done.set()
        self.thread.join()
        self.seconds = time.monotonic() - self.begun
        self.cpu_seconds = self.cpu() - self.cpu_before
        self.written = {name: value - self.io_before[name] for name, value in self.io().items()}

    def look(self):
        looked = 0
        while not self.done.wait(0.05):
            status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
            self.peak_rss = max(self.peak_rss, int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) * 1024)
            looked += 1
            if looked % 10 == 0:
                self.look_at_files()

    def look_at_files(self):
        """Regular files that are open for writing."""
        for entry in os.scandir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(OSError):
                flags = re.search(r"flags:\s+(\d+)", pathlib.Path(f"/proc/{self.pid}/fdinfo/{entry.name}").read_text()).group(1)
                if int(flags, 8) & os.O_ACCMODE != os.O_RDONLY and pathlib.Path(entry.path).is_file():
                    self.writable_files.add(os.readlink(entry.path))

    def io(self):
        return {name: int(value) for name, value in re.findall(r"(\w+): (\d+)", pathlib.Path(f"/proc/{self.pid}/io").read_text())}

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def discarding_s3():
    """The endpoint of an S3 server that drops what it gets; see large_file/discarding_s3.py."""
    process = subprocess.Popen([sys.executable, str(ROOT / "benchmarks/large_file/discarding_s3.py")], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.stdin.close()
        process.wait()


def bucket(endpoint, name="exports", access_key="benchmark", secret_key="benchmark"):
    return {"driver": "s3", "endpoint": endpoint, "bucket": name, "access_key_id": access_key, "secret_access_key": secret_key}


def settings(role, metadata, storage, worker=None, **more):
    """A configuration with what Longshore does by default; the tests' patience is not what is measured."""
    return {"role": role, "metadata": metadata, "storage": storage, "manifest": {"key": "ab" * 32},
            "worker": {"slots": 2, "part_size": "8MiB", "heartbeat": "1s", "lease": "10s", "poll": "500ms", **(worker or {})},
            "log": {"level": "info", "format": "json"}, **more}


def wait_succeeded(node, export_id, token=harness.TOKEN):
    def ended():
        status = node.status(export_id, token)
        return status if status["status"] not in ("QUEUED", "RUNNING") else None
    status = harness.wait_until(ended, f"{export_id} ends", PATIENCE)
    if status["status"] != "SUCCEEDED":
        sys.exit(f"the export failed: {json.dumps(status)}")
    return status
