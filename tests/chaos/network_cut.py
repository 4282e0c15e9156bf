#!/usr/bin/env python3
"""Two workers on hosts of their own, whose links are cut and restored while they work: see README.md. Needs root.

  network_cut.py --seed N [--exports 24] [--cuts 3] [--seconds 30] …

The hosts are network namespaces on one bridge; a cut takes a host off the bridge, so that packets vanish and nobody is told. All of it is
in a network namespace of the program's own and gone when it ends.
"""

import os
import shutil
import subprocess
import sys
import time

from chaos import Run, arguments_of, carry_out
from cluster import Cluster, harness
from faults import busy_worker

HOST = "10.77.0.1"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Host:
    """A network namespace with a cable to the bridge."""

    def __init__(self, number):
        self.address = f"10.77.0.{10 + number}"
        self.cable = f"cable{number}"
        # The namespace lives as long as this process, and that as long as ours.
        self.keeper = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", "echo; exec sleep infinity"],
                                       stdout=subprocess.PIPE)
        self.keeper.stdout.readline()
        ip("link", "add", self.cable, "type", "veth", "peer", "name", "uplink", "netns", str(self.keeper.pid))
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", f"{self.address}/24", "dev", "uplink")
        self.run("ip", "link", "set", "uplink", "up")
        ip("link", "set", self.cable, "up")
        self.restore()

    @property
    def enter(self):
        return ["nsenter", "--target", str(self.keeper.pid), "--net"]

    def run(self, *command):
        subprocess.run([*self.enter, *command], check=True)

    def cut(self):
        ip("link", "set", self.cable, "nomaster")

    def restore(self):
        ip("link", "set", self.cable, "master", "hub")

    def close(self):
        self.keeper.kill()
        self.keeper.wait()
        self.keeper.stdout.close()


class TwoHosts(Cluster):
    """API node, databases and store are reached through the hub; each worker is alone on its host."""

    host = HOST

    def prepare(self):
        ip("link", "set", "lo", "up")
        ip("link", "add", "hub", "type", "bridge")
        ip("address", "add", f"{HOST}/24", "dev", "hub")
        ip("link", "set", "hub", "up")
        self.hosts = {}
        for number in range(2):
            host = Host(number)
            self.closing.callback(host.close)
            self.hosts[f"worker-{number}"] = host

    def host_of(self, node):
        return self.hosts[node.place]

    def wrapper(self, node):
        return self.host_of(node).enter if node.role == "worker" else ()

    def listen(self, node):
        return f"{self.host_of(node).address}:0" if node.role == "worker" else "127.0.0.1:0"


def cut(cluster, nodes, seconds, note):
    """Cuts the nodes off for so long; they must notice by themselves, and come back, under new names if others took over."""
    names = {node.name: cluster.audit.names(node.name) for node in nodes}
    noticed = {node.name: node.log_count("no heartbeat could be sent for a lease") for node in nodes}
    for node in nodes:
        cluster.host_of(node).cut()
    begun = time.monotonic()
    held = {node.name: cluster.audit.held_by(node.name) for node in nodes}
    claims = [claim for some in held.values() for claim in some]
    note["claims"] = len(claims)
    stopped = harness.wait_until(
        lambda: all(node.log_count("no heartbeat could be sent for a lease") > noticed[node.name] for node in nodes if held[node.name])
        and time.monotonic(), "the cut workers stop by themselves", seconds)
    note["stopped_by_itself_after"] = round(stopped - begun, 1)
    if len(nodes) < len(cluster.workers):
        # When it is claimed again is up to what else the survivor has in hand; that it is, the export's end shows.
        harness.wait_until(lambda: not any(cluster.audit.held_by(node.name) for node in nodes), "the claims are freed", seconds)
        freed = [cluster.audit.seconds_until("free", claim) for claim in claims]
        note["freed"] = [round(after, 2) for after in freed if after is not None]
    time.sleep(max(0.0, begun + seconds - time.monotonic()))
    for node in nodes:
        cluster.host_of(node).restore()
    restored = time.monotonic()
    # Somebody must have been there to declare it lost; who was alone comes back as who it was.
    renamed = len(nodes) < len(cluster.workers)
    for node in nodes:
        harness.wait_until(lambda node=node: cluster.audit.alive(node.name) and (
            not renamed or len(cluster.audit.names(node.name)) > len(names[node.name])), f"{node.name} comes back")
    note["back_after"] = round(time.monotonic() - restored, 1)


def cut_one(cluster, random, seconds, note):
    node = busy_worker(cluster, random)
    note["victim"] = node.name
    cut(cluster, [node], seconds, note)


def cut_both(cluster, random, seconds, note):
    busy_worker(cluster, random)
    cut(cluster, cluster.workers, seconds, note)


FAULTS = {"cut_one": cut_one, "cut_both": cut_both}


def require_namespaces():
    if os.geteuid() != 0:
        sys.exit("network_cut: network namespaces need root")
    missing = [program for program in ("ip", "unshare", "nsenter", "setpriv") if not shutil.which(program)]
    if missing:
        sys.exit(f"network_cut: not installed: {' '.join(missing)}; run scripts/install.sh test")
    tried = subprocess.run(["unshare", "--net", "sh", "-c", "ip link add x type veth peer name y && ip link add z type bridge"],
                           capture_output=True, text=True)
    if tried.returncode != 0:
        sys.exit(f"network_cut: this kernel or container has no network namespaces, veth or bridges: {tried.stderr.strip()}")


def main():
    parser = arguments_of(__doc__)
    parser.add_argument("--cuts", type=int, default=3, help="the last one cuts both hosts off")
    parser.add_argument("--seconds", type=float, default=30, help="how long a link is cut")
    parser.set_defaults(exports=24, pace=0.4)
    arguments = parser.parse_args()
    if "LONGSHORE_IN_NAMESPACE" not in os.environ:
        require_namespaces()
        os.environ["LONGSHORE_IN_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    cluster = TwoHosts(api_nodes=1, workers=2, lease=arguments.lease, scale=arguments.scale)
    schedule = [("cut_one", arguments.seconds)] * (arguments.cuts - 1) + [("cut_both", arguments.seconds)]
    return carry_out(Run(arguments, cluster, FAULTS, lambda _order: schedule))


if __name__ == "__main__":
    sys.exit(main())
