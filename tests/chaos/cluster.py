"""The production shape as processes on one machine: API nodes, workers, two PostgreSQL servers, a Ceph RGW; and a client that goes to
another node when one does not answer."""

import contextlib
import http.client
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "tests/rgw")]
import gateway  # noqa: E402
import harness  # noqa: E402

from audit import Audit  # noqa: E402

BUCKET = "exports"
# Rows of about 1 KiB, in thousands; one tenant has none.
TENANTS = {"acme": 90, "globex": 25, "initech": 8, "umbrella": 1, "hooli": 0}

# One row in a thousand makes its reader wait, so that exports last without costing the machine anything. The function is declared
# stable, which is not quite true, so that the view stays as transparent to the planner as a plain one.
ITEMS = """
CREATE TABLE pace (seconds float8 NOT NULL);
INSERT INTO pace VALUES (0);
CREATE FUNCTION paced(name text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN PERFORM pg_sleep((SELECT seconds FROM pace)); RETURN name; END $$;
CREATE TABLE stored_items (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text NOT NULL, note text NOT NULL);
CREATE VIEW items AS SELECT id, tenant_id, CASE WHEN id % 1000 = 0 THEN paced(name) ELSE name END AS name, note FROM stored_items;
"""


class Unanswered(Exception):
    pass


def request_for(tenant, format, compression="none"):
    return {"tenant": tenant, "format": format, "compression": compression}


# What is asked for: every format, every compression, from nothing to some 90 MiB.
REQUESTS = [
    request_for("acme", "csv"), request_for("acme", "csv", "gzip"), request_for("acme", "csv", "zstd"), request_for("acme", "jsonl"),
    request_for("acme", "jsonl", "zstd"), request_for("acme", "json"), request_for("acme", "json", "gzip"), request_for("acme", "parquet"),
    request_for("globex", "csv"), request_for("globex", "jsonl", "gzip"), request_for("globex", "json", "zstd"),
    request_for("globex", "parquet"), request_for("globex", "xlsx"), request_for("globex", "pdf"),
    request_for("initech", "csv", "gzip"), request_for("initech", "jsonl"), request_for("initech", "parquet"), request_for("initech", "xlsx"),
    request_for("umbrella", "csv"), request_for("umbrella", "pdf"), request_for("umbrella", "json"), request_for("hooli", "csv"),
    request_for("hooli", "parquet"),
]


class Node:
    """One place for a process; each process that lives there has a name of its own, `worker-0.3`."""

    def __init__(self, cluster, role, number):
        self.cluster = cluster
        self.place = f"{role}-{number}"
        self.role = role
        self.starts = 0
        self.server = harness.Server(cluster.directory / self.place, cluster.catalog, cluster.settings(self),
                                     wrapper=cluster.wrapper(self))

    @property
    def name(self):
        return f"{self.place}.{self.starts}"

    def start(self, wait=True):
        self.starts += 1
        self.server.settings["metadata"]["url"] = f"{self.cluster.reach(self.cluster.metadata.dsn)} application_name={self.name}"
        self.server.write_configuration()
        self.server.start(wait=wait, SOURCE_DATE_EPOCH="1780000000")

    def find_url(self):
        """A process that was started without waiting has printed where it listens by the time that this is asked."""
        self.server.url = harness.wait_until(self.server._endpoint, f"{self.name} listens")

    def is_ready(self):
        try:
            return self.server.call("GET", "/readyz", token=None)[0] == 200
        except (harness.ApiError, OSError, http.client.HTTPException):
            return False

    def log_count(self, message):
        log = self.server.log_path.read_text(errors="replace") if self.server.log_path.exists() else ""
        return log.count(message)


