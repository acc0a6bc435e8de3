#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What users without rights take from the others on the machine by netvfd's sockets.

A user's busy process and netvfd are bound to one processor, everything else to another. Measured
in turn, alone and while clients of several uids do all they can: what netvfd takes of the busy
process's time, and how long after the kernel's message that a VF's carrier is lost root's client
hears VF_DOWN, by which time the pair has been switched. Needs root, and two processors.
"""

import json
import os
import pathlib
import socket
import statistics
import struct
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "lab"), str(TOP / "tests/netns")]

from pyroute2.netlink import rtnl

from harness import BUILD, Guest, Netvfd
from netvf_lab import sandbox
from netvf_lab.topology import Topology
from users import end, forked, start_clients

ROUNDS = 6
SWITCHES = 40  # of each round
SECONDS = 2  # of the busy process, of each round
BUSY_UID = 65000
LIBEXEC = [BUILD / "src/libexec/hyperv_vfattach", BUILD / "src/libexec/hyperv_vfup"]
# Nothing is moved when the VF comes: what is measured is the switch.
RULES = """
    notify 10 {
        match "system" "HYPERV_NIC_VF";
        match "type" "VF_UP";
        action "/bin/true";
    };
"""
RC_CONF = 'netvf_pairs="hn0:vf0"\nnetvf_holddown="0"\n'


def say(text):
    print(f"bench: users: {text}", file=sys.stderr, flush=True)


def spin():
    while True:
        pass


def processor_share(pids, seconds):
    """Of its processor, what each process has while so many seconds pass."""
    def state():
        used = [int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0])
                for pid in pids]
        return used, time.monotonic_ns()

    before, began = state()
    time.sleep(seconds)
    after, ended = state()
    return [(new - old) / (ended - began) for new, old in zip(after, before)]


def wait_message(messages, index, running):
    """The time at which the kernel told of the link, with IFF_RUNNING or without."""
    iff_running = 0x40
    while True:
        message = messages.recv(65536)
        told = time.monotonic_ns()
        _, kind = struct.unpack_from("=LH", message)
        if kind != rtnl.RTM_NEWLINK:
            continue
        link, flags = struct.unpack_from("=4xiI", message, 16)
        if link == index and bool(flags & iff_running) == running:
            return told


def wait_line(events, part):
    while part not in events.recv(8192):
        pass
    return time.monotonic_ns()


def switch_times(guest, events, messages):
    """Milliseconds from the kernel's message to VF_DOWN at root's client."""
    took = []
    vf = guest.topology.vf
    for _ in range(SWITCHES):
        guest.host.netlink.link("set", index=vf.host_index, state="down")
        told = wait_message(messages, vf.guest_index, False)
        took.append((wait_line(events, b"type=VF_DOWN") - told) / 1e6)
        guest.host.netlink.link("set", index=vf.host_index, state="up")
        wait_line(events, b"type=VF_UP")
    return took


class Figures:
    """Of both states, round by round."""

    def __init__(self):
        self.busy = {"alone": [], "with clients": []}
        self.netvfd = {"alone": [], "with clients": []}
        self.switch = {"alone": [], "with clients": []}


def take_round(guest, netvfd, hear, busy, figures):
    """A is not always before B on a machine that others use, so they take turns."""
    for state in figures.switch:
        clients = start_clients(netvfd.run_dir, processor=1) if state == "with clients" else []
        time.sleep(0.5)
        for share, of in zip(processor_share([busy, netvfd.process.pid], SECONDS),
                             [figures.busy, figures.netvfd]):
            of[state].append(share)
        figures.switch[state] += switch_times(guest, *hear)
        end(clients)


def measure(guest, directory):
    figures = Figures()
    netvfd = Netvfd(guest, directory, RULES, RC_CONF).start(under=["taskset", "--cpu-list", "0"])
    guest.attach_vf()
    guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
    netvfd.wait_active("vf")
    os.sched_setaffinity(0, {1})
    # Nothing but real-time priority comes before it.
    busy = forked(spin, uid=BUSY_UID, processor=0, nice=-20)
    # Who measures is not to wait for the clients.
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    with guest.namespace.entered():
        messages = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as events, messages:
        events.connect(str(netvfd.run_dir / "devd.seqpacket.pipe"))
        messages.bind((0, rtnl.RTMGRP_LINK))
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}")
            take_round(guest, netvfd, (events, messages), busy, figures)
    end([busy])
    netvfd.stop()
    return figures


def figure(name, value, unit, bound=None, ok=None):
    row = {"name": name, "value": value, "unit": unit}
    return row if bound is None else {**row, "bound": bound, "ok": ok}


def report(figures):
    busy = {state: statistics.median(values) for state, values in figures.busy.items()}
    switch = {state: statistics.median(values) for state, values in figures.switch.items()}
    late = {state: statistics.quantiles(values, n=20)[18]
            for state, values in figures.switch.items()}
    # Of the time that it shares with what else runs here, each loses the same part to netvfd.
    taken = {state: statistics.median(values) for state, values in figures.netvfd.items()}
    kept = 100 * (1 - taken["with clients"]) / (1 - taken["alone"])
    ratio = switch["with clients"] / switch["alone"]
    return {"figures": [
        figure("a busy process keeps of its time", kept, "%", "at least 90", kept >= 90),
        figure("its share of the processor, alone", 100 * busy["alone"], "%"),
        figure("the same beside clients", 100 * busy["with clients"], "%"),
        figure("netvfd's share, alone", 100 * taken["alone"], "%"),
        figure("netvfd's share beside clients", 100 * taken["with clients"], "%"),
        figure("carrier lost to VF_DOWN, alone, median", switch["alone"], "ms"),
        figure("the same beside clients", switch["with clients"], "ms"),
        figure("ratio of the two", ratio, "", "at most 1.5", ratio <= 1.5),
        figure("alone, 95th of 100", late["alone"], "ms"),
        figure("beside clients, 95th of 100", late["with clients"], "ms"),
    ], "busy": figures.busy, "netvfd": figures.netvfd, "switch_ms": figures.switch}


def work():
    with Topology(str(BUILD / "lab/netvf-lab-agent")) as topology, \
            tempfile.TemporaryDirectory(dir="/run") as directory:
        topology.boot()
        os.chmod(directory, 0o755)
        figures = measure(Guest(topology), pathlib.Path(directory))
    print(json.dumps(report(figures)))
    return 0


if __name__ == "__main__":
    sys.exit(sandbox.run(work, libexec=[str(path) for path in LIBEXEC]))
