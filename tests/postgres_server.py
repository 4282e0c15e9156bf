#!/usr/bin/env python3
"""A throw-away PostgreSQL server for tests and benchmarks.

  postgres_server.py start DIR        make a cluster in DIR (created if missing), wait until it answers, print its DSN
  postgres_server.py stop DIR         stop the server of DIR and remove DIR
  postgres_server.py run -- COMMAND…  run COMMAND with a fresh server in LONGSHORE_TEST_POSTGRES; exit as it does
  postgres_server.py serve            start a fresh server, print its DSN, stop it when standard input ends; a line
                                      `halt` takes it down as a crash does, `resume` brings it back with its data and
                                      on its port; each is answered by a line `halted`, `resumed`

The server listens on 127.0.0.1 (a free port; elsewhere, too, with --set listen_addresses=…) and on a Unix socket in DIR,
lets everybody in (trust), and keeps nothing safe (fsync off). It only ever stops the process that it started. `serve` is for programs: however the program ends, its
end of the pipe closes and the server goes away.

Extra settings: --set name=value (may be repeated).
"""

import argparse
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from free_port import free_port

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "max_connections": "100",
    "autovacuum": "off",  # statistics change only when a test says ANALYZE
    "log_min_messages": "warning",
}


def binary(name):
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}")) or [shutil.which(name)]
    if not found[-1]:
        sys.exit(f"postgres_server: {name} not found; install the package postgresql")
    return found[-1]


def account():
    """How to start a child as somebody whom PostgreSQL accepts: not root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def make_directory(directory):
    """One that the server's account may use."""
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, 0o755)
    if os.geteuid() == 0:
        entry = pwd.getpwnam("postgres")
        os.chown(directory, entry.pw_uid, entry.pw_gid)


def make_cluster(directory):
    make_directory(directory)
    done = subprocess.run(
        [binary("initdb"), "-D", f"{directory}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
         "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
        capture_output=True, text=True, cwd="/", **account())
    if done.returncode != 0:
        sys.exit(f"postgres_server: initdb failed in {directory}:\n{done.stdout}{done.stderr}")


def is_ready(directory, server):
    """Whether this very process serves: what pg_ctl looks at. A connection could be answered by another's server."""
    try:
        with open(f"{directory}/data/postmaster.pid") as file:
            lines = file.read().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(server.pid) and lines[7].strip() == "ready"


def start(directory, settings):
    """Returns the DSN."""
    directory = os.path.abspath(directory)
    make_cluster(directory)
    if "listen_addresses" in settings:
        with open(f"{directory}/data/pg_hba.conf", "a") as file:
            file.write("host all all all trust\n")
    return launch(directory, settings)


def launch(directory, settings):
    """Starts a server on the data that lie in `directory` already; returns the DSN."""
    for _ in range(5):  # another process may take the port between the probe and the bind
        port = free_port()
        command = [binary("postgres"), "-D", f"{directory}/data", "-p", str(port),
                   "-c", "listen_addresses=127.0.0.1"]
        # A socket's path may have 107 bytes; without one there is still TCP.
        socket_directory = directory if len(directory) < 80 else ""
        command += ["-c", f"unix_socket_directories={socket_directory}"]
        for name, value in {**SETTINGS, **settings}.items():
            command += ["-c", f"{name}={value}"]
        with open(f"{directory}/log", "ab") as log:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                      start_new_session=True, **account())
        deadline = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < deadline:
            if is_ready(directory, server):
                with open(f"{directory}/pid", "w") as file:
                    file.write(str(server.pid))
                with open(f"{directory}/command", "w") as file:
                    file.write("\0".join(command))
                return f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
            time.sleep(0.02)
        if server.poll() is None:
            server.kill()
            server.wait()
    with open(f"{directory}/log") as log:
        sys.exit(f"postgres_server: the server does not start:\n{log.read()[-4000:]}")


def is_ours(pid, directory):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return f"{directory}/data".encode() in file.read().split(b"\0")
    except OSError:
        return False


def halt(directory):
    """Takes the server of `directory` down at once and keeps its data: what a crash of the database is to its clients."""
    directory = os.path.abspath(directory)
    try:
        with open(f"{directory}/pid") as file:
            pid = int(file.read())
    except (OSError, ValueError):
        pid = 0
    if pid and is_ours(pid, directory):
        os.kill(pid, signal.SIGQUIT)  # immediate: nothing here is worth a shutdown checkpoint
        deadline = time.monotonic() + 10
        while is_ours(pid, directory) and time.monotonic() < deadline:
            try:
                os.waitpid(pid, os.WNOHANG)  # only if it is our own child
            except ChildProcessError:
                pass
            time.sleep(0.02)
        if is_ours(pid, directory):
            os.kill(pid, signal.SIGKILL)


def resume(directory):
    """Starts the server of `directory` again after halt(), on the same port."""
    directory = os.path.abspath(directory)
    with open(f"{directory}/command") as file:
        command = file.read().split("\0")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # the port is free again once the last backend has gone
        with open(f"{directory}/log", "ab") as log:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                      start_new_session=True, **account())
        with open(f"{directory}/pid", "w") as file:
            file.write(str(server.pid))
        while server.poll() is None and time.monotonic() < deadline:
            if is_ready(directory, server):
                return
            time.sleep(0.02)
        time.sleep(0.05)
    with open(f"{directory}/log") as log:
        sys.exit(f"postgres_server: the server does not start again:\n{log.read()[-4000:]}")


def stop(directory):
    halt(directory)
    shutil.rmtree(os.path.abspath(directory), ignore_errors=True)


class Interrupted(Exception):
    pass


def interrupt(number, _frame):
    raise Interrupted(number)


def with_directory(body, clean):
    """Calls body(directory) with a temporary directory, and clean(directory) afterwards, also after a signal."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    directory = tempfile.mkdtemp(prefix="longshore-pg-")
    try:
        return body(directory)
    except Interrupted as signalled:
        return 128 + signalled.args[0]
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        clean(directory)


def run(command, settings):
    def body(directory):
        dsn = start(directory, settings)
        child = subprocess.Popen(command, env={**os.environ, "LONGSHORE_TEST_POSTGRES": dsn})
        try:
            code = child.wait()
        except Interrupted:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
            raise
        return code if code >= 0 else 128 - code

    return with_directory(body, stop)


def serve(settings):
    def body(directory):
        print(start(directory, settings), flush=True)
        for line in iter(sys.stdin.readline, ""):
            if line.strip() == "halt":
                halt(directory)
                print("halted", flush=True)
            elif line.strip() == "resume":
                resume(directory)
                print("resumed", flush=True)
        return 0

    return with_directory(body, stop)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a server setting")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("start").add_argument("directory")
    actions.add_parser("stop").add_argument("directory")
    actions.add_parser("run").add_argument("command", nargs=argparse.REMAINDER)
    actions.add_parser("serve")
    arguments = parser.parse_args()
    settings = dict(entry.split("=", 1) for entry in arguments.set)
    if arguments.action == "start":
        print(start(arguments.directory, settings))
        return 0
    if arguments.action == "stop":
        stop(arguments.directory)
        return 0
    if arguments.action == "serve":
        return serve(settings)
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        parser.error("run needs a command")
    return run(command, settings)


if __name__ == "__main__":
    sys.exit(main())