class Cluster:
    # Where the servers are reached; they listen on all addresses if it is not this one.
    host = "127.0.0.1"

    def __init__(self, api_nodes=2, workers=3, lease=10.0, scale=1.0, slots=3):
        self.lease = lease
        self.scale = scale
        self.slots = slots
        self.closing = contextlib.ExitStack()
        self.directory = pathlib.Path(self.closing.enter_context(tempfile.TemporaryDirectory(prefix="longshore-chaos-")))
        self.directory.chmod(0o755)
        self.tokens = {tenant: f"test-token-of-{tenant}-9999" for tenant in TENANTS}
        self.retried_creates = 0
        try:
            self.prepare()
            self.start_servers()
            self.nodes = [Node(self, "api", i) for i in range(api_nodes)] + [Node(self, "worker", i) for i in range(workers)]
            for node in self.nodes:
                self.closing.callback(node.server.kill)
                node.start()
        except BaseException:
            self.close()
            raise

    def prepare(self):
        """Before any server is started."""

    def start_servers(self):
        everywhere = {} if self.host == "127.0.0.1" else {"listen_addresses": "*"}
        self.rgw = gateway.Rgw(STORE_BYTES=str(8 << 30), RGW_ADDRESS="127.0.0.1" if not everywhere else "0.0.0.0")
        self.closing.callback(self.rgw.close)
        self.bucket = self.rgw.client()
        self.bucket.create_bucket(Bucket=BUCKET)
        self.source = harness.Postgres(**everywhere)
        self.closing.callback(self.source.close)
        # What was answered must be there after a crash: that is what the metadata store is trusted for.
        self.metadata = harness.Postgres(synchronous_commit="on", max_connections="200", **everywhere)
        self.closing.callback(self.metadata.close)
        self.source.sql(ITEMS)
        first = 1
        for tenant, thousands in TENANTS.items():
            rows = int(thousands * 1000 * self.scale)
            self.source.sql(f"""
                INSERT INTO stored_items SELECT g, '{tenant}', 'item ' || g, (SELECT string_agg(md5(g::text || k), ' ') FROM generate_series(1, 28) k)
                FROM generate_series({first}, {first + rows - 1}) g""")
            first += rows
        self.source.sql("CREATE UNIQUE INDEX ON stored_items (tenant_id, id)", "VACUUM ANALYZE stored_items")
        self.catalog = harness.items_catalog(self.reach(self.source.source(max_connections=12)))
        self.migrate()
        self.audit = Audit(self.metadata)

    def migrate(self):
        path = self.directory / "migrate.yaml"
        path.write_text(json.dumps({"metadata": {"driver": "postgres", "url": self.metadata.dsn}, "catalog": {"path": "/dev/null"}}))
        subprocess.run([str(harness.BINARY), "migrate", "--config", str(path)], check=True, capture_output=True)

    def reach(self, address):
        return address.replace("127.0.0.1", self.host)

    def wrapper(self, _node):
        """The command that a node's command line is run by."""
        return ()

    def listen(self, _node):
        return "127.0.0.1:0"

    def settings(self, node):
        return {
            "role": node.role,
            "server": {"listen": self.listen(node)},
            "metadata": {"driver": "postgres", "url": self.reach(self.metadata.dsn)},
            "storage": {"driver": "s3", "endpoint": self.reach(self.rgw.values["S3_ENDPOINT"]), "bucket": BUCKET,
                        "access_key_id": self.rgw.values["AWS_ACCESS_KEY_ID"], "secret_access_key": self.rgw.values["AWS_SECRET_ACCESS_KEY"]},
            "manifest": {"key": "ab" * 32},
            "worker": {"slots": self.slots, "part_size": "5MiB", "partition_rows": 10_000,
                       # A view has no statistics, so its rows are thought to be small.
                       "partition_bytes": "640KiB",
                       "lease": f"{self.lease:.0f}s", "heartbeat": f"{int(self.lease * 100)}ms", "poll": "500ms"},
            "tokens": [{"token": token, "tenant": tenant, "user": "carol", "roles": ["admin"]} for tenant, token in self.tokens.items()],
        }

    @property
    def apis(self):
        return [node for node in self.nodes if node.role == "api"]

    @property
    def workers(self):
        return [node for node in self.nodes if node.role == "worker"]

    def set_pace(self, seconds):
        self.source.sql(f"UPDATE pace SET seconds = {seconds}")

    # --- a patient client

    def ask(self, call):
        """call(server) on whichever API node answers; 503 and broken connections are met by asking again."""
        deadline = time.monotonic() + harness.PATIENCE
        last = None
        while time.monotonic() < deadline:
            for node in self.apis:
                try:
                    return call(node.server)
                except harness.ApiError as error:
                    if error.status != 503:
                        raise
                    last = error
                except (OSError, http.client.HTTPException) as error:
                    last = error
            time.sleep(0.1)
        raise Unanswered(f"no API node answers: {last}")

    def create(self, request):
        key = str(uuid.uuid4())
        tries = 0

        def create(server):
            nonlocal tries
            tries += 1
            return server.create(format=request["format"], compression=request["compression"], token=self.tokens[request["tenant"]], key=key)

        export_id = self.ask(create)["exportId"]
        self.retried_creates += tries - 1
        return export_id

    def status(self, request, export_id):
        return self.ask(lambda server: server.status(export_id, token=self.tokens[request["tenant"]]))

    def fetch(self, request, export_id, path):
        """The file to `path`, its manifest beside it."""
        token = self.tokens[request["tenant"]]
        manifest = self.ask(lambda server: server.call("GET", f"/v1/exports/{export_id}/manifest", token=token)[2])
        path.with_suffix(".manifest.json").write_bytes(manifest)
        self.ask(lambda server: server.download_to(path, export_id, token=token))

    # --- whether all is well

    def runs_again(self):
        """Every node is ready and every worker alive."""
        return (all(node.is_ready() for node in self.nodes) and all(self.audit.alive(node.name) for node in self.workers))

    def leftovers(self):
        """What lies in the bucket besides one file and one manifest of each export, and what of these is missing."""
        files = {row["key"] for row in self.audit.rows("SELECT object_key AS key FROM export_jobs WHERE status = 'SUCCEEDED'")}
        expected = files | {key + ".manifest.json" for key in files}
        found = set(gateway.keys_in(self.bucket, BUCKET, ""))
        return {"unwanted": sorted(found - expected), "missing": sorted(expected - found), "uploads": gateway.uploads_in(self.bucket, BUCKET, ""),
                "artefacts": len(files)}

    def verify(self, path):
        done = subprocess.run([str(harness.BINARY), "verify", str(path), str(path.with_suffix(".manifest.json"))], capture_output=True, text=True)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def close(self):
        self.closing.close()

