#!/usr/bin/env python3
"""What an export costs the users of a database: transactions a second of pgbench with and without one, in alternation.

  run.py BUILD_DIR [CASE…]     LONGSHORE_BENCH_ROUNDS (default 8): how often each kind of phase comes

A primary and a streaming standby. A case is a load and where the export reads:

  standby     pgbench -S on the standby that the export reads too: what sharing a replica costs its other readers
  primary     pgbench (TPC-B) on the primary, while the export reads the standby: what is promised to the product
  own         pgbench (TPC-B) on the primary, which the export reads too

each with 1 client, and with 4 (`standby.4`, …), which ask for more than the server has, so that whatever the export takes is
missing for them.

In production the database, its clients and Longshore have a machine each. Here the server that the load is on gets half of the
processors for itself; pgbench gets the other half, and what else there is (Longshore, in the case `primary` also the standby)
only the time there that pgbench does not want (SCHED_IDLE). What is shared all the same is memory and its caches, so the
figures say rather too much than too little. A loop on each processor that only gets the time that nobody else wants keeps it
awake: a virtual processor that sleeps between two turns of pgbench takes long to wake, so that an export which keeps it awake
would make pgbench faster, and nothing else would be seen.

pgbench runs all the while and says once a second how fast it was. Beside it runs an export at default pacing, which is held
(SIGSTOP) and let go on every some seconds; then one with pacing off; then none. A loss is 1 - TPS while it goes on / mean TPS
while it is held before and after, without the seconds in which that changes. What counts is the median over the rounds. The
loss by no export shows how far the figures can be believed.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests/system")]
from audit_table import CREATE, DATASET, figure, median, psql  # noqa: E402
import harness  # noqa: E402

ROWS = 2_000_000
PHASE = 5  # seconds, of which the first does not count
# How long an export runs before it is measured: pacing begins low and finds out what the server can bear.
WARM_UP = 15
LOADS = {
    "standby": {"load": "standby1", "read": "standby1", "script": "select-only"},
    "primary": {"load": "primary", "read": "standby1", "script": "tpcb-like"},
    "own": {"load": "primary", "read": "primary", "script": "tpcb-like"},
}
CASES = [f"{load}{clients}" for load in LOADS for clients in ("", ".4")]
KINDS = {"default": "default pacing", "off": "pacing off", "none": "no export"}

PROCESSORS = sorted(os.sched_getaffinity(0))
OTHERS, SERVERS = PROCESSORS[: len(PROCESSORS) // 2], PROCESSORS[len(PROCESSORS) // 2 :]


def place(pid, processors, idle):
    """Where a process and all that it starts from now on may run. One that has ended by now does not matter."""
    with contextlib.suppress(ProcessLookupError):
        os.sched_setaffinity(pid, processors)
        os.sched_setscheduler(pid, os.SCHED_IDLE if idle else os.SCHED_OTHER, os.sched_param(0))


def started(command, processors, idle, **options):
    """A process that is placed, and ends with this one."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "taskset", "-c", ",".join(map(str, processors)),
                             *(["chrt", "--idle", "0"] if idle else []), *command], **options)


class Export:
    """An export that is begun again as soon as it has ended. It can be held and let go on."""

    def __init__(self, command):
        self.command = command
        self.lock = threading.Lock()
        self.held = self.stopping = False
        self.begin()
        self.thread = threading.Thread(target=self.repeat)
        self.thread.start()

    def begin(self):
        self.process = started(self.command, OTHERS, idle=True, stdout=subprocess.DEVNULL)
        if self.held:
            self.process.send_signal(signal.SIGSTOP)

    def repeat(self):
        while True:
            code = self.process.wait()
            with self.lock:
                if self.stopping:
                    return
                if code:
                    print(f"politeness: the export ended with {code}", file=sys.stderr)
                    os._exit(1)
                self.begin()

    def hold(self, held):
        with self.lock:
            self.held = held
            self.process.send_signal(signal.SIGSTOP if held else signal.SIGCONT)

    def stop(self):
        with self.lock:
            self.stopping = True
            self.process.kill()
        self.thread.join()


@contextlib.contextmanager
def processors_awake():
    # In sessions of their own, of little weight (sched_autogroup), so that they come after Longshore, too.
    command = ["setsid", "bash", "-c", "[ ! -e /proc/self/autogroup ] || echo 19 > /proc/self/autogroup; while :; do :; done"]
    loops = [started(command, [processor], idle=True) for processor in PROCESSORS]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


