# SPDX-License-Identifier: BSD-2-Clause
"""What many runs have shown, side by side: each switch, and each peer at it."""

import json
import os
import statistics
from dataclasses import dataclass

from ..agents import DIRECTIONS
from ..migrate import MOVE
from ..report import ANNOUNCEMENTS, Report

WAYS = {
    "acpi": "ACPI unplug",
    "pcie": "PCIe unplug",
    "unbind": "driver unbound",
    "linkdown": "link down",
    "admindown": "set down",
    "live": "live migration",
}


def values(run):
    """One run's, as migrate's report has them, and what was special."""
    report = Report(run)
    result = report.values()
    options = run.options
    result["options"].update(peer=run.peer.name, back=options.back, vf=options.vf)
    result["first"] = run.first
    # The guest's side of the story would fill pages; it is printed when there is one run.
    del result["events"]
    result.pop("gaps", None)
    result["succeeded"] = report.succeeded()
    if run.told:
        result["told"] = run.told
    result.update(run.more(report))
    return result


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return f"{os.cpu_count()} processors ({models[0] if models else '?'}), {os.uname().release}"


def document(version, emulator, kernel, command, runs):
    """All of it, for JSON."""
    return {
        "netvf_lab": version,
        "command": command,
        "machine": f"Linux on {machine()}",
        "load": os.getloadavg(),
        "qemu": emulator.version(),
        "guest_kernel": kernel.release,
        "runs": runs,
    }


@dataclass
class Line:
    """What one peer's runs have shown at one kind of switch."""

    peer: str
    tried: int
    seen: list  # a dictionary for each run that came so far

    def numbers(self, key):
        return [value for run in self.seen if (value := run[key]) is not None]


@dataclass
class Block:
    """A kind of switch."""

    title: str
    lines: list


def _worst(values):
    return max((value for value in values if value is not None), default=None)


def seen(run, wanted):
    """Some of one run's switches as one: sums, and the worst."""
    switches = [switch for switch in run["switches"] if wanted(switch)]
    if not switches:
        return None
    told = [switch["announcements"] for switch in switches]
    return {
        **{f"lost_{name}": sum(s["lost"][name] for s in switches) for name in DIRECTIONS},
        **{f"gap_{name}": _worst(s["max_gap_ms"][name] for s in switches) for name in DIRECTIONS},
        "stall": _worst(switch["max_tcp_stall_ms"] for switch in switches),
        "moved": _worst(switch["first_packet_ms"]["from_guest"] for switch in switches),
        **{name: sum(one[name] for one in told) / len(told) for name in ANNOUNCEMENTS},
        "told": _worst(one["first_ms"] for one in told),
    }


def _first(switch):
    return not switch["cycle"]


def _gone(switch):
    return switch["to"] == "hn" and switch["kind"] != MOVE


def _back(switch):
    return switch["cycle"] and switch["to"] == "vf"


def _moved(run):
    """The gaps over the stop, whatever came later; and how long the guest was stopped."""
    moves = run.get("moves")
    return moves and {
        **seen(run, lambda switch: switch["kind"] == MOVE),
        **{f"gap_{name}": _worst(move["gap_ms"][name] for move in moves) for name in DIRECTIONS},
        "moved": _worst(move["stopped_ms"] for move in moves),
    }


def _lost_before(run):
    """What no switch is to blame for, in a run that has any."""
    if not run.get("switches"):
        return 0
    blamed = sum(switch["lost"][name] for switch in run["switches"] for name in DIRECTIONS)
    return sum(run["lost"].values()) - blamed


def _all_of(run):
    """A run without any switch."""
    if "sent" not in run or run["switches"]:
        return None
    return {
        **{f"lost_{name}": run["lost"][name] for name in DIRECTIONS},
        **{f"gap_{name}": run["max_gap_ms"][name] for name in DIRECTIONS},
        "stall": run["tcp"]["max_stall_ms"],
        **dict.fromkeys(("moved", *ANNOUNCEMENTS, "told")),
    }


def blocks(runs):
    """Each kind of switch that any of the runs had."""
    peers = list(dict.fromkeys(run["options"]["peer"] for run in runs))

    def block(title, tried, see):
        lines = []
        for peer in peers:
            mine = [run for run in runs if run["options"]["peer"] == peer and tried(run)]
            seen = [one for run in mine if "sent" in run and (one := see(run))]
            if mine and (seen or not all(run["succeeded"] for run in mine)):
                lines.append(Line(peer, len(mine), seen))
        return Block(title, lines)

    result = [
        block("hn alone", lambda run: not run.get("switches", True), _all_of),
        block(
            "the first VF comes",
            lambda run: run["first"],
            lambda run: seen(run, _first),
        ),
    ]
    ways = dict.fromkeys((run["options"]["detach"], run["options"]["back"]) for run in runs)
    for way, back in ways:

        def tried(run, want=(way, back)):
            return (run["options"]["detach"], run["options"]["back"]) == want

        result.append(block(WAYS[way], tried, lambda run: seen(run, _gone)))
        result.append(block("the guest moves", lambda run: tried(run) and "moves" in run, _moved))
        title = f"return after {WAYS[way]}" + ("" if back == "same" else f" ({back})")
        result.append(block(title, tried, lambda run: seen(run, _back)))
    return [block for block in result if block.lines]


