"""What the system tests share: a real server process, a client for its API, and databases to export from.

Every test works in a temporary directory of its own and on free ports, so tests may run beside each other. Whatever is
started here dies with the test's process, however that ends.
"""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
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
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]

BINARY = pathlib.Path(os.environ.get("LONGSHORE_BINARY", ROOT / "build/release/bin/longshore"))
TOKEN = "test-token-of-acme-0001"
OTHER_TOKEN = "test-token-of-globex-0001"
CLERK_TOKEN = "test-token-of-acme-clerk-1"
# Sanitized builds are several times slower; nothing here waits for a fixed time, so only the limits grow.
SANITIZER_REPORT = re.compile(r"(==\d+==ERROR|WARNING: ThreadSanitizer|[^\n]*: runtime error: ).{,6000}", re.DOTALL)
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


class Database:
    """A PostgreSQL database that runs already."""

    def __init__(self, dsn):
        self.dsn = dsn

    def sql(self, *statements):
        """Runs statements by psql, each in a transaction of its own, and returns what the last ones print."""
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.dsn]
        for statement in statements:
            command += ["-c", statement]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"psql: {done.stderr}")
        return done.stdout.strip()

    def copy_to(self, path, query, options, *before):
        """Writes COPY (query) TO STDOUT (options) to a file, by psql, after running the statements `before`."""
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.dsn]
        for statement in before:
            command += ["-c", statement]
        command += ["-c", f"COPY ({query}) TO STDOUT ({options})"]
        with open(path, "wb") as file:
            done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise AssertionError(f"psql: {done.stderr}")

    def copy_from(self, table, rows):
        """Fills a table by COPY FROM; None is NULL."""
        escapes = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
        lines = ("\t".join("\\N" if value is None else str(value).translate(escapes) for value in row) for row in rows)
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.dsn, "-c", f"COPY {table} FROM STDIN"],
                              input="".join(line + "\n" for line in lines), capture_output=True, text=True, encoding="utf-8")
        if done.returncode != 0:
            raise AssertionError(f"psql: {done.stderr}")

    def source(self, **fields):
        """This database as a source of a catalog, in one line of YAML. Tests have no product to be polite to."""
        return json.dumps({"driver": "postgres", "primary": self.dsn, "primary_max_rows": "unlimited", "pacing": "off", **fields})


