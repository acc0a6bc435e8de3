#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is lost to a guest whose host sends to the VF from the moment at which it plugs it in.

The VF is an e1000e that is plugged in again and again under 1,000 datagrams/s each way. What was
sent before the card had its link is not counted: nobody could have received it. netvf's lagg is
measured beside the kernel's bond and net_failover and, if a revision is given, beside netvf of that
revision.

    bench/vm_arrival.py BUILD [REVISION]      also writes BUILD/bench/vm-arrival.json

NETVF_BENCH_PAIRS: how often the VF is plugged in, 7 unless said.
"""

import dataclasses
import json
import os
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "lab")]

import ratios
from against import build_revision
from netvf_lab import sandbox
from netvf_lab.agents import TO_GUEST, VF
from netvf_lab.places import Places
from netvf_lab.report import Report
from netvf_lab.story import Story
from netvf_lab.topology import NUD_NOARP
from netvf_lab.vm import initramfs
from netvf_lab.vm.cache import Cache
from netvf_lab.vm.peers import PEERS
from netvf_lab.vm.run import VmOptions, VmRun
from netvf_lab.vm.session import Session

COUNT = int(os.environ.get("NETVF_BENCH_PAIRS", "7"))
THIS, OLD = "netvf", "netvf of the other revision"
BOUNDS = {OLD: 1 / 10, "bond": 1.0, "net_failover": 1.0}
LINK_WITHIN = 60  # seconds


class Arrival(VmRun):
    """links: of each VF that came, when its card had the link, in the host's time."""

    def __init__(self, options, session):
        super().__init__(options, session)
        self.links = []

    def _plug(self):
        host = self.topology
        host.switch.point(host.vf.host_index, host.hn.host_index, NUD_NOARP)
        super()._plug()
        self.links.append(self._await_link())

    def _await_link(self):
        name = ""
        while not name:
            name = self.session.vf_name()
        carrier = f"/sys/class/net/{name}/carrier"
        uptime = self.session.guest.run(
            f"until read -r up <{carrier} && [ $up = 1 ]; do usleep 2000; done 2>/dev/null;"
            " cat /proc/uptime", within=LINK_WITHIN).split()[0]
        return self.session.host_time(int(float(uptime) * 1e9))

    def lost(self):
        """Of each VF that came: datagrams to the guest that were sent from the link on, until the
        VF went, and never arrived."""
        report = Report(self)
        numbers = [number for *_, first, count in self.results["received"][TO_GUEST]["lost_runs"]
                   for number in range(first, first + count)]
        times = [report.sent_at(TO_GUEST, number) for number in numbers]
        ends = [switch.at for switch in self.switches if switch.to != VF] + [float("inf")]
        return [sum(link <= at < end for at in times) for link, end in zip(self.links, ends)]


def measure(name, where, kernel, busybox):
    print(f"bench: arrival: {name}", file=sys.stderr, flush=True)
    archive = "/run/arrival.initramfs"
    initramfs.build(archive, where, kernel, busybox)
    options = VmOptions(rules=where.rules, cycles=COUNT - 1, pps=1000, size=256, dwell=0.5,
                        detach="acpi")
    peer = PEERS[THIS if name == OLD else name]()
    with Session(peer, where, kernel, archive, Story(quiet=True)) as session:
        run = Arrival(options, session)
        run.run()
    if run.failure:
        raise RuntimeError(f"{name}: {run.failure}")
    return run.lost()


def bench(places, debian, output):
    kernel, busybox = debian
    lost = {name: measure(name, where, kernel, busybox) for name, where in places.items()}
    rows = [ratios.row(f"lost to the guest, VF plugged in, beside {name}", lost[name], lost[THIS],
                       BOUNDS[name]) for name in lost if name != THIS]
    print(*ratios.table(rows), sep="\n")
    output.write(json.dumps({"kernel": kernel.release, "lost": lost, "figures": rows}, indent=1)
                 + "\n")
    return 0


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    this = Places.of_build(TOP, build)
    places = {THIS: this}
    if len(sys.argv) > 2:
        old = Places.of_build(TOP, build_revision(build, sys.argv[2]))
        places[OLD] = dataclasses.replace(old, agent=this.agent, cache=this.cache)
    places |= {"bond": this, "net_failover": this}
    cache = Cache(this)
    debian = cache.kernel(), cache.busybox()  # fetched here: the sandbox has no network
    with open(build / "bench/vm-arrival.json", "w", encoding="ascii") as output:
        return sandbox.run(lambda: bench(places, debian, output), this.libexec)


if __name__ == "__main__":
    sys.exit(main())
