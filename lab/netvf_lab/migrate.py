# SPDX-License-Identifier: BSD-2-Clause
"""`netvf-lab migrate`: VFs come and go under traffic, and every datagram is counted."""

import itertools
import os
import subprocess
import textwrap
import time
from dataclasses import dataclass, field

from .agents import FROM_GUEST, HN, TO_GUEST, VF
from .daemon import Daemon, write_rc_conf
from .loop import Loop, Timeout
from .story import Story
from .topology import GUEST_ADDRESS, HOST_ADDRESS, KINDS, PREFIX, Topology
from .traffic import Traffic

SWITCHED_WITHIN = 15  # seconds until the traffic must have taken the other path
KILLED_TAKES = 4  # times as long, where a slow machine may not get through a start between deaths
LOG_SHOWN = 20  # lines of netvfd's, when something went wrong

ARROWS = ("host -> guest", "guest -> host")
NAMES = ("hn", "the VF")


@dataclass
class Options:
    rules: str
    cycles: int | None = 5  # None: as long as the command runs
    pps: int = 5000
    size: int = 256
    detach: str = "unplug"
    planned: bool = False  # `netvf switch` before the detach and after the return
    kill: bool = False  # netvfd dies by SIGKILL all the time
    rcconf: list = field(default_factory=list)  # more lines of it
    dwell: float = 1.0  # seconds on each path
    command: list = field(default_factory=list)


MOVE = "move"  # a kind of switch: the guest goes on elsewhere, by the hn there


@dataclass
class Switch:
    """One change of path that the host (or the guest's administrator) caused."""

    cycle: int  # 0: the first attach
    to: int  # HN or VF
    kind: str
    at: int
    first: list = field(default_factory=lambda: [None, None])  # of each direction, on the new path
    dropped: int = 0  # frames from the guest, by a port that the host was closing