class Postgres(Database):
    """A throw-away PostgreSQL server."""

    def __init__(self, **settings):
        command = [sys.executable, str(ROOT / "tests/postgres_server.py"), "serve"]
        for name, value in settings.items():
            command[2:2] = ["--set", f"{name}={value}"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        super().__init__(self.process.stdout.readline().strip())
        if not self.dsn:
            raise AssertionError("PostgreSQL does not start")

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def _tell(self, word, answer):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline().strip()
        assert said == answer, said

    def halt(self):
        """The database goes away, as in a crash; its data stays."""
        self._tell("halt", "halted")

    def resume(self):
        self._tell("resume", "resumed")


class PostgresCluster:
    """A throw-away primary with streaming standbys; see tests/postgres_cluster.py."""

    def __init__(self, standbys=2, settings=None, standby_settings=None):
        command = [sys.executable, str(ROOT / "tests/postgres_cluster.py"), "--standbys", str(standbys), "serve"]
        for option, values in (("--set", settings), ("--set-standby", standby_settings)):
            for name, value in (values or {}).items():
                command[2:2] = [option, f"{name}={value}"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = {}
        for line in self.process.stdout:
            if line == "ready\n":
                break
            name, _, told[name] = line.strip().partition("=")
        else:
            raise AssertionError("the PostgreSQL servers do not start")
        self.directory = pathlib.Path(told.pop("directory"))
        self.servers = {name: Database(dsn) for name, dsn in told.items()}
        self.primary = self.servers["primary"]
        self.standbys = [database for name, database in self.servers.items() if name != "primary"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def _tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline().strip()
        assert said == "ok", f"{line}: {said}"

    def wait_caught_up(self):
        """All standbys that run have what was written by now."""
        self._tell("wait_caught_up")

    def pause_replay(self, name):
        self._tell(f"pause_replay {name}")

    def resume_replay(self, name):
        self._tell(f"resume_replay {name}")

    def halt(self, name):
        """The server goes away, as in a crash; its data stay."""
        self._tell(f"halt {name}")

    def resume(self, name):
        self._tell(f"resume {name}")

    def change(self, name, **settings):
        """Settings of a running server that no command line has set; None is the default again."""
        for setting, value in settings.items():
            self.servers[name].sql(f"ALTER SYSTEM " + (f"RESET {setting}" if value is None else f"SET {setting} = '{value}'"))
        self.servers[name].sql("SELECT pg_reload_conf()")
        for setting, value in settings.items():
            wait_until(lambda: value is None or self.servers[name].sql(f"SELECT current_setting('{setting}') = '{value}'") == "t", f"{setting} = {value}")

    def log(self, name):
        """What a server has logged."""
        return (self.directory / name / "log").read_text(errors="replace")

    def source(self, *standbys, **fields):
        """These standbys as replicas of a source of a catalog, in one line of YAML; the primary is added with primary=True."""
        replicas = [self.servers[name].dsn for name in standbys]
        if fields.pop("primary", False):
            fields["primary"] = self.primary.dsn
        return json.dumps({"driver": "postgres", **({"replicas": replicas} if replicas else {}), **fields})


# A view may give slow(id, column) in place of a column: then a hundred rows, where ids are tens of row numbers, cost the time
# that the sequence says in microseconds. Unlike a table, a sequence looks the same to every snapshot.
SLOW = (
    "CREATE SEQUENCE pause",
    "CREATE FUNCTION slow(n bigint, value text) RETURNS text LANGUAGE plpgsql STABLE COST 1000 AS $$ BEGIN "
    "IF n % 1000 = 0 THEN PERFORM pg_sleep((last_value - 1) / 1e6) FROM pause; END IF; RETURN value; END $$",
)


def set_pause(database, seconds):
    """What slow() costs for each hundred rows."""
    database.sql(f"SELECT setval('pause', {1 + int(seconds * 1e6)})")


class ApiError(Exception):
    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem


class Server:
    """`longshore serve` on a free port, in a directory that outlives restarts."""

    def __init__(self, directory, catalog, settings=None, data=None, wrapper=()):
        """`settings`: sections of the configuration that differ from the usual; `tokens` are added. `data`: the data
        directory, when several servers share one; else one inside `directory`. `wrapper`: a command that executes the
        server's command line in its place."""
        self.directory = pathlib.Path(directory)
        self.data = pathlib.Path(data) if data else self.directory / "data"
        self.settings = settings or {}
        self.wrapper = list(wrapper)
        self.process = None
        self.url = None
        self.log_offset = 0
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
                    *self.settings.get("tokens", []),
                ],
            },
            "log": {"level": "debug", "format": "json"},
        }
        for section in ("role", "storage", "metadata", "manifest", "log"):
            if section in self.settings:
                configuration[section] = self.settings[section]
        # JSON is YAML.
        (self.directory / "longshore.yaml").write_text(json.dumps(configuration, indent=1))

    def start(self, wait=True, **environment):
        self.log_offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.wrapper, str(BINARY), "serve", "--config", str(self.directory / "longshore.yaml")],
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

    def log_events(self, message, **fields):
        """The log lines since the last start() with this message and these fields, as dictionaries."""
        events = []
        for line in self.log_lines():
            if message not in line:
                continue
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if event.get("message") == message and all(event.get(k) == v for k, v in fields.items()):
                    events.append(event)
        return events

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
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def __enter__(self):
        return self

    def __exit__(self, failure, *unused):
        self.kill()
        report = SANITIZER_REPORT.search(self.log_path.read_text(errors="replace")) if self.log_path.exists() else None
        if report and not failure:
            raise AssertionError(f"a sanitizer found something:\n{report.group()}")

    # --- the API

    def call(self, method, path, body=None, token=TOKEN, headers=None, sink=None):
        """Returns (status, headers, bytes); raises ApiError for 4xx and 5xx. `sink`: gets the bytes piece by piece."""
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
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                if sink is None:
                    return response.status, response.headers, response.read()
                while chunk := response.read(1 << 20):
                    sink(chunk)
                return response.status, response.headers, b""
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

    def wait_running(self, export_id, rows=1, token=TOKEN):
        """Waits until an export has processed so many rows; it must not finish before."""
        def far_enough():
            status = self.status(export_id, token)
            if status["status"] not in ("QUEUED", "RUNNING"):
                raise AssertionError(f"it ended too soon: {status}")
            return status["metrics"]["totalRowsProcessed"] >= rows and status
        return wait_until(far_enough, f"{export_id} processes {rows} rows")

    def link(self, export_id, token=TOKEN, **fields):
        return self.json("POST", f"/v1/exports/{export_id}/download-url", fields or None, token=token)["downloadUrl"]

    def download(self, export_id, token=TOKEN):
        return self.call("GET", self.link(export_id, token), token=None)[2]

    def download_to(self, path, export_id, token=TOKEN):
        with open(path, "wb") as file:
            self.call("GET", self.link(export_id, token), token=None, sink=file.write)

    def digest(self, export_id, compression="none", token=TOKEN, watch=None):
        """SHA-256 of the file's content, decompressed. `watch` sees the content piece by piece."""
        content = Content(compression, watch)
        self.call("GET", self.link(export_id, token), token=None, sink=content.add)
        return content.finish()

    def verify(self, export_id, directory):
        """Downloads file and manifest and has `longshore verify` prove one against the other."""
        file = pathlib.Path(directory) / f"{export_id}.file"
        manifest = pathlib.Path(directory) / f"{export_id}.manifest.json"
        self.download_to(file, export_id)
        manifest.write_bytes(self.call("GET", f"/v1/exports/{export_id}/manifest")[2])
        done = subprocess.run([str(BINARY), "verify", str(file), str(manifest)], capture_output=True, text=True)
        file.unlink()
        if done.returncode != 0:
            raise AssertionError(f"longshore verify: {done.stdout}{done.stderr}")

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

    # --- the metadata

    def rows(self, query, *parameters):
        """What the metadata store says, also while no server runs."""
        with contextlib.closing(sqlite3.connect(f"file:{self.data / 'longshore.db'}?mode=ro", uri=True, timeout=60)) as database:
            return database.execute(query, parameters).fetchall()

    def partitions(self, export_id):
        return self.json("GET", f"/v1/exports/{export_id}/partitions")["partitions"]

    # --- what is left over

    def stored_files(self):
        """The objects and what else lies in the store's directory, relative to it, and everything left in uploads/ and tmp/."""
        root = self.data / "objects"
        found = stored_in(root)
        found += [path for place in ("uploads", "tmp") if (root / place).exists() for path in (root / place).iterdir()]
        return sorted({str(path.relative_to(root)) for path in found})

    def wait_clean(self, export_id):
        """Waits until the cleaning of a finished export is done."""
        job = export_id.removeprefix("exp_")
        wait_until(lambda: self.rows("SELECT 1 FROM export_jobs WHERE id = ? AND needs_cleaning = 0", job),
                   f"{export_id} is cleaned")

    def expect_only(self, *export_ids):
        """The store holds the artefacts and manifests of these exports, and nothing else."""
        for export_id in export_ids:
            self.wait_clean(export_id)
        wait_until(lambda: not self.rows("SELECT 1 FROM export_jobs WHERE needs_cleaning = 1"), "all cleaning is done")
        jobs = [export_id.removeprefix("exp_") for export_id in export_ids]
        artefact = ("objects/acme/exports/", "objects/globex/exports/")
        def unexpected():
            return [n for n in self.stored_files() if not n.startswith(artefact) or not any(job in n for job in jobs)]
        # What a killed process left half-written goes with the first sweep of the next one.
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not unexpected(), "the store is clean", 10)
        assert not unexpected(), f"left over in the store: {unexpected()}"
        assert len(self.stored_files()) == 2 * len(jobs), self.stored_files()


