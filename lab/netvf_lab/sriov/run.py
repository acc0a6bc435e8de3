# SPDX-License-Identifier: BSD-2-Clause
"""A VF goes in several ways and comes back, round after round, under traffic."""

import contextlib
import json
import time
from dataclasses import dataclass, field

from ..agents import FROM_GUEST, HN, TO_GUEST, VF
from ..loop import Timeout
from ..migrate import ARROWS, NAMES, Migration, Options, Switch
from ..topology import GUEST_MAC
from ..traffic import Traffic
from .checks import Checks
from .machine import CARD, OTHER_MAC

BACK_WITHIN = 60  # seconds
TCP_INTERVAL = 10_000  # microseconds between two records
AWAY_WITHIN = 5  # seconds; nobody need leave a VF that goes on to pass frames
STAYS = 2  # seconds in which nothing should happen

WAYS = {
    "unbind": "driver unbound",
    "numvfs": "sriov_numvfs 0",
    "vfdown": "VF set down",
    "pfdown": "PF set down",
    "pflink": "PF's link cut",
    "flr": "function-level reset",
    "portvlan": "port VLAN",
    "mac": "VF given another MAC",
    "trust": "trust changed",
    "spoofchk": "spoof check changed",
}
HARMLESS = ("mac", "trust", "spoofchk")  # the VF goes on to pass frames


@dataclass
class SriovOptions(Options):
    pps: int = 500
    ways: list = field(default_factory=lambda: ["numvfs"])
    trust: str = "off"
    spoofchk: str = "on"
    checks: bool = True
    minutes: float = float("inf")  # of each way; no round begins after that


