# SPDX-License-Identifier: BSD-2-Clause
"""What a run has shown: as values (for JSON) and as a table (for people)."""

import bisect
import collections
import functools
import math
import os
import statistics

from .agents import DIRECTIONS, FROM_GUEST, HN, PATHS, TO_GUEST, VF
from .migrate import MOVE

STALLS_LISTED = 2_000_000  # nanoseconds; shorter ones are not in the agent's list
SENDER_LATE = 1_000_000  # nanoseconds by which a datagram may be late without a pause in the list
GAPS_KEPT = 200  # of each direction, the longest
ANNOUNCED_WITHIN = 5_000_000_000  # nanoseconds after the guest's first datagram by the new path
ANNOUNCEMENTS = ("gratuitous_arp", "unsolicited_na", "group_reports")  # by the observer's numbers
RUNS_KEPT = 1000  # of each direction, the first


def _ms(nanoseconds, digits=3):
    return None if nanoseconds is None else round(nanoseconds / 1e6, digits)


def _summary(values):
    values = [value for value in values if value is not None]
    if not values:
        return {"median": None, "max": None}
    return {"median": round(statistics.median(values), 3), "max": round(max(values), 3)}


def _less_pauses(stalls, pauses):
    """Stalls without the time in which the sender itself was not let run."""
    result = []
    ends = [begin + length for begin, length, *_ in pauses]  # one after another
    for begin, length, *_ in stalls:
        end = begin + length
        reached = bisect.bisect(ends, begin)
        for pause, pause_length, *_ in pauses[reached:]:
            if pause >= end:
                break
            length -= min(end, pause + pause_length) - max(begin, pause)
        result.append([begin, max(0, length)])
    return result


def _stalls(streams):
    """Of both ends, without the peer's own pauses."""
    host, guest = streams
    return _less_pauses(host["stalls"], guest["pauses"]) + _less_pauses(
        guest["stalls"], host["pauses"]
    )


def _tcp(streams):
    host, guest = streams
    survived = all(
        not end["error"] and end["ended"] and end["intact"] and end["received"] == peer["sent"]
        for end, peer in ((host, guest), (guest, host))
    )
    stalls = _stalls(streams)
    stalls += [[0, min(end["longest_stall"], STALLS_LISTED)] for end in streams]
    stalls.sort(key=lambda stall: stall[1])
    errors = {
        side: end["error"]
        for side, end in (("host", host), ("guest", guest))
        if end["error"]
    }
    return {
        "survived": survived,
        "max_stall_ms": _ms(stalls[-1][1]),
        "max_stall_at": stalls[-1][0],
        "bytes": {"to_guest": guest["received"], "from_guest": host["received"]},
        "retransmits": host["retransmits"] + guest["retransmits"],
        **({"errors": errors} if errors else {}),
    }


def _longest_between(spans, since, until):
    """The longest of those that lie in an interval, at least in part; 0: there is none."""
    return max(
        (length for at, length, *_ in spans if at + length > since and at < until), default=0
    )


def where_lost(lost_runs, carried):
    """On which port the host last saw the datagrams that were lost."""
    places = {"nowhere": 0, "hn": 0, "vf": 0, "both": 0}
    names = ("nowhere", "hn", "vf", "both")
    runs = iter(carried)
    run = next(runs, None)
    for _, _, first, count in lost_runs:
        end = first + count
        while first < end:
            while run and run[0] + run[1] <= first:
                run = next(runs, None)
            if not run:
                places["nowhere"] += end - first
                break
            part = min(end, run[0] + run[1]) - first
            places[names[run[2]]] += part
            first += part
    return {name: number for name, number in places.items() if number}


