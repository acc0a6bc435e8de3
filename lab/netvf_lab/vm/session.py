# SPDX-License-Identifier: BSD-2-Clause
"""A guest, booted once, in which one peer keeps the network up: scenarios run in it in turn."""

import time

from ..agents import Agent
from ..loop import Lines, Loop, Timeout
from ..story import Story
from .cache import Cache
from .guest import Guest
from .host import Host
from .qemu import Qemu, Wires

CLOCK_SAMPLES = 20

# The interface that has a device, and another one than hn0.
FIND_VF = (
    "for l in /sys/class/net/*; do [ ! -e $l/device ] ||"
    " [ $l/device -ef /sys/class/net/hn0/device ] || echo ${l##*/}; done"
)


class Session:
    """Use it in a `with`. A scenario that fails leaves it broken: boot another.

    machine: more of Qemu's arguments.
    """

    slow = 1  # how many times as long as elsewhere what happens in the guest may take

    def __init__(self, peer, places, kernel, initramfs, story=None, **machine):
        self.places = places
        self.peer = peer
        self.kernel = kernel
        self.story = story or Story()
        self.loop = Loop(self.story.print)
        self.host = self._make_host()
        self.wires = Wires()
        self.qemu = None
        self.guest = None
        # Nanoseconds that the host's clock is ahead of the guest's, each since a time of the host.
        self.clocks = []
        self.scenarios = 0  # begun
        self._initramfs = initramfs
        self._machine = machine
        self._services = []
        self._clock = None  # the agent that tells the guest's time

    def _make_host(self):
        return Host()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.qemu:
            self.qemu.close()
        self.wires.close()
        for service in self._services:
            service.close()
        self.host.close()

    def boot(self, within=None):
        """To where the peer has the network up."""
        self._services = self.peer.serve(self.host)
        self.qemu = self._start_first_qemu()
        self.qemu.connect()
        guest = Guest(self.loop, self.wires, self.slow)
        guest.await_boot(within)
        self.guest = self.host.guest = guest
        self.story.tell("guest", f"boots Linux {self.kernel.release}")
        self._clock = Agent(self.loop, self.guest, self.places.agent, "clock")
        self.read_clock(0)
        self._furnish()
        self.peer.start(self.guest)
        if self.peer.events:
            events = self.guest.popen(self.peer.events)
            Lines(self.loop, events.stdout, self._event)
        self.story.tell("guest", f"{self.peer.name} is ready")

    def _start_first_qemu(self):
        return self.start_qemu(self.host.hn, self.host.vf)

    def _furnish(self):
        """What is to be in the guest before the peer starts."""

    def start_qemu(self, hn, vf, **more):
        return Qemu(
            self.loop,
            self.host.host,
            Cache(self.places).qemu(),
            self.kernel,
            self._initramfs,
            self.wires,
            hn=hn.name,
            vf=vf.name,
            hn_options=self.peer.hn,
            **self._machine,
            **more,
        )

    def _event(self, line):
        if not line.startswith("{"):
            self.story.tell("devd", line)

    def read_clock(self, since):
        """Finds out what the guest's clock shows, and has shown since this time of the host's."""
        samples = []
        for _ in range(CLOCK_SAMPLES):
            before = time.monotonic_ns()
            now = self._clock.ask("now")["now"]
            after = time.monotonic_ns()
            samples.append((after - before, (before + after) // 2 - now))
        self.clocks.append((since, min(samples)[1]))

    def host_time(self, at):
        """What the host's clock showed when the guest's showed this."""
        ahead = self.clocks[0][1]
        for since, clock in self.clocks:
            if at + ahead >= since:
                ahead = clock
        return at + ahead

    def dwell(self, seconds):
        self.loop.dwell(seconds)
        if not self.qemu.running:
            raise Timeout(f"QEMU ended, status {self.qemu.process.returncode}")

    def log(self):
        """What the peer, or else QEMU, has to say, when something went wrong."""
        why = "no log: there is no guest"
        try:
            if self.guest:
                return self.peer.log(self.guest).splitlines()
        except Timeout as timeout:
            why = f"no log: {timeout}"
        if self.qemu and not self.qemu.running:
            why = f"QEMU has ended, status {self.qemu.process.returncode}; {why}"
        return [*(self.qemu.log if self.qemu else []), why]

    # The card

    def plug(self, driver, slot):
        self.host.follow_guest()
        self.qemu.plug(driver, slot, **self.peer.vf)

    def vf_name(self):
        """The guest's name for the card; "" while it shows none."""
        return self.guest.run(FIND_VF).strip()

    def await_link(self):
        """Waits until the guest has the card's link."""
        up = f"grep -qsx 1 /sys/class/net/$({FIND_VF})/carrier"
        self.guest.run(f"until {up}; do usleep 20000; done")
