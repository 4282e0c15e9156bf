#!/usr/bin/env python3
"""Free TCP ports of loopback for servers that are told where to listen.

  free_port.py [N]   prints N ports (1 if not given), separated by spaces

They lie below the range from which the system takes the ports of outgoing connections: a server that is halted and
resumed finds its port free, and no client of another test takes one between this probe and the server's bind.
"""

import random
import socket
import sys

LOWEST = 10240


def end_of_range():
    """The first port that outgoing connections may have."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            first = int(file.read().split()[0])
    except (OSError, ValueError):
        first = 32768
    return first if first > LOWEST + 1000 else 32768


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port():
    choose = random.SystemRandom()
    end = end_of_range()
    for _ in range(1000):
        port = choose.randrange(LOWEST, end)
        if is_free(port):
            return port
    raise OSError("no free port on 127.0.0.1")


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    ports = set()
    while len(ports) < wanted:
        ports.add(free_port())
    print(*ports)
