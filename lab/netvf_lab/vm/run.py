# SPDX-License-Identifier: BSD-2-Clause
"""One scenario in one guest: the VF comes, goes in some way, and comes back, under traffic."""

import os
import time
from dataclasses import dataclass

from ..agents import FROM_GUEST, HN, TO_GUEST, VF, Agent
from ..loop import Lines, Timeout
from ..migrate import Migration, Options
from .guest import Guest
from .host import Host
from .peers import PEERS
from .qemu import SLOTS, Qemu

CLOCK_SAMPLES = 20
ALONE = 4  # seconds of traffic by hn alone

GONE = {
    "acpi": ("host", "takes the VF away (ACPI)"),
    "pcie": ("host", "takes the VF away (the slot's attention button)"),
    "unbind": ("guest", "unbinds the VF's driver"),
    "linkdown": ("host", "cuts the VF's link"),
    "admindown": ("guest", "sets the VF down"),
}
BACK = {
    "same": "as it was",
    "slot": "in another slot",
    "name": "under another name",
    "driver": "as another card",
    "never": "never",
}
PLUGGED = ("acpi", "pcie")


@dataclass
class VmOptions(Options):
    pps: int = 1000
    peer: str = "netvf"
    back: str = "same"
    vf: str = "e1000e"


class VmRun(Migration):
    """Options.detach is one of GONE."""

    def __init__(self, options, places, kernel, initramfs, story=None):
        super().__init__(options, places, story)
        self.peer = PEERS[options.peer]()
        self._kernel = kernel
        self._initramfs = initramfs
        self._slot = SLOTS[0]
        self._driver = options.vf
        self._address = None  # the unbound device
        self.qemu = None
        self.guest = None
        self.clock = 0  # nanoseconds that the host's clock is ahead of the guest's

    def run(self):
        try:
            super().run()
        finally:
            if self.qemu:
                self.qemu.close()

    def _world(self):
        return Host()

    def _daemon_log(self):
        try:
            return self.peer.log(self.guest).splitlines() if self.guest else []
        except Timeout as timeout:
            return [*(self.qemu.log if self.qemu else []), f"no log: {timeout}"]

    def _boot(self):
        host = self.topology
        self.qemu = Qemu(
            self.loop,
            host.host,
            self._kernel,
            self._initramfs,
            hn=host.hn.name,
            vf=host.vf.name,
            hn_options=self.peer.hn,
            native_hotplug=self.options.detach == "pcie",
        )
        self.guest = host.guest = Guest(self.loop, self.qemu)
        self.guest.await_boot()
        self.story.tell("guest", f"boots Linux {self._kernel.release}")
        self._read_clock()
        self.peer.start(self.guest)
        if self.options.peer == "netvf":
            events = self.guest.popen(["netvf", "events"])
            Lines(self.loop, events.stdout, self._event)
        self.story.tell("guest", f"{self.options.peer} is ready")

    def _event(self, line):
        if not line.startswith("{"):
            super()._event(line)

    def _read_clock(self):
        agent = Agent(self.loop, self.guest, self.places.agent, "clock")
        best = None
        for _ in range(CLOCK_SAMPLES):
            before = time.monotonic_ns()
            now = agent.ask("now")["now"]
            after = time.monotonic_ns()
            if best is None or after - before < best:
                best = after - before
                self.clock = (before + after) // 2 - now

    def _dwell(self, seconds):
        self.loop.dwell(seconds)
        if self.qemu.process.poll() is not None:
            raise Timeout(f"QEMU ended, status {self.qemu.process.returncode}")

    def _migrate(self):
        if not self.peer.has_vf:
            self._dwell(ALONE)
            return
        if self.options.back != "never":
            super()._migrate()
            return
        self._switch(0, VF, self.options.detach)
        self._dwell(self.options.dwell)
        self._switch(1, HN, self.options.detach)
        self._dwell(self.options.dwell)

    def _switch(self, cycle, to, kind):
        self._prepare(cycle, to)
        # The deeds are asked of the topology; a real guest's are done here.
        self.topology.detach = self._detach
        self.topology.bring_back = self._plug if cycle == 0 else self._bring_back
        super()._switch(cycle, to, kind)
        if to == VF:
            self.peer.settle(self.guest)

    def _prepare(self, cycle, to):
        """What must be so before the deed, and takes time."""
        if to == HN:
            if self.options.detach in ("unbind", "admindown"):
                self._vf_name = self._find_vf()
            return
        if cycle == 0:
            return
        if self.options.detach in PLUGGED:
            self.qemu.await_unplugged()
            back = self.options.back
            if back == "slot":
                self._slot = SLOTS[1 - SLOTS.index(self._slot)]
            elif back == "driver":
                self._driver = "e1000" if self._driver == self.options.vf else self.options.vf
            elif back == "name":
                # The kernel gives the first free ethN.
                self.guest.run(f"ip link add eth{cycle - 1} type dummy")

    def _find_vf(self):
        """The guest's name for it."""
        return self.guest.run(
            "for l in /sys/class/net/*; do case $(readlink $l/device/driver) in"
            f" */{self._driver.replace('-', '_')}) echo ${{l##*/}};; esac; done"
        ).split()[0]

    def _plug(self, kind):
        self.topology.follow_guest()
        self.qemu.plug(self._driver, self._slot, **self.peer.vf)

    def _detach(self, kind):
        if kind in PLUGGED:
            self.topology.point_to_hn()
            self.qemu.unplug()
        elif kind == "linkdown":
            self.topology.point_to_hn()
            self.qemu.set_link(False)
        elif kind == "admindown":
            self.guest.run(f"ip link set {self._vf_name} down")
        else:
            device = f"/sys/class/net/{self._vf_name}/device"
            self._address = self.guest.run(f"basename $(readlink {device})").strip()
            self.guest.run(f"echo {self._address} >{device}/driver/unbind")

    def _bring_back(self, kind):
        if kind in PLUGGED:
            self._plug(kind)
        elif kind == "linkdown":
            self.topology.follow_guest()
            self.qemu.set_link(True)
        elif kind == "admindown":
            self.guest.run(f"ip link set {self._vf_name} up")
        else:
            self.guest.run(f"echo {self._address} >/sys/bus/pci/drivers/{self._driver}/bind")

    def _deed(self, to, kind, progress):
        if to == HN:
            who, text = GONE[kind]
            return who, f"{progress} {text}"
        if progress == "[first]":
            return "host", f"{progress} plugs a VF in ({self._driver}, {self._slot})"
        if kind in PLUGGED:
            return "host", f"{progress} plugs a VF in, {BACK[self.options.back]}"
        return GONE[kind][0], f"{progress} gives it back"

    def _finish(self):
        super()._finish()
        _shift(self.results, self.clock)

    def status(self):
        """`netvf status` at the end."""
        return self.guest.run("netvf status", check=False)


def _shift(results, clock):
    """The guest's times, told by the host's clock."""
    sent = results["sent"][FROM_GUEST]
    sent["start"] += clock
    stream = results["streams"][1]
    lists = (sent["pauses"], results["received"][TO_GUEST]["gaps"], stream["stalls"])
    for spans in (*lists, stream["pauses"]):
        for span in spans:
            span[0] += clock


def describe():
    """The machine, for whoever compares figures."""
    return f"{os.cpu_count()} processors, Linux {os.uname().release}"
