#!/usr/bin/env python3
"""A throw-away PostgreSQL primary with streaming standbys, for tests and benchmarks.

  postgres_cluster.py serve   start them, print a line `NAME=DSN` for each (primary, standby1, standby2 …), one
                              `directory=PATH`, and `ready`; stop all when standard input ends

Commands are lines on standard input, each answered by a line, `ok` or `error: …`:

  pause_replay NAME     the standby goes on receiving, but shows nothing newer (pg_wal_replay_pause)
  resume_replay NAME
  halt NAME             the server goes down at once, as in a crash, and keeps its data
  resume NAME           it comes back with its data and on its port
  wait_caught_up        returns when all standbys that run have replayed what the primary has written by now

The log of a server is PATH/NAME/log. Servers are made as by postgres_server.py: loopback, free ports, trust, nothing safe.
Options before `serve`: --standbys N (2), --set NAME=VALUE for all servers, --set-standby NAME=VALUE for standbys only.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time

import postgres_server

SETTINGS = {
    "wal_keep_size": "2GB",  # a standby that comes back finds what it missed, without replication slots
    "max_wal_senders": "10",
    "synchronous_commit": "on",  # what is not flushed is not sent; without fsync it costs next to nothing
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "100ms",
}


def ask(dsn, query):
    """What psql prints; an exception if the server does not answer."""
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", dsn + " connect_timeout=5", "-c", query],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return done.stdout.strip()


def poll(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited too long: {what}")
        time.sleep(0.01)


class Cluster:
    def __init__(self, directory, standbys, settings, standby_settings):
        self.directory = directory
        self.dsns = {}
        self.halted = set()
        postgres_server.make_directory(directory)
        settings = {**SETTINGS, **settings}
        self.dsns["primary"] = postgres_server.start(self.place("primary"), settings)
        names = [f"standby{number}" for number in range(1, standbys + 1)]
        for name, copying in [(name, self.copy_primary(name)) for name in names]:
            said = copying.communicate()[0]
            if copying.returncode != 0:
                raise RuntimeError(f"pg_basebackup failed:\n{said}")
            self.dsns[name] = postgres_server.launch(self.place(name), {**settings, **standby_settings})
        for name in names:
            poll(lambda name=name: self.is_streaming(name), f"{name} streams")

    def place(self, name):
        return os.path.join(self.directory, name)

    def copy_primary(self, name):
        postgres_server.make_directory(self.place(name))
        return subprocess.Popen(
            [postgres_server.binary("pg_basebackup"), "-D", f"{self.place(name)}/data", "--write-recovery-conf", "--checkpoint=fast",
             "--no-sync", "-d", f"{self.dsns['primary']} application_name={name}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", **postgres_server.account())

    def is_streaming(self, name):
        return ask(self.dsns["primary"], f"SELECT count(*) FROM pg_stat_replication WHERE application_name = '{name}' AND state = 'streaming'") == "1"

    def running_standbys(self):
        return [name for name in self.dsns if name != "primary" and name not in self.halted]

    def wait_caught_up(self):
        ask(self.dsns["primary"], "SELECT pg_current_xact_id()")  # its commit flushes what stands before it, a vacuum's records too
        written = ask(self.dsns["primary"], "SELECT pg_current_wal_flush_lsn()")
        for name in self.running_standbys():
            poll(lambda name=name: ask(self.dsns[name], f"SELECT pg_last_wal_replay_lsn() >= '{written}'") == "t", f"{name} catches up")

    def pause_replay(self, name):
        ask(self.dsns[name], "SELECT pg_wal_replay_pause()")
        poll(lambda: ask(self.dsns[name], "SELECT pg_get_wal_replay_pause_state()") == "paused", f"{name} pauses its replay")

    def resume_replay(self, name):
        ask(self.dsns[name], "SELECT pg_wal_replay_resume()")

    def halt(self, name):
        postgres_server.halt(self.place(name))
        self.halted.add(name)

    def resume(self, name):
        postgres_server.resume(self.place(name))
        self.halted.discard(name)

    def obey(self, line):
        word, *names = line.split() or [""]
        commands = {"wait_caught_up": 0, "pause_replay": 1, "resume_replay": 1, "halt": 1, "resume": 1}
        if commands.get(word) != len(names) or any(name not in self.dsns for name in names):
            raise RuntimeError(f"what is {line!r}?")
        getattr(self, word)(*names)


def remove(directory):
    for name in os.listdir(directory):
        postgres_server.halt(os.path.join(directory, name))
    shutil.rmtree(directory, ignore_errors=True)


def serve(standbys, settings, standby_settings):
    def body(directory):
        cluster = Cluster(directory, standbys, settings, standby_settings)
        for name, dsn in cluster.dsns.items():
            print(f"{name}={dsn}")
        print(f"directory={directory}\nready", flush=True)
        for line in iter(sys.stdin.readline, ""):
            try:
                cluster.obey(line)
                print("ok", flush=True)
            except (RuntimeError, SystemExit) as failure:
                print("error: " + " ".join(str(failure).split()), flush=True)
        return 0

    return postgres_server.with_directory(body, remove)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--standbys", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--set-standby", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("action", choices=["serve"])
    arguments = parser.parse_args()

    def pairs(entries):
        return dict(entry.split("=", 1) for entry in entries)

    return serve(arguments.standbys, pairs(arguments.set), pairs(arguments.set_standby))


if __name__ == "__main__":
    sys.exit(main())
