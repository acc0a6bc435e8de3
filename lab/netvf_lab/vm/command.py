# SPDX-License-Identifier: BSD-2-Clause
"""`netvf-lab vm`: its options, and all its runs."""

import json

from .. import sandbox
from ..story import Story
from .cache import Cache

WAYS_GONE = ("acpi", "pcie", "unbind", "linkdown", "admindown")
WAYS_BACK = ("same", "slot", "name", "driver", "never")
PEERS = ("none", "bond", "net_failover", "netvf")
CARDS = ("e1000e", "e1000")


def _some(choices):
    """A list of words with commas, or "all"."""

    def parse(text):
        words = list(choices) if text == "all" else text.split(",")
        for word in words:
            if word not in choices:
                raise ValueError(word)
        return words

    parse.__name__ = f"list (of {', '.join(choices)}; or all)"
    return parse


def add_options(add, number):
    add(
        "--peer",
        type=_some(PEERS),
        default=["netvf"],
        help="who keeps the network up: netvf, bond, net_failover, none (hn alone), several with"
        " commas, or all (default: netvf)",
    )
    add(
        "--gone",
        type=_some(WAYS_GONE),
        default=["acpi"],
        help="how the VF goes: unplugged by ACPI or by PCIe's attention button, its driver unbound,"
        " its link cut by the host, set down in the guest (default: acpi)",
    )
    add(
        "--back",
        choices=WAYS_BACK,
        default="same",
        help="how it comes back: as it was, in another slot, under another name, with another"
        " driver, or never (default: same)",
    )
    add(
        "--vf",
        choices=CARDS,
        help="the VF's card (default: e1000e; e1000 for linkdown, of which QEMU's e1000e does not"
        " tell the guest)",
    )
    add("--runs", type=number(1, 1000), default=1, help="of each scenario (default: 1)")
    add("--cycles", type=number(1, 1000), default=1, help="times it goes (default: 1)")
    add("--pps", type=number(1, 100000), default=1000, help="datagrams/s (default: 1000)")


def _scenarios(arguments):
    """Interleaved, so that a busy moment of the machine does not fall on one peer alone."""
    for _ in range(arguments.runs):
        for gone in arguments.gone:
            for peer in arguments.peer:
                yield peer, gone


def _work(arguments, places, kernel, busybox, outputs):
    from . import initramfs, report
    from .run import VmOptions, VmRun

    archive = "/run/netvf-lab.initramfs"
    initramfs.build(archive, places, kernel, busybox)
    scenarios = list(_scenarios(arguments))
    runs = []
    for peer, gone in scenarios:
        options = VmOptions(
            rules=arguments.rules,
            cycles=arguments.cycles,
            pps=arguments.pps,
            size=arguments.size,
            dwell=arguments.dwell / 1000,
            detach=gone,
            back=arguments.back,
            peer=peer,
            vf=arguments.vf or ("e1000" if gone == "linkdown" else "e1000e"),
        )
        run = VmRun(options, places, kernel, archive, Story(quiet=len(scenarios) > 1))
        run.run()
        runs.append(report.values(run))
        print(f"  [{len(runs)}/{len(scenarios)}] {report.summary(runs[-1])}", flush=True)
    print("", *report.table(runs), sep="\n")
    if "json" in outputs:
        text = json.dumps(report.document(places.version, kernel, runs), indent=1)
        outputs["json"].write(text + "\n")
        print(f"  json: {arguments.json}")
    return 0 if all(run["succeeded"] for run in runs) else 1


def main(arguments, places, outputs):
    from . import qemu

    qemu.find()
    # Here, because where the guest lives there is no way to Debian's servers.
    cache = Cache(places.cache)
    kernel, busybox = cache.kernel(), cache.busybox()
    return sandbox.run(
        lambda: _work(arguments, places, kernel, busybox, outputs), places.libexec
    )