def pair(numbers):
    """Median/worst."""
    if not numbers:
        return "-"
    return f"{statistics.median(numbers):.0f}/{max(numbers):.0f}"


COLUMNS = (
    ("lost", "to guest", "lost_to_guest"),
    ("lost", "from guest", "lost_from_guest"),
    ("longest gap, ms", "to guest", "gap_to_guest"),
    ("longest gap, ms", "from guest", "gap_from_guest"),
    ("TCP's stall", "ms", "stall"),
    ("other path", "after ms", "moved"),
)
NAME, RUNS, CELL, TOLD = 20, 5, 13, 12


def _told(line):
    medians = [line.numbers(name) for name in ANNOUNCEMENTS]
    return "/".join(f"{statistics.median(numbers):.0f}" if numbers else "-" for numbers in medians)


def rows(block):
    yield f"{block.title}"
    for line in block.lines:
        done = len(line.seen)
        runs = str(done) if done == line.tried else f"{done}/{line.tried}"
        cells = [pair(line.numbers(key)) for *_, key in COLUMNS] if done else []
        text = f"  {line.peer:<{NAME - 2}}{runs:>{RUNS}}"
        text += "".join(f"{cell:>{CELL}}" for cell in cells)
        if done:
            text += f"{_told(line):>{TOLD}}{pair(line.numbers('told')):>{TOLD}}"
        yield text + ("" if done else "  failed")


def head():
    upper = [group if at == 0 or COLUMNS[at - 1][0] != group else "" for at, (group, *_) in
             enumerate(COLUMNS)]
    lower = [name for _, name, _ in COLUMNS]
    text = " " * (NAME + RUNS)
    for at, group in enumerate(upper):
        pairs = at + 1 < len(upper) and not upper[at + 1]
        text += f"{group:>{2 * CELL}}" if pairs else f"{group:>{CELL}}" if group else ""
    yield text + f"{'ARP/NA/':>{TOLD}}{'first of':>{TOLD}}"
    cells = "".join(f"{name:>{CELL}}" for name in lower)
    yield f"{'':<{NAME}}{'runs':>{RUNS}}{cells}{'groups':>{TOLD}}{'these, ms':>{TOLD}}"
    yield "-" * (NAME + RUNS + CELL * len(COLUMNS) + 2 * TOLD)


def table(document):
    """Of a document: what was measured where, and each switch with its peers, as lines."""
    runs = document["runs"]
    pps = ", ".join(str(pps) for pps in sorted({run["options"]["pps"] for run in runs}))
    lines = [
        f"{document['command']}",
        f"{document['machine']}, load {document['load'][0]:.1f}",
        f"{document['qemu']}, no KVM; in the guest Linux {document['guest_kernel']}",
        f"Median/worst of the runs; {pps} datagrams/s each way and a TCP connection.",
        "",
        *head(),
    ]
    for block in blocks(runs):
        lines += rows(block)
    duplicated = sum(sum(run["duplicated"].values()) for run in runs if "sent" in run)
    before = sum(map(_lost_before, runs))
    lines += [
        "",
        f"In all runs, datagrams that came twice: {duplicated}; lost before any switch: {before}",
    ]
    lines += [summary(run) for run in runs if not run["succeeded"]]
    return lines


def summary(run):
    """One run in a line."""
    options = run["options"]
    text = f"{options['peer']}, {WAYS[options['detach']]}, back {options['back']}: "
    if not run["succeeded"]:
        return text + f"FAILED: {run['failure'] or 'the TCP connection was cut off'}"
    lost = ", ".join(f"{run['lost'][name]} {name.replace('_', ' ')}" for name in DIRECTIONS)
    return text + f"lost {lost}"


def write(arguments, outputs, made, text, draw):
    """Writes the document @made, its table and its picture to the files that were asked for, and
    says which."""
    texts = {
        "json": lambda: json.dumps(made, indent=1) + "\n",
        "svg": lambda: draw(made),
        "table": lambda: text + "\n",
    }
    for kind, output in outputs.items():
        output.write(texts[kind]())
        print(f"  {kind}: {getattr(arguments, kind)}")
