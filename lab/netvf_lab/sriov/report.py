# SPDX-License-Identifier: BSD-2-Clause
"""What the rounds have shown, side by side: each way, and each peer at it."""

import math
from dataclasses import asdict

from ..agents import DIRECTIONS
from ..report import SENDER_LATE, Report
from ..vm import report as vm
from ..vm.picture import Picture
from .checks import CHECKS
from .run import WAYS

TITLE = "A real virtual function goes: who loses what"
CELL = 14


def values(run):
    """One run's, as migrate's report has them, and what was special."""
    report = Report(run)
    result = report.values()
    options = asdict(run.options)
    result["options"] = {
        "peer": run.peer.name,
        "name": _name(run),
        "dwell_ms": round(run.options.dwell * 1000),
        **{key: options[key] for key in
           ("rules", "cycles", "pps", "size", "ways", "trust", "spoofchk")},
    }
    # The guest's side of the story would fill pages; it is printed when there is one run.
    del result["events"]
    result.pop("gaps", None)
    result.update(
        succeeded=report.succeeded(), checked=run.checked, held=run.held, ways_done=run.done
    )
    if run.told:
        result["told"] = run.told
    return result


def _name(run):
    options = run.options
    return run.peer.name + ", trusted" * (options.trust == "on") + (
        ", no spoof check" * (options.spoofchk == "off"))


def _runs_by_name(runs):
    result = {}
    for run in runs:
        result.setdefault(run["options"]["name"], []).append(run)
    return result


def _begun(run, way):
    """How many rounds there should be: those that began, and one that never did of a failure."""
    begun = sum(s["kind"] == way and s["to"] == "hn" for s in run.get("switches", ()))
    return max(begun, int(not run["succeeded"]))


def blocks(runs):
    """Of each way: going, and coming back; each round is one that the rows count."""
    by_name = _runs_by_name(runs)

    def block(title, way, to):
        def wanted(number):
            return lambda s: s["cycle"] == number and (s["kind"], s["to"]) == (way, to)

        lines = []
        for name, mine in by_name.items():
            mine = [run for run in mine if way in run["options"]["ways"]]
            tried = sum(_begun(run, way) for run in mine)
            rounds = [vm.seen(run, wanted(number)) for run in mine if "sent" in run
                      for number in range(1, run["options"]["cycles"] + 1)]
            if tried:
                lines.append(vm.Line(name, tried, [one for one in rounds if one]))
        return vm.Block(title, lines)

    ways = [way for way in WAYS if any(way in run["options"]["ways"] for run in runs)]
    result = [block(title, way, to) for way in ways
              for title, to in ((WAYS[way], "hn"), (f"return after {WAYS[way]}", "vf"))]
    return [block for block in result if block.lines]


def _checks(runs):
    """Rows of what else worked, by the VF and by hn."""
    yield (f"{'what else works':<{vm.NAME + vm.RUNS + 6}}"
           + "".join(f"{title:>{CELL}}" for title in CHECKS.values()))
    for name, mine in _runs_by_name(runs).items():
        checked = [check for run in mine for check in run["checked"]]
        for path in ("vf", "hn"):
            cells = []
            for kind in CHECKS:
                one = [c for c in checked if (c["path"], c["check"]) == (path, kind)]
                came, of, twice = (sum(c[key] for c in one) for key in ("came", "of", "twice"))
                cells.append((f"{came}/{of}" + f"+{twice}" * bool(twice)) if one else "-")
            title = f"{name}, by {'the VF' if path == 'vf' else path}"
            yield (f"  {title:<{vm.NAME + vm.RUNS + 4}}"
                   + "".join(f"{cell:>{CELL}}" for cell in cells))


def _losses(run):
    """Each run of lost datagrams in a line, with the switch that it came after."""
    switches = run.get("switches", [])
    late = SENDER_LATE / 1e6
    ends = [switch["at_ms"] for switch in switches[1:]] + [math.inf]
    for switch, end in zip(switches, ends):
        for direction in DIRECTIONS:
            for loss in run["losses"][direction]:
                if switch["at_ms"] <= loss["at_ms"] + late < end:
                    seen = ", ".join(f"{at} {count}" for at, count in loss["last_seen"].items())
                    yield (f"{run['options']['name']}, {WAYS[switch['kind']]},"
                           f" round {switch['cycle']}, to {switch['to']}: {loss['count']}"
                           f" {direction.replace('_', ' ')} sent after"
                           f" {loss['at_ms'] - switch['at_ms']:.0f} ms, last seen {seen}")


def losses(runs):
    return [line for run in runs for line in _losses(run)]


def document(version, emulator, kernel, command, runs):
    """All of it, for JSON."""
    return vm.document(version, emulator, kernel, command, runs)


def _held(runs):
    for run in runs:
        if len(run["held"]) == 2 and run.get("switches"):
            went = sum(switch["to"] == "hn" for switch in run["switches"])
            before, after = run["held"]
            text = ", ".join(f"{before[key]}/{after[key]} {key}" for key in before)
            yield f"{run['options']['name']}, first/after {went} rounds: {text}"


def table(document):
    """Of a document: what was measured where, and each way with its peers, as lines."""
    runs = document["runs"]
    pps = ", ".join(str(pps) for pps in sorted({run["options"]["pps"] for run in runs}))
    lines = [
        *document["command"].splitlines(),
        f"{document['machine']}, load {document['load'][0]:.1f}",
        f"{document['qemu']}, no KVM; PF igb, VF igbvf; in the guest Linux"
        f" {document['guest_kernel']}",
        f"Median/worst of the rounds; {pps} datagrams/s each way and a TCP connection.",
        "",
        *vm.head(),
    ]
    for block in blocks(runs):
        lines += vm.rows(block)
    if any(run["checked"] for run in runs):
        lines += ["", *_checks(runs)]
    duplicated = sum(sum(run["duplicated"].values()) for run in runs if "sent" in run)
    lines += ["", f"In all runs, datagrams that came twice: {duplicated}", *_held(runs)]
    lines += [f"{run['options']['name']}: FAILED: {run['failure'] or 'the TCP connection'}"
              for run in runs if not run["succeeded"]]
    return lines


def draw(document):
    return Picture(document, blocks(document["runs"]), TITLE).draw()
