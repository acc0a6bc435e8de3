# SPDX-License-Identifier: BSD-2-Clause
"""What many runs have shown, side by side."""

import statistics
import subprocess

from ..agents import DIRECTIONS
from ..report import Report
from . import qemu
from .run import describe

# The rows of a table: a name, and the value of one run.
ROWS = (
    ("lost when it goes, to guest", lambda run: _lost(run, "hn", "to_guest")),
    ("                   from guest", lambda run: _lost(run, "hn", "from_guest")),
    ("lost when it comes, to guest", lambda run: _lost(run, "vf", "to_guest")),
    ("                    from guest", lambda run: _lost(run, "vf", "from_guest")),
    ("duplicated", lambda run: sum(run["duplicated"].values())),
    ("longest gap, to guest, ms", lambda run: run["max_gap_ms"]["to_guest"]),
    ("             from guest, ms", lambda run: run["max_gap_ms"]["from_guest"]),
    ("TCP's longest stall, ms", lambda run: run["tcp"]["max_stall_ms"]),
    ("gone to first packet by hn, ms", lambda run: run["detach_to_first_hn_packet_ms"]["median"]),
    ("plugged to first by VF, ms", lambda run: run["attach_to_first_vf_packet_ms"]["median"]),
)


def _lost(run, to, direction):
    """Of one direction, at all switches to one path; all, where there is no VF to switch to."""
    if not run["switches"]:
        return run["lost"][direction] if to == "hn" else 0
    return sum(switch["lost"][direction] for switch in run["switches"] if switch["to"] == to)


def values(run):
    """One run's, as migrate's report has them, and what was special."""
    report = Report(run)
    result = report.values()
    options = run.options
    result["options"].update(peer=run.peer.name, back=options.back, vf=options.vf)
    # The guest's side of the story would fill pages; it is printed when there is one run.
    del result["events"]
    result.pop("gaps", None)
    result["succeeded"] = report.succeeded()
    return result


def document(version, kernel, runs):
    """All of it, for JSON."""
    emulator = subprocess.run(
        [qemu.find(), "--version"], capture_output=True, text=True, check=False
    ).stdout.splitlines()
    return {
        "netvf_lab": version,
        "machine": describe(),
        "qemu": emulator[0] if emulator else "",
        "guest_kernel": kernel.release,
        "runs": runs,
    }


def _cell(numbers):
    numbers = [number for number in numbers if number is not None]
    if not numbers:
        return "-"
    return f"{statistics.median(numbers):,.0f} / {max(numbers):,.0f}"


def _block(peers):
    """One way to go and to come back: a column for each peer."""
    done = {peer: [run for run in runs if "sent" in run] for peer, runs in peers.items()}

    def row(name, cells):
        return f"  {name:<34}" + "".join(f"{cell:>17}" for cell in cells)

    yield row("", peers)
    yield row("runs", [len(runs) for runs in done.values()])
    yield "  " + "-" * (34 + 17 * len(peers))
    for name, value in ROWS:
        yield row(name, [_cell([value(run) for run in runs]) for runs in done.values()])


def table(runs):
    """Median and worst of each scenario, as lines."""
    ways = {}
    for run in runs:
        options = run["options"]
        way = ways.setdefault((options["detach"], options["back"]), {})
        way.setdefault(options["peer"], []).append(run)
    pps = ", ".join(str(pps) for pps in sorted({run["options"]["pps"] for run in runs}))
    lines = [f"  Median / worst; {pps} datagrams/s each way and a TCP connection."]
    for (gone, back), peers in ways.items():
        lines += ["", f"  The VF goes: {gone}; comes back: {back}", *_block(peers)]
    lines += ["", *(f"  {summary(run)}" for run in runs if not run["succeeded"])]
    return lines


def summary(run):
    """One run in a line."""
    options = run["options"]
    text = f"{options['peer']}, {options['detach']}, back {options['back']}: "
    if not run["succeeded"]:
        return text + f"FAILED: {run['failure'] or 'the TCP connection was cut off'}"
    lost = ", ".join(f"{run['lost'][name]} {name.replace('_', ' ')}" for name in DIRECTIONS)
    return text + f"lost {lost}"
