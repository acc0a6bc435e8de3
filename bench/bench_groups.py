#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the programs at tc take for one frame: for group frames in each way of netvf_multicast, and
for others with and without limits of the VF. By BPF_PROG_TEST_RUN, so nothing but the program is in
it. Medians of 9 runs of 200,000 frames. Needs root and bpftool.
"""

import json
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests/netns")]

from pairnet import BROADCAST, HOST_MAC, MAC, NET_BROADCAST, Pair, PairNet, in_netns, udp_frame

RUNS, REPEAT = 9, 200_000
OTHER_MAC = "02:00:00:00:00:77"
SKB_SIZE, SKB_IFINDEX = 192, 40  # struct __sk_buff, linux/bpf.h


def measure(net, program, ifindex, frame):
    """Nanoseconds of one run."""
    context = bytearray(SKB_SIZE)
    struct.pack_into("=I", context, SKB_IFINDEX, ifindex)
    with tempfile.TemporaryDirectory() as directory:
        data, ctx = pathlib.Path(directory) / "data", pathlib.Path(directory) / "ctx"
        data.write_bytes(frame.ljust(64, b"\0"))
        ctx.write_bytes(context)
        command = ["bpftool", "-j", "prog", "run", "pinned", f"{net.run_dir}/bpf/{program}",
                   "data_in", data, "ctx_in", ctx, "repeat", str(REPEAT)]
        done = in_netns(net.guest, lambda: subprocess.run(
            command, check=True, capture_output=True, text=True))
    return json.loads(done.stdout)["duration"]


def cases(net):
    """(name, a change before it, program, interface, frame)"""
    group = udp_frame(1, dst=BROADCAST, to=NET_BROADCAST)
    sent = udp_frame(1, src=MAC, dst=HOST_MAC["vf"])
    foreign = udp_frame(1, src=OTHER_MAC, dst=BROADCAST, to=NET_BROADCAST)
    lagg = net.index("lagg0")
    for way in "active", "both", "once":
        yield f"group frame, {way}", ("edit", "hn0", f"multicast={way}"), "ingress", net.vf, group
    yield "another frame", ("edit", "hn0", "multicast=once"), "ingress", net.vf, udp_frame(1)
    yield "sent", ("activate", "hn0", "vf"), "egress", lagg, sent
    yield "sent group frame of another", ("activate", "hn0", "vf"), "egress", lagg, foreign
    yield "sent, with limits", ("limit", "hn0", "vf0", MAC), "egress", lagg, sent


def main():
    found = []
    with PairNet() as net:
        pair = Pair(net, "lagg")
        for name, change, *what in cases(net):
            pair.tool(*change)
            value = statistics.median(measure(net, *what) for _ in range(RUNS))
            found.append({"name": name, "value": value, "unit": "ns"})
    print(json.dumps({"figures": found}))


if __name__ == "__main__":
    main()
