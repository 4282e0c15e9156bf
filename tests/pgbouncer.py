#!/usr/bin/env python3
"""A throw-away pgbouncer in transaction mode, for tests.

  pgbouncer.py serve HOST PORT   stand before the PostgreSQL server there, print a DSN, stop when standard input ends

It listens on 127.0.0.1 (a free port), lets everybody in as the user postgres, and has Debian's defaults otherwise: what a
client may not expect of a pooler in transaction mode, this one does not give. It refuses to run as root, so it runs as
postgres then, as tests/postgres_server.py does.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import postgres_server
from free_port import free_port

CONFIGURATION = """
[databases]
* = host={host} port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 500
default_pool_size = 20
"""


def binary():
    found = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    return found or sys.exit("pgbouncer: not found; install the package pgbouncer (scripts/install.sh test)")


def answers(port):
    return subprocess.run([postgres_server.binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode == 0


def start(directory, host, port):
    """Returns the process and its DSN."""
    for _ in range(5):  # another process may take the port between the probe and the bind
        listen = free_port()
        with open(f"{directory}/pgbouncer.ini", "w") as file:
            file.write(CONFIGURATION.format(host=host, port=port, listen=listen))
        with open(f"{directory}/log", "ab") as log:
            process = subprocess.Popen([binary(), f"{directory}/pgbouncer.ini"], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, cwd="/", **postgres_server.account())
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            if answers(listen):
                return process, f"host=127.0.0.1 port={listen} user=postgres dbname=postgres"
            time.sleep(0.02)
        if process.poll() is None:
            process.kill()
        process.wait()
    with open(f"{directory}/log") as log:
        sys.exit(f"pgbouncer: it does not start:\n{log.read()[-4000:]}")


def main():
    if len(sys.argv) != 4 or sys.argv[1] != "serve":
        sys.exit(__doc__)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, postgres_server.interrupt)
    directory = tempfile.mkdtemp(prefix="longshore-pgbouncer-")
    os.chmod(directory, 0o755)
    process = None
    try:
        process, dsn = start(directory, sys.argv[2], sys.argv[3])
        print(dsn, flush=True)
        sys.stdin.read()
    except postgres_server.Interrupted:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if process is not None:
            process.kill()
            process.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
