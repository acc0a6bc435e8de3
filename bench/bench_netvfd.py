#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""netvfd as a whole: event to action, memory, start, and how often an idle one wakes up.

Needs root. NETVF_BENCH_IDLE: seconds to watch the idle one, 60 unless said.
"""

import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "lab"), str(TOP / "tests/netns")]

from harness import BUILD, Guest, Netvfd, uevent_message, uevent_socket, wait_until
from netvf_lab import sandbox
from netvf_lab.topology import Topology

PAIRS = 64
EVENTS = 300
STARTS = 20
LOOK_EVERY = 0.8  # seconds, between two looks for removed programs (failover/reattach.c)
IDLE_SECONDS = float(os.environ.get("NETVF_BENCH_IDLE", "60"))
LIBEXEC = [BUILD / "src/libexec/hyperv_vfattach", BUILD / "src/libexec/hyperv_vfup"]


def say(text):
    print(f"bench: netvfd: {text}", file=sys.stderr, flush=True)


def event_to_action(guest, directory):
    """Milliseconds from before the kernel tells an event to main() of its action."""
    directory.mkdir()
    fifo = directory / "stamps"
    os.mkfifo(fifo)
    # Both ends, so that no reader ever sees the end when a writer closes.
    stamps = os.fdopen(os.open(fifo, os.O_RDWR), "r")
    rules = f"""
        notify 10 {{
            match "system" "DEVFS";
            match "subsystem" "CDEV";
            match "type" "CREATE";
            match "cdev" "bench";
            action "{BUILD}/bench/stamp {fifo}";
        }};"""
    daemon = Netvfd(guest, directory, rules, "").start()
    took = []
    add, remove = (uevent_message(action, "/devices/virtual/misc/bench", subsystem="misc",
                                  devname="bench") for action in ("add", "remove"))
    with uevent_socket(guest.namespace) as kernel:
        for _ in range(EVENTS):
            before = time.monotonic_ns()
            kernel.send(add)
            took.append((int(stamps.readline()) - before) / 1e6)
            kernel.send(remove)
    daemon.stop()
    return took


def add_pairs(guest):
    """hn0 to hn63 and vf0 to vf63 as ends of veths in the guest; hn0 is there already."""
    netlink = guest.netlink
    for number in range(PAIRS):
        mac = f"02:15:5d:00:01:{number:02x}"
        for kind in ("hn", "vf"):
            name = f"{kind}{number}"
            if not guest.namespace.index(name):
                netlink.link("add", ifname=name, kind="veth", address=mac,
                             peer={"ifname": f"p-{name}", "net_ns_fd": guest.host.net})
                with guest.host.entered():
                    subprocess.run(["ip", "link", "set", f"p-{name}", "up"], check=True)
            netlink.link("set", ifname=name, address=mac, state="up")


def start_to_ready(daemon, path):
    """Milliseconds from fork to READY=1, as systemd would measure it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        before = time.monotonic_ns()
        process = daemon.guest.popen(
            BUILD / "src/netvfd/netvfd", "-d", "-f", daemon.rules, "-c", daemon.rcconf,
            "--run-dir", daemon.run_dir, env={**os.environ, "NOTIFY_SOCKET": str(path)},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while b"READY=1" not in manager.recv(4096):
            pass
        took = (time.monotonic_ns() - before) / 1e6
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    path.unlink()
    return took


def pairs_conf():
    pairs = " ".join(f"hn{number}:vf{number}" for number in range(PAIRS))
    return f'netvf_pairs="{pairs}"\n'


def memory(pid):
    """Resident memory, and of it what is not shared with other processes, in KiB."""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    values = {line.split(":")[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
    return values["Rss"], values["Private_Clean"] + values["Private_Dirty"]


def switches(pid):
    """How often its threads were put to sleep or aside."""
    total = 0
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if "ctxt_switches" in line:
                total += int(line.split()[1])
    return total


def wakeups_per_minute(pid):
    """Idle begins when nothing happens for some seconds but looks for removed programs."""
    def rests():
        before = switches(pid)
        time.sleep(4)
        return switches(pid) - before <= 4 / LOOK_EVERY + 1

    wait_until(rests, 60, "netvfd has nothing left to do")
    before = switches(pid)
    time.sleep(IDLE_SECONDS)
    return (switches(pid) - before) * 60 / IDLE_SECONDS


def measure(guest, directory):
    say(f"{EVENTS} events, each to its action")
    latency = event_to_action(guest, directory / "latency")
    say(f"{STARTS} starts with {PAIRS} pairs")
    add_pairs(guest)
    (directory / "pairs").mkdir()
    daemon = Netvfd(guest, directory / "pairs", "", pairs_conf())
    ready = [start_to_ready(daemon, directory / "notify") for _ in range(STARTS)]
    daemon.start()
    wait_until(lambda: all(p["active"] == "vf" for p in daemon.status()["pairs"]), 60,
               f"all {PAIRS} pairs transmit on their VF")
    say(f"idle for {IDLE_SECONDS:g} s with {PAIRS} pairs")
    wakeups = wakeups_per_minute(daemon.process.pid)
    resident, private = memory(daemon.process.pid)
    daemon.stop()
    return latency, ready, wakeups, resident, private


def figure(name, value, unit, bound=None, ok=None):
    row = {"name": name, "value": value, "unit": unit}
    return row if bound is None else {**row, "bound": bound, "ok": ok}


def report(latency, ready, wakeups, resident, private):
    median = statistics.median(latency)
    tail = statistics.quantiles(latency, n=100)[98]
    return {"figures": [
        figure("event to its action's main(), median", median, "ms", "under 2", median < 2),
        figure("event to its action's main(), 99th of 100", tail, "ms"),
        figure(f"start to ready, {PAIRS} pairs, median", statistics.median(ready), "ms"),
        figure(f"resident memory, {PAIRS} pairs", resident, "KiB"),
        figure(f"of it private, {PAIRS} pairs", private, "KiB"),
        figure("wakeups per minute when idle", wakeups, "", "0", wakeups == 0),
    ], "event_to_action_ms": latency, "start_to_ready_ms": ready, "idle_seconds": IDLE_SECONDS}


def work():
    with Topology(str(BUILD / "lab/netvf-lab-agent")) as topology, \
            tempfile.TemporaryDirectory(dir="/run") as directory:
        topology.boot()
        figures = measure(Guest(topology), pathlib.Path(directory))
    print(json.dumps(report(*figures)))
    return 0


if __name__ == "__main__":
    sys.exit(sandbox.run(work, libexec=[str(path) for path in LIBEXEC]))