class Report:
    """The values of one run."""

    def __init__(self, migration):
        self.migration = migration
        self.results = migration.results
        self.story = migration.story

    def succeeded(self):
        command = self.migration.command
        return bool(
            not self.migration.failure
            and self.results
            and _tcp(self.results["streams"])["survived"]
            and (command is None or command.returncode == 0)
        )

    def _each(self, function):
        return {name: function(direction) for direction, name in enumerate(DIRECTIONS)}

    def _received(self, key):
        return self._each(lambda direction: self.results["received"][direction][key])

    def _cycles_done(self):
        return sum(
            1
            for switch in self.migration.switches
            if switch.cycle and switch.to == VF and all(switch.first)
        )

    def values(self):
        migration, options = self.migration, self.migration.options
        values = {
            "netvf_lab": migration.places.version,
            "kernel": " ".join((os.uname().sysname, os.uname().release, os.uname().machine)),
            "cpus": os.cpu_count(),
            "done": migration.failure is None,
            "failure": migration.failure,
            "options": {
                "rules": options.rules,
                "cycles": options.cycles,
                "pps": options.pps,
                "size": options.size,
                "detach": options.detach,
                "planned": options.planned,
                "kill": options.kill,
                "dwell_ms": round(options.dwell * 1000),
            },
            "cycles": self._cycles_done(),
        }
        if options.kill:
            values["kills"] = migration.daemon.kills
        if migration.command is not None:
            values["command"] = {
                "argv": options.command,
                "status": migration.command.returncode,
            }
        if self.results:
            values.update(self._traffic())
        values["events"] = [
            {"at_ms": self.at_ms(event.at), "who": event.who, "what": event.text}
            for event in sorted(self.story.events, key=lambda event: event.at)
        ]
        return values

    def _traffic(self):
        results = self.results
        packets = [results["observed"]["dirs"][d]["packets"] for d in (TO_GUEST, FROM_GUEST)]
        return {
            "sent": self._each(lambda d: results["sent"][d]["sent"]),
            "lost": self._received("lost"),
            "duplicated": self._received("duplicates"),
            "reordered": self._received("reordered"),
            "corrupt": self._received("corrupt"),
            "max_gap_ms": self._each(lambda d: _ms(results["received"][d]["longest_gap"])),
            "tcp": _tcp(results["streams"]),
            "attach_to_first_vf_packet_ms": _summary(self.switch_times(VF)),
            "detach_to_first_hn_packet_ms": _summary(self.switch_times(HN)),
            "path_packets": {
                name: packets[TO_GUEST][path] + packets[FROM_GUEST][path]
                for path, name in enumerate(PATHS)
            },
            "lost_last_seen": self._each(
                lambda d: where_lost(
                    results["received"][d]["lost_runs"], results["observed"]["dirs"][d]["carried"]
                )
            ),
            "dropped_by_host": sum(switch.dropped for switch in self.migration.switches),
            "refused": self._each(lambda d: results["sent"][d]["errors"]),
            "switches": [self._switch(index) for index in range(len(self.migration.switches))],
            "gaps": self._each(self._gaps),
            "losses": self._each(self._losses),
            "lab": {
                "start_monotonic_ns": self.story.start,
                "longest_pause_ms": self._each(
                    lambda d: _ms(results["sent"][d]["longest_pause"])
                ),
                "socket_overflow": self._received("overflow"),
                "observer_missed": results["observed"]["missed"],
            },
        }

    def switch_times(self, to):
        """Milliseconds from each switch's cause to the guest's first datagram on the new path."""
        return [
            _ms(switch.first[FROM_GUEST] - switch.at)
            for switch in self.migration.switches
            if switch.to == to and switch.kind != MOVE and switch.first[FROM_GUEST]
        ]

    def _switch(self, index):
        switches = self.migration.switches
        switch = switches[index]
        until = switches[index + 1].at if index + 1 < len(switches) else math.inf
        received = self.results["received"]
        return {
            "cycle": switch.cycle,
            "to": PATHS[switch.to],
            "kind": switch.kind,
            "at_ms": self.at_ms(switch.at),
            "first_packet_ms": self._each(
                lambda d: _ms(switch.first[d] - switch.at) if switch.first[d] else None
            ),
            "lost": self._each(lambda d: self._lost_between(d, switch.at, until)),
            "dropped_by_host": switch.dropped,
            "max_gap_ms": self._each(
                lambda d: _ms(_longest_between(received[d]["gaps"], switch.at, until))
            ),
            "max_tcp_stall_ms": _ms(_longest_between(self._stalls, switch.at, until)),
            "announcements": self._announcements(switch, until),
        }

    def _announcements(self, switch, until):
        """How the guest told, by the new path, that it is there; and when first."""
        # A slot's button takes 5 seconds until the guest leaves the VF.
        until = min(until, (switch.first[FROM_GUEST] or switch.at) + ANNOUNCED_WITHIN)
        first, last = (
            bisect.bisect_left(self._announced, at, key=lambda frame: frame[0])
            for at in (switch.at, until)
        )
        heard = [
            (at, kind) for at, kind, path in self._announced[first:last] if path == switch.to
        ]
        counts = collections.Counter(kind for _, kind in heard)
        moved = switch.first[FROM_GUEST]
        return {
            **{name: counts[kind] for kind, name in enumerate(ANNOUNCEMENTS)},
            "first_ms": _ms(min(heard)[0] - moved) if heard and moved else None,
        }

    def _lost_between(self, direction, since, until):
        """Datagrams that were sent in an interval, from one switch to the next, and lost."""
        return sum(count for at, _, count in self._lost[direction] if since <= at < until)

    @functools.cached_property
    def _announced(self):
        return sorted(self.results["observed"]["announcements"])

    @functools.cached_property
    def _stalls(self):
        return _stalls(self.results["streams"])

    @functools.cached_property
    def _lost(self):
        """Of each direction: when a run of lost datagrams had begun, its first number, and how
        many they were. What was lost over a switch is one run before it, and one after."""
        return [
            [
                (self.sent_at(direction, first) + SENDER_LATE, first, count)
                for *_, begin, length in received["lost_runs"]
                for first, count in self._parted(direction, range(begin, begin + length))
            ]
            for direction, received in enumerate(self.results["received"])
        ]

    def _parted(self, direction, numbers):
        """(first, count): the numbers before, between and after the switches, if there are any."""

        def sent_at(number):
            return self.sent_at(direction, number) + SENDER_LATE

        cuts = {bisect.bisect_left(numbers, switch.at, key=sent_at)
                for switch in self.migration.switches}
        begin = 0
        for end in sorted({*cuts, len(numbers)} - {0}):
            yield numbers[begin], end - begin
            begin = end

    def loss(self, direction, run):
        """A run of lost numbers as an interval: when the first of them was sent, until the last."""
        first, count = run[2:]
        begin = self.sent_at(direction, first)
        return begin, self.sent_at(direction, first + count - 1) - begin

    def sent_at(self, direction, seq):
        """When a datagram was sent: when it was due, or when the sender ran again after that."""
        sent = self.results["sent"][direction]
        due = sent["start"] + seq * self.migration.traffic.interval
        for begin, length in sent.get("stops", ()):  # of the sender's clock
            if due > begin:
                due += length
        before = bisect.bisect_left(sent["pauses"], [due])
        if before:
            begin, length, *_ = sent["pauses"][before - 1]
            due = max(due, begin + length)
        return due

    def _losses(self, direction):
        """Runs of numbers that were lost: when the first was sent, how many, and where the host
        last saw them."""
        carried = self.results["observed"]["dirs"][direction]["carried"]
        return [
            {"at_ms": self.at_ms(at - SENDER_LATE), "count": count,
             "last_seen": where_lost([(0, 0, first, count)], carried)}
            for at, first, count in self._lost[direction][:RUNS_KEPT]
        ]

    def _gaps(self, direction):
        """The longest gaps, in order of time."""
        longest = sorted(
            self.results["received"][direction]["gaps"], key=lambda gap: gap[1], reverse=True
        )
        return [
            {"at_ms": self.at_ms(at), "ms": _ms(length), "missing": missing}
            for at, length, _, missing in sorted(longest[:GAPS_KEPT])
        ]

    def at_ms(self, at):
        return _ms(at - self.story.start)


