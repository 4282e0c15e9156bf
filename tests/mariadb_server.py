#!/usr/bin/env python3
"""A throw-away MariaDB server for tests and benchmarks.

  mariadb_server.py start DIR        make a server in DIR (created if missing), wait until it answers, print its URL
  mariadb_server.py stop DIR         stop the server of DIR and remove DIR
  mariadb_server.py run -- COMMAND…  run COMMAND with a fresh server in LONGSHORE_TEST_MARIADB; exit as it does
  mariadb_server.py serve            start a fresh server, print its URL, stop it when standard input ends

The URL is `mysql://root@127.0.0.1:PORT/test`: root has no password, everybody on this machine is let in. The server
listens on 127.0.0.1 (a free port) and on a Unix socket in DIR, and keeps nothing safe. It only ever stops the process
that it started. Needs the package mariadb-server-core, which has no service that could start by itself.

Extra settings: --set name=value (may be repeated).
"""

import argparse
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from free_port import free_port

SETTINGS = {
    "innodb-flush-method": "nosync",
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-doublewrite": "0",
    "innodb-log-file-size": "64M",
    "innodb-buffer-pool-size": "128M",
    "innodb-fast-shutdown": "2",
    "innodb-stats-auto-recalc": "0",  # statistics change only when a test says ANALYZE
    "skip-log-bin": "1",
    "skip-name-resolve": "1",
    "performance-schema": "0",
    "max-connections": "100",
}


def binary(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
    if not found:
        sys.exit(f"mariadb_server: {name} not found; install the package mariadb-server-core (scripts/install.sh test)")
    return found


def account():
    """The user that the server runs as when we are root, which it refuses to be."""
    return "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def make_data(directory):
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, 0o755)
    if os.geteuid() == 0:
        os.chown(directory, pwd.getpwnam("nobody").pw_uid, -1)
    done = subprocess.run(
        [binary("mariadb-install-db"), "--no-defaults", f"--datadir={directory}/data", f"--user={account()}",
         "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-flush-method=nosync",
         "--innodb-log-file-size=64M"],
        capture_output=True, text=True, cwd="/")
    if done.returncode != 0:
        sys.exit(f"mariadb_server: mariadb-install-db failed in {directory}:\n{done.stdout}{done.stderr}")


def answers(port, process):
    """A server greets whoever connects."""
    if process.poll() is not None:
        return False
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            return len(client.recv(5)) > 0
    except OSError:
        return False


def start(directory, settings):
    """Returns the URL."""
    directory = os.path.abspath(directory)
    make_data(directory)
    # The only statement that runs before anybody can connect.
    with open(f"{directory}/init.sql", "w") as file:
        file.write("CREATE DATABASE IF NOT EXISTS test CHARACTER SET utf8mb4;\n")
    os.chmod(f"{directory}/init.sql", 0o644)
    for _ in range(5):  # another process may take the port between the probe and the bind
        port = free_port()
        command = [binary("mariadbd"), "--no-defaults", f"--datadir={directory}/data", f"--user={account()}",
                   f"--port={port}", "--bind-address=127.0.0.1", f"--pid-file={directory}/server.pid",
                   f"--init-file={directory}/init.sql"]
        # A socket's path may have 107 bytes: the server is in its data directory when it makes it.
        command.append("--socket=../socket")
        command += [f"--{name}={value}" for name, value in {**SETTINGS, **settings}.items()]
        with open(f"{directory}/log", "ab") as log:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                      start_new_session=True)
        deadline = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < deadline:
            if answers(port, server):
                with open(f"{directory}/pid", "w") as file:
                    file.write(str(server.pid))
                return f"mysql://root@127.0.0.1:{port}/test"
            time.sleep(0.02)
        if server.poll() is None:
            server.kill()
            server.wait()
    with open(f"{directory}/log") as log:
        sys.exit(f"mariadb_server: the server does not start:\n{log.read()[-4000:]}")


def is_ours(pid, directory):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return f"--datadir={directory}/data".encode() in file.read().split(b"\0")
    except OSError:
        return False


def stop(directory):
    directory = os.path.abspath(directory)
    try:
        with open(f"{directory}/pid") as file:
            pid = int(file.read())
    except (OSError, ValueError):
        pid = 0
    if pid and is_ours(pid, directory):
        os.kill(pid, signal.SIGKILL)  # nothing here is worth a shutdown
        deadline = time.monotonic() + 10
        while is_ours(pid, directory) and time.monotonic() < deadline:
            try:
                os.waitpid(pid, os.WNOHANG)  # only if it is our own child
            except ChildProcessError:
                pass
            time.sleep(0.02)
    shutil.rmtree(directory, ignore_errors=True)


class Interrupted(Exception):
    pass


def interrupt(number, _frame):
    raise Interrupted(number)


def with_server(settings, body):
    """Calls body(url) with a fresh server, which is gone afterwards, also after a signal."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    directory = tempfile.mkdtemp(prefix="longshore-my-")
    try:
        return body(start(directory, settings))
    except Interrupted as signalled:
        return 128 + signalled.args[0]
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stop(directory)


def run(command, settings):
    def body(url):
        child = subprocess.Popen(command, env={**os.environ, "LONGSHORE_TEST_MARIADB": url})
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

    return with_server(settings, body)


def serve(settings):
    def body(url):
        print(url, flush=True)
        while sys.stdin.readline():
            pass
        return 0

    return with_server(settings, body)


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
