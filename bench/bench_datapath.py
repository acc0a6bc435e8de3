#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the data path costs against the bare VF: small datagrams, a TCP stream, a round trip.

The bare VF, lagg0 over it with the programs in each of their forms, and a transparent hn0 are
measured in turn, a slice each, in one run; the figures are medians of the slices' ratios. Needs
root.
NETVF_BENCH_SLICES: how many of each, 12 unless said; NETVF_BENCH_SLICE: seconds of one, 0.2.
"rows" are for bench/against.py: those that have a bound, as times of the bare VF's (ratios.py).
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
from contextlib import ExitStack

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests/netns")]

import ratios
from pairnet import BUILD, GUEST_IP, HOST_IP, HOST_MAC, MAC, Pair, PairNet, in_netns

SLICES = int(os.environ.get("NETVF_BENCH_SLICES", "12"))
SECONDS = os.environ.get("NETVF_BENCH_SLICE", "0.2")
BLAST = BUILD / "bench/blast"
NOBODY_IP, NOBODY_MAC = "10.9.0.9", "02:00:00:00:00:99"  # the host's stack drops it at once
# The bare VF a second time shows how far apart two equal things are here.
FORMS = {
    "bare": None,
    "bare VF again": None,
    "lagg": ("lagg", "this"),
    "transparent": ("transparent", "this"),
    "by calls": ("lagg", "compiled"),
    "not asking": ("lagg", "layout"),
}
KINDS = {"udp": NOBODY_IP, "tcp": HOST_IP, "tcp8": HOST_IP, "ping": HOST_IP}
NAMES = {"udp": "small datagrams", "tcp": "TCP stream", "tcp8": "eight TCP streams",
         "ping": "round trip"}
BOUNDS = {"udp": 0.97, "tcp": 0.99, "tcp8": 0.99}  # of the bare VF, for this version's programs


class Arm:
    """A guest and a host of their own, in one form."""

    def __init__(self, stack, form):
        self.net = stack.enter_context(PairNet())
        net = self.net
        upper = "vf0"
        if form:
            upper = Pair(net, form[0], version=form[1]).upper
        else:
            net.give_address(upper)
        index = net.index(upper)
        neighbours = {HOST_IP: HOST_MAC["vf"], NOBODY_IP: NOBODY_MAC}
        for address, mac in neighbours.items():
            net.ip.neigh("replace", dst=address, lladdr=mac, ifindex=index)
        host = net.index("vf0h", net.host_ip)
        net.host_ip.addr("add", index=host, address=HOST_IP, prefixlen=24)
        net.host_ip.neigh("add", dst=GUEST_IP, lladdr=MAC, ifindex=host)
        server = in_netns(net.host, lambda: subprocess.Popen(
            [BLAST, "serve"], stdout=subprocess.PIPE))
        stack.callback(server.wait)
        stack.callback(server.kill)
        server.stdout.readline()

    def measure(self, kind):
        done = in_netns(self.net.guest, lambda: subprocess.run(
            [BLAST, kind, KINDS[kind], SECONDS], check=True, capture_output=True, text=True))
        return tuple(map(float, done.stdout.split()))


def figure(name, value, unit):
    return {"name": name, "value": round(value, 4), "unit": unit}


def is_bounded(kind, form):
    return kind in BOUNDS and FORMS[form] and FORMS[form][1] == "this"


def rates(slices, kind, form):
    return [slice[0] for slice in slices[kind, form]]


def ratio(slices, kind, form):
    """To the bare VF: the median, and the middle half of the slices."""
    both = zip(rates(slices, kind, form), rates(slices, kind, "bare"))
    low, middle, high = statistics.quantiles([ours / bare for ours, bare in both], n=4)
    found = figure(f"{form}, {NAMES[kind]} ({low:.3f}–{high:.3f})", middle, "of bare")
    if is_bounded(kind, form):
        found |= {"bound": f">= {BOUNDS[kind]}", "ok": middle >= BOUNDS[kind]}
    return found


def rows(slices):
    """As microseconds of a datagram or of a KiB."""
    def times(kind, form):
        return [1e6 / rate for rate in rates(slices, kind, form)]

    for kind, bound in BOUNDS.items():
        for form in FORMS:
            if is_bounded(kind, form):
                yield ratios.row(f"{NAMES[kind]}, {form}, us", times(kind, "bare"),
                                 times(kind, form), 1 / bound)


def figures(slices):
    def median(kind, form, column=0):
        return statistics.median(slice[column] for slice in slices[kind, form])

    yield figure("bare VF, small datagrams", median("udp", "bare"), "/s")
    yield figure("bare VF, TCP stream", median("tcp", "bare") * 1024 * 8 / 1e9, "Gbit/s")
    yield figure("bare VF, round trip", median("ping", "bare"), "us")
    for form in list(FORMS)[1:]:
        extra = median("udp", form, 1) - median("udp", "bare", 1)
        yield figure(f"{form}, more for each datagram", extra, "ns")
        for kind in NAMES:
            yield ratio(slices, kind, form)


def main():
    slices = {}
    with ExitStack() as stack:
        arms = {name: Arm(stack, form) for name, form in FORMS.items()}
        for kind in KINDS:
            print(f"bench: datapath: {kind}, {SLICES} slices of each form", file=sys.stderr,
                  flush=True)
            for _ in range(SLICES):
                for form, arm in arms.items():
                    slices.setdefault((kind, form), []).append(arm.measure(kind))
    found = list(figures(slices))
    raw = {f"{kind} {form}": values for (kind, form), values in slices.items()}
    print(json.dumps({"figures": found, "rows": list(rows(slices)), "slices": raw}))


if __name__ == "__main__":
    main()