def stored_in(directory):
    """The files below it; an object that was uploaded in parts counts as one, its directory."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    objects = {path.parent for path in files if path.name == "~object"}
    return [path for path in files if path.parent not in objects or not path.name.startswith("~")] + sorted(objects)


class Content:
    """Digests a file as it comes, decompressed by libraries that are not ours."""

    def __init__(self, compression="none", watch=None):
        self.hash = hashlib.sha256()
        self.size = 0
        self.watch = watch
        self.decompressor = None
        if compression == "gzip":
            self.decompressor = zlib.decompressobj(wbits=31)  # one member, with its header and checksum
        elif compression == "zstd":
            import zstandard
            self.decompressor = zstandard.ZstdDecompressor().decompressobj()

    def add(self, chunk):
        if self.decompressor:
            chunk = self.decompressor.decompress(chunk)
        self.hash.update(chunk)
        self.size += len(chunk)
        if self.watch:
            self.watch(chunk)

    def finish(self):
        if self.decompressor:
            assert self.decompressor.eof, "the compressed file is cut off"
            assert not self.decompressor.unused_data, "bytes follow the first gzip member or zstd frame"
        return self.hash.hexdigest()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def make_items(path, rows, wide=100, other_rows=100, seed=1):
    """A SQLite database with a table `items`: `rows` rows of the tenant acme, `other_rows` of globex among them. The
    notes have `wide` characters that hardly compress."""
    source = random.Random(seed)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, name TEXT, note TEXT)")
        step = max(1, rows // max(1, other_rows))
        def generate():
            for i in range(1, rows + 1):
                note = base64.b64encode(source.randbytes(wide * 3 // 4 + 2)).decode()[:wide]
                yield 2 * i, "acme", f'item "{i}", =1+{i}', note
                if i % step == 0 and i // step <= other_rows:
                    yield 2 * i + 1, "globex", f"secret of globex {i}", None
        database.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", generate())
        database.execute("CREATE UNIQUE INDEX items_tenant_id ON items (tenant_id, id)")
        database.execute("ANALYZE")
        database.commit()


def sqlite_source(path, **fields):
    return json.dumps({"driver": "sqlite", "path": str(path), **fields})


def items_catalog(source, relation="items", retention="7d"):
    """A catalog of the one dataset `items`; `source`: the YAML of its source, in one line."""
    return f"""
sources:
  app: {source}
datasets:
  items:
    source: app
    relation: {relation}
    tenant_column: tenant_id
    key: [id]
    permission: exports.items
    retention: {retention}
    columns:
      id: {{ column: id, type: int64 }}
      name: {{ column: name, type: text }}
      note: {{ column: note, type: text, permission: notes.read }}
    filters: [id, name]
"""
