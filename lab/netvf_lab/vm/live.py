# SPDX-License-Identifier: BSD-2-Clause
"""Live migration: the guest moves to another QEMU, at the same switch, while the traffic flows.

The switch follows the guest as bridges do: QEMU announces the guest where it has come to, and what
the guest sends tells its port as well. What was sent before that to the machine that the guest has
left is lost; what hn alone loses shows how much that is.
"""

from dataclasses import dataclass

from ..agents import DIRECTIONS, FROM_GUEST, HN, TO_GUEST
from ..loop import Timeout
from ..migrate import MOVE, Switch
from ..report import Report
from .run import VmRun

SOCKET = "unix:/run/netvf-lab.migration"
MOVED_WITHIN = 120  # seconds
CAPABILITIES = [{"capability": "events", "state": True}]
# bytes/s, milliseconds. Memory is copied by the processors that emulate the guest's. QEMU stops the
# guest when it reckons that the rest takes no longer than this. It is so short that the memory is
# copied more than once: else a guest with more memory in use would stand still for longer.
SOURCE = {"max-bandwidth": 10_000_000_000, "downtime-limit": 10}
# What a busy machine needs. It is QEMU's own limit.
PATIENCE = 10  # seconds
RELAXED = {"downtime-limit": 300}
# Announced once: later rounds would speak for the new VF's card too, as no host can for a real VF.
TARGET = {"announce-rounds": 1}


@dataclass
class Move:
    """Times are the host's, in nanoseconds."""

    cycle: int
    began: int
    stopped: int
    resumed: int
    told: dict  # query-migrate's answer

    @property
    def length(self):
        return self.resumed - self.stopped

    def meets(self, span):
        return span[0] <= self.resumed and self.stopped <= span[0] + span[1]


class LiveRun(VmRun):
    def __init__(self, options, session):
        super().__init__(options, session)
        self.moves = []
        self._target = None  # the QEMU to which the guest goes next

    def run(self):
        try:
            super().run()
        finally:
            if self._target:
                self._target.close()

    def _daemon_log(self):
        log = self._target.log if self._target else []
        return [*(f"the other QEMU: {line}" for line in log), *super()._daemon_log()]

    def _migrate(self):
        if self.peer.has_vf:
            super()._migrate()
            return
        for cycle in range(1, self.options.cycles + 1):
            self._leave(cycle)
            self._dwell(self.options.dwell)

    def _leave(self, cycle):
        machine = 1 - self.topology.hns.index(self.topology.hn)
        self._await_guest_at(machine)
        if self.peer.has_vf:
            super()._leave(cycle)
        if not self._begins_with_unplug():
            self.session.qemu.await_unplugged()
            self._begin()
        self._await_moved(cycle)
        self.topology.arrive(machine)

    def _begins_with_unplug(self):
        return self.peer.has_vf and self.peer.qemu_unplugs

    def _await_guest_at(self, machine):
        """Another QEMU gets ready for the guest."""
        host = self.topology
        self._target = self.session.start_qemu(host.hns[machine], host.vfs[machine], incoming=True)
        self._target.connect()
        for qemu in (self.session.qemu, self._target):
            qemu.command("migrate-set-capabilities", capabilities=CAPABILITIES)
        self._target.command("migrate-set-parameters", **TARGET)
        self._target.command("migrate-incoming", uri=SOCKET)
        self.session.qemu.command("migrate-set-parameters", **SOURCE)

    def _detach(self, kind):
        if not self._begins_with_unplug():
            super()._detach(kind)
            return
        self.topology.point_to_hn()
        self._begin()

    def _begin(self):
        self.session.qemu.command("migrate", uri=SOCKET)

    def _await_moved(self, cycle):
        session, source, target = self.session, self.session.qemu, self._target
        self.story.tell("host", f"[{cycle} of {self.options.cycles}] QEMU migrates the guest")

        def is_over():
            return ({"MIGRATION completed", "MIGRATION failed"} & source.events.keys()
                    or not (source.running and target.running))

        self.loop.dwell(PATIENCE, is_over)
        if not is_over():
            source.command("migrate-set-parameters", **RELAXED)
        self.loop.wait(is_over, MOVED_WITHIN, "QEMU migrates the guest")
        told = source.command("query-migrate")
        if told["status"] != "completed":
            raise Timeout(f"QEMU has not migrated the guest: {told.get('error-desc', 'no reason')}")
        self.loop.wait(lambda: "RESUME" in target.events, MOVED_WITHIN, "the guest goes on")
        # It says that it is completed before it has reckoned how long that took.
        self.loop.wait(
            lambda: told.update(source.command("query-migrate")) or told["total-time"],
            MOVED_WITHIN,
            "QEMU has reckoned",
        )
        # Before anything is written to the guest, for what it writes both QEMUs would read.
        source.close()
        session.qemu, self._target = target, None
        stopped, resumed = source.events["STOP"], target.events["RESUME"]
        session.read_clock(stopped)
        move = Move(cycle, source.events["MIGRATION setup"], stopped, resumed, told)
        self.moves.append(move)
        self.switches.append(Switch(cycle, HN, MOVE, stopped, [resumed, resumed]))
        self.story.tell("guest", "stops on one machine", at=stopped)
        after = f"{move.length / 1e6:.0f} ms later"
        self.story.tell("guest", f"goes on on the other, {after}", at=resumed)

    def _finish(self):
        super()._finish()
        received, streams = self.results["received"], self.results["streams"]
        stops = [[move.stopped, move.length] for move in self.moves]
        self.results["sent"][FROM_GUEST]["stops"] = stops
        # The guest's clock stands while it is stopped: its agents may have seen no gap.
        for owner, spans, longest in (
            (received[TO_GUEST], received[TO_GUEST]["gaps"], "longest_gap"),
            (streams[1], streams[1]["stalls"], "longest_stall"),
        ):
            for move in self.moves:
                if not any(map(move.meets, spans)):
                    spans.append([move.stopped, move.length, 0, 0])
            spans.sort()
            owner[longest] = max([owner[longest], *(span[1] for span in spans)])
        self._tell_apart()

    def _tell_apart(self):
        """What begins before a stop and lasts to it is the move's, not what was done before."""
        report = Report(self)
        gaps = [gap for one in self.results["received"] for gap in one["gaps"]]
        losses = [report.loss(d, run) for d, one in enumerate(self.results["received"])
                  for run in one["lost_runs"]]
        moves = [switch for switch in self.switches if switch.kind == MOVE]
        for move, switch in zip(self.moves, moves):
            over = [span[0] for span in gaps + losses if move.meets(span)]
            switch.at = min([move.stopped, *over])

    def more(self, report):
        if not self.results:
            return {}
        return {"moves": [self._values(report, move) for move in self.moves]}

    def _values(self, report, move):
        def gap(direction):
            spans = self.results["received"][direction]["gaps"]
            return max((span[1] for span in spans if move.meets(span)), default=0)

        return {
            "cycle": move.cycle,
            "began_at_ms": report.at_ms(move.began),
            "stopped_at_ms": report.at_ms(move.stopped),
            "stopped_ms": move.length / 1e6,
            "downtime_ms": move.told["downtime"],
            "total_ms": move.told["total-time"],
            "bytes": move.told["ram"]["transferred"],
            "gap_ms": {name: gap(d) / 1e6 for d, name in enumerate(DIRECTIONS)},
        }