class Load:
    """pgbench, from begin to end of a case."""

    def __init__(self, database, script, clients):
        self.process = started(["pgbench", "-n", "-b", script, "-M", "prepared", "-T", "100000", "-P", "1", "-c", str(clients), "-j", "1",
                                database.dsn], OTHERS, idle=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def seconds(self, count):
        """Transactions a second in each of the next seconds."""
        rates = []
        for line in self.process.stderr:
            if said := re.match(r"progress: [0-9.]+ s, ([0-9.]+) tps", line):
                rates.append(float(said[1]))
            if len(rates) == count:
                return rates
        sys.exit("politeness: pgbench ended")

    def stop(self):
        self.process.kill()
        self.process.wait()


class Bench:
    def __init__(self, build, directory, servers):
        self.rounds = int(os.environ.get("LONGSHORE_BENCH_ROUNDS", "8"))
        self.build = build
        self.directory = directory
        self.servers = servers
        sources = {"standby1": servers.source("standby1"), "primary": servers.source(primary=True, primary_max_rows="unlimited")}
        for name, source in sources.items():
            for pacing, text in (("default", source), ("off", source[:-1] + ', "pacing": "off"}')):
                (directory / f"{name}-{pacing}.yaml").write_text(f"sources:\n  app: {text}\ndatasets:\n" + DATASET.format(relation="audit_logs"))

    def place_servers(self, load):
        """The server that the load is on has its processors for itself."""
        for name in ("primary", "standby1"):
            mine = name == load
            postmaster = int((self.servers.directory / name / "data/postmaster.pid").read_text().split()[0])
            children = map(int, subprocess.run(["pgrep", "-P", str(postmaster)], check=True, capture_output=True, text=True).stdout.split())
            for pid in (postmaster, *children):
                place(pid, SERVERS if mine else OTHERS, idle=not mine)

    def export(self, read, pacing):
        return Export([str(self.build / "bin/export_bench"), str(self.directory / f"{read}-{pacing}.yaml"), "audit_logs", "acme", "csv",
                       "none", "2", "0", "discard"])

    def rows_read(self, read):
        return int(self.servers.servers[read].sql("SELECT idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'audit_logs'"))

    def run(self, case):
        name, _, clients = case.partition(".")
        setting = LOADS[name]
        self.place_servers(setting["load"])
        load = Load(self.servers.servers[setting["load"]], setting["script"], clients or "1")
        idle = []
        try:
            for kind in KINDS:
                idle += self.measure(case, kind, setting["read"], load)
        finally:
            load.stop()
        figure(f"politeness/{case}", median(idle), "tps")

    def measure(self, case, kind, read, load):
        """Returns the transactions a second of the phases without export."""

        def phase():
            return sum(load.seconds(PHASE)[1:]) / (PHASE - 1)

        export = None if kind == "none" else self.export(read, kind)
        losses, rates = [], []
        try:
            if export:
                load.seconds(WARM_UP)
                export.hold(True)
            idle = [phase()]
            for _ in range(self.rounds):
                rows = self.rows_read(read)
                if export:
                    export.hold(False)
                tps = phase()
                if export:
                    export.hold(True)
                idle.append(phase())
                rates.append((self.rows_read(read) - rows) / PHASE)
                losses.append(100 * (1 - tps * 2 / (idle[-2] + idle[-1])))
        finally:
            if export:
                export.stop()
        figure(f"politeness/{case}, {KINDS[kind]}, loss" + (" (aim: 5)" if kind == "default" else ""), median(losses), "%")
        if export:
            figure(f"politeness/{case}, {KINDS[kind]}, export", median(rates), "rows/s")
        print(f"{case} {KINDS[kind]}: {' '.join(f'{loss:.1f}' for loss in losses)}", file=sys.stderr)
        return idle


def main():
    build = pathlib.Path(sys.argv[1])
    cases = sys.argv[2:] or CASES
    if unknown := set(cases) - set(CASES):
        sys.exit(f"politeness: there is no case {', '.join(unknown)}; there are: {' '.join(CASES)}")
    if len(PROCESSORS) < 2:
        sys.exit("politeness: two processors are needed, one for the server and one for all others")
    with tempfile.TemporaryDirectory(prefix="longshore-bench-") as directory, contextlib.ExitStack() as stack:
        servers = harness.PostgresCluster(standbys=1)
        stack.callback(servers.close)
        for statement in (CREATE % {"rows": ROWS, "report_rows": 1}).replace("UNLOGGED ", "").split(";\n"):
            if statement.strip():
                psql(servers.primary.dsn, statement, stdout=subprocess.DEVNULL)
        subprocess.run(["pgbench", "-i", "-q", "-s", "5", servers.primary.dsn], check=True, capture_output=True)
        servers.wait_caught_up()
        bench = Bench(build, pathlib.Path(directory), servers)
        stack.enter_context(processors_awake())
        for case in cases:
            bench.run(case)


if __name__ == "__main__":
    main()
