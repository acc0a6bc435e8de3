# SPDX-License-Identifier: BSD-2-Clause
"""One scenario in a guest: its VF goes in some way, and comes back, under traffic."""

import contextlib
import os
from dataclasses import dataclass

from ..agents import FROM_GUEST, HN, TO_GUEST, VF
from ..migrate import NAMES, SWITCHED_WITHIN, Migration, Options
from .qemu import SLOTS

ALONE = 4  # seconds of traffic by hn alone

GONE = {
    "acpi": ("host", "takes the VF away (ACPI)"),
    "live": ("host", "takes the VF away, to migrate the guest"),
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
PLUGGED = ("acpi", "pcie", "live")


@dataclass
class VmOptions(Options):
    pps: int = 1000
    back: str = "same"
    vf: str = "e1000e"
    packets: int = 0  # carried each way at the end of each dwell, however slow the machine is


class VmRun(Migration):
    """Options.detach is one of GONE; without meaning for a peer that has no VF.

    The session's first scenario also shows how the first VF comes. When a later one begins, its VF
    has been there for a while. Each ends without a VF.
    """

    def __init__(self, options, session):
        super().__init__(options, session.places, session.story, session.loop)
        self.session = session
        self.peer = session.peer
        self.first = session.scenarios == 0
        self._slots = SLOTS["pcie" if options.detach == "pcie" else "acpi"]
        self._slot = self._slots[0]
        self._driver = options.vf
        self._bound = None  # the device that is to be unbound, and its driver
        self._vf_name = None
        self.told = None  # by the peer, at the end
        session.scenarios += 1

    def _world(self):
        return contextlib.nullcontext(self.session.host)

    def _daemon_log(self):
        return self.session.log()

    def _boot(self):
        if self.first:
            self.session.boot()
        elif self.peer.has_vf:
            self._plug()
            self.session.await_link()
            self.peer.settle(self.session.guest)
            self._begins_on = VF

    def _dwell(self, seconds):
        path = self.switches[-1].to if self.switches else self._begins_on
        before = self.traffic.observer.packets()
        self.session.dwell(seconds)
        self.loop.wait(
            lambda: self._carried(path, before) >= self.options.packets,
            SWITCHED_WITHIN,
            f"{self.options.packets} datagrams each way by {NAMES[path]}",
        )

    def _carried(self, path, before):
        """How many datagrams the path has carried since then, in the slower direction."""
        now = self.traffic.observer.packets()
        return min(now[way][path] - before[way][path] for way in (TO_GUEST, FROM_GUEST))

    def _migrate(self):
        options = self.options
        if not self.peer.has_vf:
            self._dwell(ALONE)
            return
        if self.first:
            self._switch(0, VF, options.detach)
            self._dwell(options.dwell)
        for cycle in range(1, options.cycles + 1):
            self._leave(cycle)
            self._dwell(options.dwell)
            if options.back == "never":
                return
            self._switch(cycle, VF, options.detach)
            self._dwell(options.dwell)

    def _leave(self, cycle):
        self._switch(cycle, HN, self.options.detach)

    def _switch(self, cycle, to, kind):
        self._prepare(cycle, to)
        # The deeds are asked of the topology; a real guest's are done here.
        self.topology.detach = self._detach
        self.topology.bring_back = self._bring_back if cycle else lambda _: self._plug()
        super()._switch(cycle, to, kind)
        if to == VF:
            self.peer.settle(self.session.guest)

    def _prepare(self, cycle, to):
        """What must be so before the deed, and takes time."""
        if to == HN:
            if self.options.detach in ("unbind", "admindown") or self.options.back == "name":
                self._vf_name = self.session.vf_name()
        elif cycle and self.options.detach in PLUGGED:
            self.session.qemu.await_unplugged()
            back = self.options.back
            if back == "slot":
                self._slot = self._slots[1 - self._slots.index(self._slot)]
            elif back == "driver":
                self._driver = self._other_card()
            elif back == "name":
                # The kernel gives the first that is free.
                self.session.guest.run(f"ip link add {self._vf_name} type dummy")

    def _other_card(self):
        own = self.options.vf
        other = "e1000e" if own == "e1000" else "e1000"
        return other if self._driver == own else own

    def _plug(self):
        self.session.plug(self._driver, self._slot)

    def _detach(self, kind):
        session = self.session
        if kind in PLUGGED:
            self.topology.point_to_hn()
            session.qemu.unplug()
        elif kind == "linkdown":
            self.topology.point_to_hn()
            session.qemu.set_link(False)
        elif kind == "admindown":
            session.guest.run(f"ip link set {self._vf_name} down")
        else:
            device = f"/sys/class/net/{self._vf_name}/device"
            self._bound = session.guest.run(f"readlink -f {device} {device}/driver").split()
            address, driver = os.path.basename(self._bound[0]), self._bound[1]
            session.guest.run(f"echo {address} >{driver}/unbind")

    def _bring_back(self, kind):
        session = self.session
        if kind in PLUGGED:
            self._plug()
        elif kind == "linkdown":
            self.topology.follow_guest()
            session.qemu.set_link(True)
        elif kind == "admindown":
            session.guest.run(f"ip link set {self._vf_name} up")
        else:
            address, driver = os.path.basename(self._bound[0]), self._bound[1]
            session.guest.run(f"echo {address} >{driver}/bind")

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
        self.told = self.peer.told(self.session.guest)
        _shift(self.results, self.session.host_time)
        self.traffic.close()

    def clear(self):
        """Takes the VF away, for the next scenario."""
        if self.session.vf_name():
            self.session.qemu.unplug()
            self.session.qemu.await_unplugged()

    def more(self, report):
        """What the report says besides what all reports do."""
        return {}


def _shift(results, host_time):
    """The guest's times, told by the host's clock."""
    sent = results["sent"][FROM_GUEST]
    sent["start"] = host_time(sent["start"])
    stream = results["streams"][1]
    lists = (sent["pauses"], results["received"][TO_GUEST]["gaps"], stream["stalls"])
    for spans in (*lists, stream["pauses"]):
        for span in spans:
            begin, end = host_time(span[0]), host_time(span[0] + span[1])
            span[:2] = begin, end - begin