def _number(value):
    return "-" if value is None else f"{value:,}"


def _both(values, unit=""):
    return [f"{_number(values[name])}{unit}" for name in DIRECTIONS]


def _lost_by_kind(switches):
    """What was lost until it was back, of each way in which the VF went, if there were several."""
    kinds = {switch["kind"]: dict.fromkeys(DIRECTIONS, 0) for switch in switches if switch["cycle"]}
    for switch in switches:
        if switch["to"] == PATHS[HN]:
            for name in DIRECTIONS:
                kinds[switch["kind"]][name] += switch["lost"][name]
    return kinds if len(kinds) > 1 else {}


def table(values):
    """The table that a run ends with, as lines."""
    lines = []

    def row(name, *columns):
        lines.append(f"  {name:<34}" + "".join(f"{column:>16}" for column in columns))

    def rule():
        lines.append("  " + "-" * 66)

    row(f"{values['cycles']} migrations ({values['options']['detach']})", "to guest", "from guest")
    rule()
    if "sent" not in values:
        lines.append("  no traffic was sent")
        return lines
    share = [
        f"{100 * values['lost'][name] / max(1, values['sent'][name]):.4f} %" for name in DIRECTIONS
    ]
    row("datagrams sent", *_both(values["sent"]))
    row("lost", *_both(values["lost"]))
    row("", *share)
    by_vf = {name: values["lost_last_seen"][name].get("vf", 0) for name in DIRECTIONS}
    row("    of them, sent by the VF", *_both(by_vf))
    row("frames that the host dropped", "", _number(values["dropped_by_host"]))
    for kind, lost in _lost_by_kind(values["switches"]).items():
        row(f"lost from {kind} to the return", *_both(lost))
    row("duplicated", *_both(values["duplicated"]))
    if "kills" in values:
        row("netvfd was killed", f"{_number(values['kills'])} times")
    row("longest gap", *_both(values["max_gap_ms"], " ms"))
    rule()
    row("", "median", "max")
    for key, name in (
        ("attach_to_first_vf_packet_ms", "attach to first packet on VF"),
        ("detach_to_first_hn_packet_ms", "detach to first packet on hn"),
    ):
        row(name, *(f"{_number(values[key][column])} ms" for column in ("median", "max")))
    for key, name in (
        ("gratuitous_arp", "gratuitous ARP after a switch"),
        ("unsolicited_na", "neighbour advertisements"),
        ("group_reports", "group reports (IGMP, MLD)"),
        ("first_ms", "first of these after the switch"),
    ):
        heard = [switch["announcements"][key] for switch in values["switches"]]
        unit = " ms" if key == "first_ms" else ""
        summary = _summary(heard)
        row(name, *(f"{_number(summary[column])}{unit}" for column in ("median", "max")))
    rule()
    tcp = values["tcp"]
    row("TCP connection", "survived" if tcp["survived"] else "LOST")
    row("  longest stall, retransmits", f"{_number(tcp['max_stall_ms'])} ms", tcp["retransmits"])
    row("packets by VF, by hn", *(_number(values["path_packets"][path]) for path in ("vf", "hn")))
    overflow = sum(values["lab"]["socket_overflow"].values())
    if overflow:
        rule()
        lines.append(f"  {overflow:,} of the lost reached a socket of the lab that had no room:")
        lines.append("  this machine has too little memory for UDP now (net.ipv4.udp_mem)")
    if "command" in values:
        row("the command's exit status", str(values["command"]["status"]))
    return lines