class SriovRun(Migration):
    """Options.cycles: rounds of each way. A failure ends it."""

    def __init__(self, options, session):
        super().__init__(options, session.places, session.story, session.loop)
        self.session = session
        self.peer = session.peer
        self.checked = []  # of each check: way, cycle, path, and what it told
        self.held = []  # at the beginning and at the end, of a peer that can tell
        self.told = None
        self.done = []  # ways
        self._checks = None
        self._vf_name = None

    def _world(self):
        return contextlib.nullcontext(self.session.host)

    def _daemon_log(self):
        return self.session.log()

    def _boot(self):
        self.session.boot()

    def _start_traffic(self):
        options, session = self.options, self.session
        self.traffic = Traffic(self.loop, self.topology, self.places.agent, options.pps,
                               options.size, TCP_INTERVAL, session.host_time)
        began = time.monotonic_ns()
        self.traffic.start()
        self._await_path(HN, began, "traffic flows by hn")
        session.dwell(options.dwell)

    def _migrate(self):
        options = self.options
        self._come(0, options.ways[0], "plugs a VF in", self.topology.add_vf)
        self._checks = Checks(self.session, self.places.agent) if options.checks else None
        self._hold()
        for way in options.ways:
            until = time.monotonic() + 60 * options.minutes
            for cycle in range(1, options.cycles + 1):
                if time.monotonic() < until:
                    self._round(way, cycle)
            self.done.append(way)
        self._hold()

    def _round(self, way, cycle):
        self._check(way, cycle, VF)
        self._vf_name = self.session.vf_name()
        who, what, go, come = self._deeds()[way]
        switch = self._switch(cycle, HN, way, f"{who} {what}", go)
        self.session.dwell(self.options.dwell if switch.first[FROM_GUEST] else STAYS)
        if all(switch.first):
            self._check(way, cycle, HN)
        self._come(cycle, way, "gives it back", come)

    def _come(self, cycle, way, what, deed):
        def bring():
            deed()
            self.topology.follow_guest()

        self._switch(cycle, VF, way, what, bring)
        if not all(self.switches[-1].first):
            raise Timeout(f"{WAYS[way]}: the traffic is not back on the VF")
        self.peer.settle(self.session.guest)
        self.session.dwell(self.options.dwell)

    def _switch(self, cycle, to, way, what, deed):
        switch = Switch(cycle, to, way, time.monotonic_ns())
        self.switches.append(switch)
        if to == HN and way in ("unbind", "numvfs"):
            self.topology.point_to_hn()
            switch.at = time.monotonic_ns()
        deed()
        self.story.tell("lab", f"[{cycle}] {what}", at=switch.at,
                        mark="detach" if to == HN else "attach")
        within = BACK_WITHIN if to == VF else STAYS if way in HARMLESS else AWAY_WITHIN
        first = self.traffic.observer.first
        try:
            self._await(to, switch.at, within)
        except Timeout:
            pass  # the report says so
        switch.first = [first(one, to, switch.at) for one in (TO_GUEST, FROM_GUEST)]
        for direction, at in enumerate(switch.first):
            took = f"{(at - switch.at) / 1e6:.0f} ms later" if at else "never"
            self.story.tell("path", f"{ARROWS[direction]} by {NAMES[to]}: {took}", at=at)
        return switch

    def _await(self, path, since, within):
        first = self.traffic.observer.first
        self.loop.wait(
            lambda: all(first(direction, path, since) for direction in (TO_GUEST, FROM_GUEST)),
            within, f"both directions go by {NAMES[path]}")

    def _deeds(self):
        """Of each way: who does what, the deed, and its undoing."""
        host, name = self.topology, self._vf_name
        run = self.session.guest.run

        def rebind():
            host.unbind()
            host.bind()

        return {
            "unbind": ("guest", "unbinds the VF's driver", host.unbind, host.bind),
            "numvfs": ("host", "removes the VF", host.remove_vf, host.add_vf),
            "vfdown": ("guest", "sets the VF down", lambda: run(f"ip link set {name} down"),
                       lambda: run(f"ip link set {name} up")),
            "pfdown": ("host", "sets the PF down", lambda: host.tell_card("down"),
                       lambda: host.tell_card("up")),
            "pflink": ("network", "cuts the PF's link",
                       lambda: self.session.qemu.set_link(False, CARD),
                       lambda: self.session.qemu.set_link(True, CARD)),
            "flr": ("host", "resets the VF", host.reset_vf, rebind),
            "portvlan": ("host", "puts the VF into a VLAN", lambda: host.tell_card("vf 0 vlan 7"),
                         lambda: host.tell_card("vf 0 vlan 0")),
            "mac": ("host", "gives the VF another MAC",
                    lambda: host.tell_card(f"vf 0 mac {OTHER_MAC}"),
                    lambda: host.tell_card(f"vf 0 mac {GUEST_MAC}")),
            "trust": self._setting("trust", self.options.trust),
            "spoofchk": self._setting("spoofchk", self.options.spoofchk),
        }

    def _setting(self, name, usual):
        other = "off" if usual == "on" else "on"
        tell = self.topology.tell_card
        return ("host", f"sets {name} {other} for the VF",
                lambda: tell(f"vf 0 {name} {other}"), lambda: tell(f"vf 0 {name} {usual}"))

    def _check(self, way, cycle, path):
        if not self._checks:
            return
        for name, (came, of, twice) in self._checks.all().items():
            self.checked.append({"way": way, "cycle": cycle, "path": ("hn", "vf")[path],
                                 "check": name, "came": came, "of": of, "twice": twice})
            if came < of or twice:
                self.story.tell("lab", f"[{cycle}] {name} by {NAMES[path]}: {came} of {of},"
                                f" twice {twice}")

    def _hold(self):
        """What netvfd and the kernel hold, of a peer that is netvf."""
        answer = self.session.guest.run(
            "netvf-lab-agent held $(pidof netvfd) 2>/dev/null", check=False)
        if answer.startswith("{"):
            self.held.append(json.loads(answer))

    def _finish(self):
        super()._finish()
        self.told = self.peer.told(self.session.guest)
        _shift(self.results, self.session.host_time)
        if self._checks:
            self._checks.close()
        self.traffic.close()


def _shift(results, host_time):
    """The agents' times, told by the lab's clock."""
    spans = []
    for sent, received, stream in zip(results["sent"], results["received"], results["streams"]):
        sent["start"] = host_time(sent["start"])
        spans += [*sent["pauses"], *received["gaps"], *stream["stalls"], *stream["pauses"]]
    observed = results["observed"]
    observed["start"] = host_time(observed["start"])
    for told in observed["announcements"]:
        told[0] = host_time(told[0])
    for span in spans:
        begin, end = host_time(span[0]), host_time(span[0] + span[1])
        span[:2] = begin, end - begin
