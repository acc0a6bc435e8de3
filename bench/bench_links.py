#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a thousand new interfaces of others cost netvfd, and a VF that comes behind them.

Needs root. NETVF_BENCH_LINKS: how many, 1,000 unless said.
"""

import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "lab"), str(TOP / "tests/netns")]

from harness import BUILD, Guest, Netvfd, wait_until
from netvf_lab import sandbox
from netvf_lab.topology import GUEST_ADDRESS, PREFIX, Topology

LINKS = int(os.environ.get("NETVF_BENCH_LINKS", "1000"))
ROUNDS = 5
LIBEXEC = [BUILD / "src/libexec/hyperv_vfattach", BUILD / "src/libexec/hyperv_vfup"]
RC_CONF = f'netvf_pairs="hn0:vf0"\nifconfig_hn0="inet {GUEST_ADDRESS}/{PREFIX}"\n'
TICK = os.sysconf("SC_CLK_TCK")
LONG = 300  # seconds


def processor(pid):
    """Milliseconds that a process and its ended children have taken."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * 1000 / TICK


def make(guest, count):
    """`count` interfaces of the guest's: pairs of veths, as a host of containers has them."""
    lines = "".join(f"link add c{i}a type veth peer name c{i}b\n" for i in range(count // 2))
    guest.run("/usr/sbin/ip", "-batch", "-", input=lines, timeout=LONG, check=True)


def take_away(guest, count):
    lines = "".join(f"link del c{i}a\n" for i in range(count // 2))
    guest.run("/usr/sbin/ip", "-batch", "-", input=lines, timeout=LONG, check=True)


def attach(guest, daemon):
    """Milliseconds from before the VF is plugged in until its VF_UP."""
    since = len(daemon.events)
    began = time.monotonic()
    guest.attach_vf()
    daemon.wait_event("type=VF_UP", since, LONG)
    took = (time.monotonic() - began) * 1000
    guest.detach_vf("unplug")
    daemon.wait_event("type=VF_DOWN", since, LONG)
    daemon.wait_active("hn", deadline=LONG)
    return took


def idle(daemon):
    """No action is left."""
    daemon.ask("status")
    wait_until(lambda: daemon.log.count(": running ") == daemon.log.count("' for event '"), LONG)


def measure(guest, directory):
    daemon = Netvfd(guest, directory, (TOP / "etc/devd/hyperv.conf").read_text(), RC_CONF).start()
    alone, behind, took = [], [], []
    attach(guest, daemon)  # the first one moves hn's configuration
    for _ in range(ROUNDS):
        alone.append(attach(guest, daemon))
    for _ in range(ROUNDS):
        idle(daemon)
        before = processor(daemon.process.pid)
        make(guest, LINKS)
        idle(daemon)
        took.append(processor(daemon.process.pid) - before)
        take_away(guest, LINKS)
        idle(daemon)
        make(guest, LINKS)
        behind.append(attach(guest, daemon))
        take_away(guest, LINKS)
    daemon.stop()
    return alone, behind, took


def main():
    sandbox.isolate(libexec=[str(path) for path in LIBEXEC])
    with tempfile.TemporaryDirectory() as directory, \
            Topology(str(BUILD / "lab/netvf-lab-agent")) as topology:
        topology.boot()
        alone, behind, took = measure(Guest(topology), pathlib.Path(directory))
    figures = [
        ("a VF attached, until VF_UP", statistics.median(alone), "ms"),
        (f"the same behind {LINKS} new interfaces", statistics.median(behind), "ms"),
        ("beside none", statistics.median(behind) / statistics.median(alone), "times"),
        (f"processor for {LINKS} new interfaces", statistics.median(took), "ms"),
    ]
    json.dump({"figures": [{"name": name, "value": value, "unit": unit}
                           for name, value, unit in figures],
               "alone_ms": alone, "behind_ms": behind, "processor_ms": took}, sys.stdout)


main()