class Migration:
    def __init__(self, options, places, story=None, loop=None):
        self.options = options
        self.places = places
        self.story = story or Story()
        self.loop = loop or Loop(self.story.print)
        self.switches = []
        self.results = None
        self.topology = None
        self.traffic = None
        self.daemon = None
        self.command = None
        self.failure = None
        self._begins_on = HN

    def run(self):
        """Does the whole job; what went wrong is in self.failure."""
        with self._world() as self.topology:
            try:
                self._boot()
                self._start_traffic()
                self._migrate()
            except Timeout as timeout:
                self._fail(str(timeout))
            if self.traffic:
                try:
                    self._finish()
                except Timeout as timeout:
                    if not self.failure:
                        self._fail(str(timeout))

    def _world(self):
        return Topology(self.places.agent)

    def _fail(self, text):
        self.failure = text
        self.story.tell("lab", f"FAILED: {text}")
        self.story.print(everything=True)
        for line in self._daemon_log()[-LOG_SHOWN:]:
            print(f"            netvfd | {line}")

    def _daemon_log(self):
        return list(self.daemon.log) if self.daemon else []

    def _boot(self):
        options, topology = self.options, self.topology
        topology.boot()
        write_rc_conf(
            [
                f'ifconfig_hn0="inet {GUEST_ADDRESS}/{PREFIX}"',
                f'defaultrouter="{HOST_ADDRESS}"',
                'netvf_pairs="hn0:vf0"',
                *options.rcconf,
            ]
        )
        self.story.tell("guest", f"boots: hn0 is up with {GUEST_ADDRESS}/{PREFIX}")
        self.daemon = Daemon(self.loop, topology.guest, self.places, self._event, options.kill)
        self.daemon.start(options.rules)
        self.story.tell("guest", f"netvfd is ready, with the rules of {options.rules}")

    def _event(self, line):
        self.story.tell("devd", line)

    def _start_traffic(self):
        options = self.options
        self.traffic = Traffic(
            self.loop, self.topology, self.places.agent, options.pps, options.size
        )
        began = time.monotonic_ns()
        self.traffic.start()
        path = NAMES[self._begins_on]
        self._await_path(self._begins_on, began, f"traffic flows by {path}")
        self.story.tell(
            "lab",
            f"{options.pps} datagrams/s of {options.size} bytes each way and one TCP connection"
            f" flow by {path}",
        )
        if options.command:
            self._start_command()
        self._dwell(options.dwell / 2)

    def _await_path(self, path, since, what):
        first = self.traffic.observer.first
        self.loop.wait(
            lambda: all(first(direction, path, since) for direction in (TO_GUEST, FROM_GUEST)),
            SWITCHED_WITHIN * (KILLED_TAKES if self.options.kill else 1),
            what,
        )
        return [first(direction, path, since) for direction in (TO_GUEST, FROM_GUEST)]

    def _start_command(self):
        words = " ".join(" ".join(self.options.command).split())
        self.story.tell("guest", f"runs {textwrap.shorten(words, 80)}")
        environment = {
            **self.daemon.environment,
            "NETVF_LAB_HOST": HOST_ADDRESS,
            "NETVF_LAB_HOST_NETNS": f"/proc/{os.getpid()}/fd/{self.topology.host.net}",
        }
        self.command = self.topology.guest.popen(
            self.options.command, env=environment, stdin=subprocess.DEVNULL
        )

    def _command_ended(self):
        return self.command is not None and self.command.poll() is not None

    def _dwell(self, seconds):
        self.loop.dwell(seconds)
        if not self.daemon.running:
            raise Timeout(f"netvfd ended by itself, status {self.daemon.process.returncode}")

    def _migrate(self):
        self._switch(0, VF, "unplug")
        self._dwell(self.options.dwell)
        for cycle in itertools.count(1):
            if self.options.cycles is None and self._command_ended():
                break
            if self.options.cycles is not None and cycle > self.options.cycles:
                break
            kind = self.options.detach
            if kind == "mixed":
                kind = KINDS[(cycle - 1) % len(KINDS)]
            for to in (HN, VF):
                self._switch(cycle, to, kind)
                self._dwell(self.options.dwell)
        if self.command and not self._command_ended():
            self.story.tell("lab", "all cycles are done; waiting for the command to end")
            while not self._command_ended():
                self._dwell(0.1)

    def _switch(self, cycle, to, kind):
        """Makes the path change, and waits until both directions have."""
        switch = Switch(cycle, to, kind, time.monotonic_ns())
        self.switches.append(switch)
        of = "" if self.options.cycles is None else f" of {self.options.cycles}"
        progress = f"[{cycle}{of}]" if cycle else "[first]"
        mark = "detach" if to == HN else "attach"
        if to == HN:
            self._order("hn", switch.at)
            count_dropped = self.topology.detach(kind)
        else:
            self.topology.bring_back(kind)
            self._order("auto", switch.at)
        self.story.tell(*self._deed(to, kind, progress), at=switch.at, mark=mark)
        path = NAMES[to]
        switch.first = self._await_path(to, switch.at, f"both directions go by {path}")
        if to == HN and count_dropped:
            switch.dropped = count_dropped()
        for direction in (TO_GUEST, FROM_GUEST):
            after = (switch.first[direction] - switch.at) / 1e6
            self.story.tell(
                "path",
                f"{ARROWS[direction]} by {path}, {after:.2f} ms after the {mark}",
                at=switch.first[direction],
            )

    def _order(self, to, since):
        """A planned switch; returns when the host sees that traffic has left the VF."""
        if not self.options.planned:
            return
        self.topology.guest.run(
            [self.places.netvf, "switch", "hn0", to], env=self.daemon.environment
        )
        if to == "hn":
            self._await_path(HN, since, "both directions go by hn, as ordered")

    @staticmethod
    def _deed(to, kind, progress):
        deeds = {
            (HN, "unplug"): ("host", "takes the VF away"),
            (VF, "unplug"): ("host", "plugs a VF in"),
            (HN, "linkdown"): ("host", "cuts the VF's link"),
            (VF, "linkdown"): ("host", "restores the VF's link"),
            (HN, "admindown"): ("guest", "sets the VF down (its administrator does)"),
            (VF, "admindown"): ("guest", "sets the VF up (its administrator does)"),
        }
        who, text = deeds[to, kind]
        return who, f"{progress} {text}"

    def _finish(self):
        self.results = self.traffic.stop()
        self.story.tell("lab", "all traffic has ended")
        self.story.print(everything=True)
