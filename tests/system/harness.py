"""What the system tests share: a real server process, a client for its API, and databases to export from.

Every test works in a temporary directory of its own and on free ports, so tests may run beside each other.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

BINARY = pathlib.Path(os.environ.get("LONGSHORE_BINARY", ROOT / "build/release/bin/longshore"))
TOKEN = "test-token-of-acme-0001"
OTHER_TOKEN = "test-token-of-globex-0001"
CLERK_TOKEN = "test-token-of-acme-clerk-1"
# Sanitized builds are several times slower; nothing here waits for a fixed time, so only the limits grow.
PATIENCE = float(os.environ.get("LONGSHORE_TEST_PATIENCE", "120"))


@contextlib.contextmanager
def temporary_directory():
    path = tempfile.mkdtemp(prefix="longshore-test-")
    try:
        yield pathlib.Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def wait_until(condition, what, limit=None):
    """Polls `condition` until it returns something true, and returns that."""
    deadline = time.monotonic() + (limit or PATIENCE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited too long: {what}")
        time.sleep(0.02)


class ApiError(Exception):
    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem


class Server:
    """`longshore serve` on a free port, in a directory that outlives restarts."""

    def __init__(self, directory, catalog, settings=None, data=None):
        self.directory = pathlib.Path(directory)
        self.data = pathlib.Path(data) if data else self.directory / "data"
        self.settings = settings or {}
        self.process = None
        self.url = None
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(parents=True, exist_ok=True)
        (self.directory / "catalog.yaml").write_text(catalog)
        self.log_path = self.directory / "server.log"
        self.write_configuration()

    def write_configuration(self):
        worker = {
            "slots": 2, "heartbeat": "200ms", "lease": "3s", "poll": "50ms", "part_size": "5MiB",
            "partition_rows": 100000, "partition_bytes": "128MiB", "max_attempts": 5,
            **self.settings.get("worker", {}),
        }
        configuration = {
            "server": {"listen": "127.0.0.1:0", **self.settings.get("server", {})},
            "data_dir": str(self.data),
            "catalog": {"path": str(self.directory / "catalog.yaml")},
            "worker": worker,
            "auth": {
                "roles": {"admin": ["*"], "clerk": ["exports.items"]},
                "tokens": [
                    {"token": TOKEN, "tenant": "acme", "user": "ann", "roles": ["admin"]},
                    {"token": CLERK_TOKEN, "tenant": "acme", "user": "bob", "roles": ["clerk"]},
                    {"token": OTHER_TOKEN, "tenant": "globex", "user": "gil", "roles": ["admin"]},
                ],
            },
            "log": {"level": "debug", "format": "json"},
        }
        for section in ("storage", "metadata"):
            if section in self.settings:
                configuration[section] = self.settings[section]
        # JSON is YAML.
        (self.directory / "longshore.yaml").write_text(json.dumps(configuration, indent=1))

    def start(self, wait=True, **environment):
        self.log_offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", "--config", str(self.directory / "longshore.yaml")],
                stdout=log, stderr=log, env={**os.environ, **environment}, cwd=self.directory)
        if wait:
            self.url = wait_until(self._endpoint, "the server listens")
        return self

    def log_lines(self):
        with open(self.log_path, "rb") as log:
            log.seek(self.log_offset)
            return log.read().decode(errors="replace").splitlines()

    def log_text(self):
        return "\n".join(self.log_lines())

    def _endpoint(self):
        for line in self.log_lines():
            if '"listening"' in line:
                return "http://" + json.loads(line)["endpoint"]
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log_text()}")
        return None

    def wait_dead(self):
        """Waits for the process to end by itself (a crash point) and returns its exit status."""
        return self.process.wait(timeout=PATIENCE)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def stop(self):
        """A graceful shutdown; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.kill()

    # --- the API

    def call(self, method, path, body=None, token=TOKEN, headers=None):
        """Returns (status, headers, bytes); raises ApiError for 4xx and 5xx."""
        data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, data=data, method=method)
        if token:
            request.add_header("Authorization", "Bearer " + token)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                problem = json.loads(text)
            except ValueError:
                problem = {"raw": text.decode(errors="replace")}
            raise ApiError(error.code, problem) from None

    def json(self, method, path, body=None, **options):
        return json.loads(self.call(method, path, body, **options)[2])

    def create(self, export_type="items", format="csv", token=TOKEN, key=None, **fields):
        body = {"exportType": export_type, "format": format, **fields}
        return self.json("POST", "/v1/exports", body, token=token, headers={"Idempotency-Key": key or str(uuid.uuid4())})

    def status(self, export_id, token=TOKEN):
        return self.json("GET", f"/v1/exports/{export_id}", token=token)

    def wait_finished(self, export_id, token=TOKEN):
        def finished():
            if self.process.poll() is not None:
                raise AssertionError(f"the server died:\n{self.log_text()[-4000:]}")
            status = self.status(export_id, token)
            return status if status["status"] not in ("QUEUED", "RUNNING") else None
        return wait_until(finished, f"{export_id} finishes")

    def wait_succeeded(self, export_id, token=TOKEN):
        status = self.wait_finished(export_id, token)
        if status["status"] != "SUCCEEDED":
            raise AssertionError(f"{status}\n{self.log_text()[-4000:]}")
        return status

    def download(self, export_id, token=TOKEN):
        link = self.json("POST", f"/v1/exports/{export_id}/download-url", token=token)
        return self.call("GET", link["downloadUrl"], token=None)[2]

    def export(self, **fields):
        """Creates, waits, downloads: (status, bytes)."""
        created = self.create(**fields)
        status = self.wait_succeeded(created["exportId"])
        return status, self.download(created["exportId"])

    def metric(self, name, **labels):
        """The sum of a metric's samples with these labels."""
        total = 0.0
        for line in self.call("GET", "/metrics", token=None)[2].decode().splitlines():
            if line.startswith(name) and line[len(name)] in "{ " and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    # --- what is left over

    def stored_files(self):
        """Every file in the object store's directory, relative to it."""
        root = self.data / "objects"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def wait_clean(self, export_id):
        """Waits until the cleaning of a finished export is done."""
        job = export_id.removeprefix("exp_")
        def clean():
            with contextlib.closing(sqlite3.connect(f"file:{self.data / 'longshore.db'}?mode=ro", uri=True)) as database:
                row = database.execute("SELECT needs_cleaning FROM export_jobs WHERE id = ?", (job,)).fetchone()
                return row and not row[0]
        wait_until(clean, f"{export_id} is cleaned")

    def expect_only(self, *export_ids):
        """The store holds the artefacts and manifests of these exports, and nothing else."""
        for export_id in export_ids:
            self.wait_clean(export_id)
        names = self.stored_files()
        unexpected = [name for name in names if not any(e.removeprefix("exp_") in name and "staging" not in name and "uploads" not in name for e in export_ids)]
        assert not unexpected, f"left over in the store: {unexpected}"
        assert len(names) == 2 * len(export_ids), names


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def make_items(path, rows, tenants=("acme", "globex"), wide=100):
    """A SQLite database with a table `items` of `rows` rows a tenant."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, name TEXT, note TEXT)")
        def generate():
            for i in range(rows * len(tenants)):
                note = hashlib.sha256(str(i).encode()).hexdigest() * (1 + wide // 64)
                yield i + 1, tenants[i % len(tenants)], f"item \"{i}\", =1+{i}", note[:wide]
        database.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", generate())
        database.execute("CREATE UNIQUE INDEX items_tenant_id ON items (tenant_id, id)")
        database.execute("ANALYZE")
        database.commit()


def items_catalog(source):
    """A catalog of the one dataset `items`; `source`: the YAML of its source, in one line."""
    return f"""
sources:
  app: {source}
datasets:
  items:
    source: app
    relation: items
    tenant_column: tenant_id
    key: [id]
    permission: exports.items
    retention: 7d
    columns:
      id: {{ column: id, type: int64 }}
      name: {{ column: name, type: text }}
      note: {{ column: note, type: text, permission: notes.read }}
    filters: [id, name]
"""
