#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long hyperv_vfup takes to move many routes from hn0 to lagg0, half of them IPv6.

Needs root. The time is of the whole program, from its start to its end; the difference between two
numbers of routes is what the routes cost.
"""

import contextlib
import json
import pathlib
import statistics
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "lab"), str(TOP / "tests/netns")]

from harness import BUILD, Guest
from netvf_lab import sandbox
from netvf_lab.topology import Topology
from programs import Programs

ROUTES = (0, 5000, 10000, 20000)
RUNS = 5
BOUND = 300  # milliseconds for 10,000
LIBEXEC = [BUILD / "src/libexec/hyperv_vfattach", BUILD / "src/libexec/hyperv_vfup"]


def say(text):
    print(f"bench: plan: {text}", file=sys.stderr, flush=True)


def route(number):
    high, low = divmod(number // 2, 256)
    if number % 2:
        return f"route add 2001:db8:{number:x}::/48 via 2001:db8::1 dev hn0"
    return f"route add 172.{16 + high // 256}.{high % 256}.{low}/32 via 10.77.0.1 dev hn0"


def move(count, directory):
    """Milliseconds."""
    with Topology(str(BUILD / "lab/netvf-lab-agent")) as topology:
        topology.boot()
        guest = Guest(topology)
        directory.mkdir()
        programs = Programs(guest, directory)
        programs.attach_vf()
        batch = "\n".join(["addr add 2001:db8::2/64 dev hn0 nodad", *map(route, range(count))])
        guest.run("ip", "-batch", "-", input=batch, check=True)
        before = time.monotonic_ns()
        guest.run(BUILD / "src/libexec/hyperv_vfup", "hn0", env=programs.environment, check=True)
        took = (time.monotonic_ns() - before) / 1e6
        moved = guest.run("ip", "route", "show", "dev", "lagg0").stdout.count("172.")
        moved += guest.run("ip", "-6", "route", "show", "dev", "lagg0").stdout.count("/48 via")
        assert moved == count, f"{moved} of {count} routes moved"
        return took


def report(took):
    median = {count: statistics.median(times) for count, times in took.items()}
    each = {count: (median[count] - median[0]) / count * 1000 for count in ROUTES if count}
    best = {count: min(times) for count, times in took.items()}
    ratio = (best[20000] - best[0]) / (best[10000] - best[0])
    figures = [{"name": f"move {count} routes", "value": median[count], "unit": "ms",
                "spread": [min(took[count]), max(took[count])]} for count in ROUTES]
    ten = next(f for f in figures if f["name"] == "move 10000 routes")
    ten.update(bound=f"under {BOUND}", ok=ten["value"] < BOUND)
    figures += [{"name": f"a route, of {count}", "value": cost, "unit": "us"}
                for count, cost in each.items()]
    figures.append({"name": "20000 routes to 10000", "value": ratio, "unit": "times",
                    "bound": "under 3.5", "ok": ratio < 3.5})
    return figures


def main():
    took = {count: [] for count in ROUTES}
    # What the programs say goes where a person sees it.
    with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stdout(sys.stderr):
        for run in range(RUNS):
            for count in ROUTES:
                say(f"{count} routes")
                took[count].append(move(count, pathlib.Path(directory) / f"{run}-{count}"))
    print(json.dumps({"figures": report(took)}))
    return 0


if __name__ == "__main__":
    sys.exit(sandbox.run(main, libexec=[str(path) for path in LIBEXEC]))
