"""What can go wrong, one function a kind. Each does it, mends it, and returns when that is done; what the cluster makes of it is not its
business. `random` decides everything that a schedule does not."""

import contextlib
import signal
import threading
import time

from cluster import BUCKET, harness

BUSY_LIMIT = 5


def busy_worker(cluster, random):
    """A worker with claims, if one comes to have some soon; else any."""
    order = random.sample(cluster.workers, len(cluster.workers))
    deadline = time.monotonic() + BUSY_LIMIT
    while time.monotonic() < deadline:
        for node in order:
            if cluster.audit.held_by(node.name):
                return node
        time.sleep(0.05)
    return order[0]


def wait_taken_over(cluster, claims, note):
    """Waits until each claim is somebody else's, and notes how long that took, and how long until it was anybody's to take."""
    after = {}

    def settled():
        for i, claim in enumerate(claims):
            if i not in after:
                seconds = cluster.audit.seconds_until("claim", claim)
                if seconds is not None:
                    after[i] = seconds
        return len(after) == len(claims)

    with contextlib.suppress(AssertionError):
        harness.wait_until(settled, "the work is taken over", 6 * cluster.lease)
    freed = [cluster.audit.seconds_until("free", claim) for claim in claims]
    note["freed"] = [round(seconds, 2) for seconds in freed if seconds is not None]
    note["takeovers"] = [round(seconds, 2) for seconds in after.values()]
    note["not_taken_over"] = [claim for i, claim in enumerate(claims) if i not in after]


def kill_worker(cluster, random, seconds, note):
    node = busy_worker(cluster, random)
    node.server.kill()
    claims = cluster.audit.held_by(node.name)
    note["victim"] = node.name
    time.sleep(seconds)
    node.start(wait=False)
    wait_taken_over(cluster, claims, note)
    node.find_url()


def stop_worker(cluster, random, seconds, note):
    node = busy_worker(cluster, random)
    node.server.signal(signal.SIGSTOP)
    note["victim"] = node.name
    before = cluster.audit.names(node.name)
    note["held"] = len(cluster.audit.held_by(node.name))
    time.sleep(cluster.lease + 1 + seconds)
    # Whoever wakes before the others have noticed may keep its name.
    harness.wait_until(lambda: cluster.audit.declared_lost(node.name), f"{node.name} is given up")
    node.server.signal(signal.SIGCONT)
    harness.wait_until(lambda: len(cluster.audit.names(node.name)) > len(before), f"{node.name} comes back under a new name")


def drain_worker(cluster, random, _seconds, note):
    node = busy_worker(cluster, random)
    note["victim"] = node.name
    begun = time.monotonic()
    note["exit"] = node.server.stop()
    note["drained_in"] = round(time.monotonic() - begun, 3)
    node.start()


def restart_api(cluster, random, seconds, note):
    node = random.choice(cluster.apis)
    note["victim"] = node.name
    if random.random() < 0.5:
        node.server.kill()
    else:
        node.server.stop()
    time.sleep(seconds / 4)
    node.start()


def restart_metadata(cluster, _random, seconds, _note):
    cluster.metadata.halt()
    time.sleep(seconds)
    cluster.metadata.resume()


def terminate_metadata_sessions(cluster, random, seconds, note):
    note["sessions"] = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        some = random.choice(["true", "random() < 0.3", "state <> 'idle'"])
        note["sessions"] += int(cluster.metadata.sql(f"""
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name ~ '^(api|worker)-' AND {some}"""))
        time.sleep(random.uniform(0.05, 0.5))


def restart_source(cluster, _random, seconds, _note):
    cluster.source.halt()
    time.sleep(seconds)
    cluster.source.resume()


def terminate_source_sessions(cluster, random, seconds, note):
    note["sessions"] = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        note["sessions"] += int(cluster.source.sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'longshore/%' AND random() < 0.5"))
        time.sleep(random.uniform(0.2, 1.0))


def kill_gateway(cluster, _random, seconds, _note):
    cluster.rgw.do("kill")
    time.sleep(seconds)
    cluster.rgw.do("start")


def pause_gateway(cluster, _random, seconds, _note):
    cluster.rgw.do("pause")
    time.sleep(2 * seconds)
    cluster.rgw.do("resume")


def throttle_gateway(cluster, _random, seconds, note):
    """One request at a time, the rest are told to slow down (503); others want answers, too."""
    before = cluster.rgw.refusals()
    done = threading.Event()

    def crowd():
        client = cluster.rgw.client()
        while not done.is_set():
            with contextlib.suppress(Exception):
                client.list_objects_v2(Bucket=BUCKET)

    crowds = [threading.Thread(target=crowd) for _ in range(3)]
    cluster.rgw.do("set rgw_max_concurrent_requests 1")
    for thread in crowds:
        thread.start()
    time.sleep(seconds)
    done.set()
    for thread in crowds:
        thread.join()
    cluster.rgw.do("set rgw_max_concurrent_requests 1024")
    note["refused"] = cluster.rgw.refusals() - before


FAULTS = {fault.__name__: fault for fault in (
    kill_worker, stop_worker, drain_worker, restart_api, restart_metadata, terminate_metadata_sessions, restart_source,
    terminate_source_sessions, kill_gateway, pause_gateway, throttle_gateway)}


def make_schedule(random, length, longest):
    """So many faults in random order: rounds of every kind, with the death of a worker three times. A list of (kind, seconds)."""
    kinds = []
    while len(kinds) < length:
        round_of = [*FAULTS, "kill_worker", "kill_worker"]
        random.shuffle(round_of)
        kinds += round_of
    return [(kind, round(random.uniform(0.2, longest), 2)) for kind in kinds[:length]]
