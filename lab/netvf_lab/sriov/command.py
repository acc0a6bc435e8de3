# SPDX-License-Identifier: BSD-2-Clause
"""`netvf-lab sriov`: its options, and all its runs."""

import itertools
import json
import shlex
import sys
from dataclasses import replace

from .. import sandbox
from ..loop import Timeout
from ..story import Story
from ..vm.cache import Cache

QEMU = "10"  # the first that Debian has with the card
NESTED_QEMU = "debian:trixie-backports"  # with an IOMMU, QEMU 10 loses interrupts of the card
PEERS = ("bond", "netvf", "netvf-bond", "netvf-transparent")


def add_options(add, number, some, places):
    from .run import WAYS

    add("--peer", type=some(PEERS), default=["netvf"],
        help=f"who keeps the network up: one of {', '.join(PEERS)}, several with commas, or all"
        " (default: netvf)")
    add("--way", type=some(WAYS), default=["unbind", "numvfs"],
        help=f"how the VF goes: {', '.join(WAYS)}, several with commas, or all"
        " (default: unbind,numvfs)")
    add("--trust", type=some(("off", "on")), default=["off"],
        help="whether the host trusts the VF: off, on, or both with a comma (default: off)")
    add("--spoofchk", type=some(("on", "off")), default=["on"],
        help="whether the host checks the VF's source addresses (default: on)")
    add("--rounds", dest="cycles", type=number(1, 10000), default=5,
        help="times that it goes in each way (default: 5)")
    add("--minutes", type=number(1, 10000), default=10000,
        help="begin no round of a way after so many (default: as long as the rounds take)")
    add("--pps", type=number(1, 100000), default=500, help="datagrams/s (default: 500)")
    add("--no-checks", dest="checks", action="store_false",
        help="datagrams alone: no neighbour, group or VLAN is tried")
    add("--losses", action="store_true", help="list each loss")
    add("--with", dest="also", action="append", default=[], metavar="FILE",
        help="show the runs of this report (of --json) too")
    add("--table", metavar="FILE", help="write the table there")
    add("--kernel", metavar="VERSION|debian:SUITE|FILE|DIR", default=places.kernel,
        help="the guest's (see vm)")
    add("--qemu", metavar="VERSION|debian:SUITE|PATH", default=places.qemu,
        help=f"the QEMU, {QEMU} or later (default: {QEMU})")
    add("--nested", action="store_true",
        help="the machine is only the host, and runs a guest to which it gives the VF by vfio-pci"
        " and device_add, and takes it by device_del; only --peer, --rounds, --pps, --size and"
        f" --dwell count (default of --qemu: {NESTED_QEMU})")


def _options(arguments, ways, trust, spoofchk):
    from .run import SriovOptions

    return SriovOptions(
        rules=arguments.rules,
        cycles=arguments.cycles,
        pps=arguments.pps,
        size=arguments.size,
        dwell=arguments.dwell / 1000,
        detach=",".join(ways),
        ways=ways,
        trust=trust,
        spoofchk=spoofchk,
        checks=arguments.checks,
        minutes=arguments.minutes,
    )


def _runs(arguments, boot, conditions):
    """One peer's, in one guest; another guest for the rest after a failure."""
    from .run import SriovRun

    left = list(arguments.way)
    while left:
        with boot() as session:
            run = SriovRun(_options(arguments, left, *conditions), session)
            run.run()
            yield run
        left = left[max(1, len(run.done) + bool(run.failure)):]


def _earlier(paths):
    documents = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            documents.append(json.load(file))
    return documents


def _work(arguments, places, found, outputs, earlier):
    from ..vm import initramfs
    from ..vm import report as vm_report
    from ..vm.peers import PEERS as peers
    from . import report
    from .machine import MODULES, PROGRAMS, CardSession

    emulator, kernel, busybox = found
    archive = "/run/netvf-lab.initramfs"
    initramfs.build(archive, places, kernel, busybox, PROGRAMS, MODULES)
    tried = list(itertools.product(arguments.peer, arguments.trust, arguments.spoofchk))
    runs = []
    for name, *conditions in tried:

        def boot(name=name, conditions=conditions):
            peer = peers[name]()
            peer.ipv6 = True
            if name.startswith("netvf") and conditions == ["on", "off"]:
                peer.rc_conf = (*peer.rc_conf, 'netvf_vf_spoofchk="NO"')
            story = Story(quiet=len(tried) > 1)
            return CardSession(peer, places, kernel, archive, *conditions, story)

        for run in _runs(arguments, boot, conditions):
            runs.append(report.values(run))
            print(f"  {runs[-1]['options']['name']}: {run.failure or 'done'}", flush=True)
    command = shlex.join(["netvf-lab", *sys.argv[1:]])
    mine = report.document(places.version, emulator, kernel, command, runs)
    document = mine | {
        "command": "\n".join([*(one["command"] for one in earlier), command]),
        "runs": [run for one in (*earlier, mine) for run in one["runs"]],
    }
    table = "\n".join(report.table(document))
    print("", table, "", sep="\n")
    if arguments.losses:
        print(*report.losses(runs), "", sep="\n")
    vm_report.write(arguments, outputs, document, table, report.draw)
    return 0 if all(run["succeeded"] for run in runs) else 1


def _work_nested(arguments, places, found):
    from ..vm.peers import PEERS as peers
    from . import nested

    _, kernel, busybox = found
    archive = "/run/netvf-lab.initramfs"
    nested.build(archive, places, kernel, kernel, busybox)
    for name in arguments.peer:
        with nested.NestedSession(peers[name](), places, kernel, archive) as session:
            try:
                session.boot()
                results = nested.run(
                    session, arguments.cycles, arguments.pps, arguments.size,
                    arguments.dwell / 1000)
            except Timeout as timeout:
                print(f"{name}: {timeout}", *session.log(), sep="\n", file=sys.stderr)
                return 1
        print(name, *nested.table(results), sep="\n")
    return 0


def main(arguments, places, outputs):
    if arguments.nested and "bond" in arguments.peer:
        print("netvf-lab: --nested is for netvf's peers, not for bond", file=sys.stderr)
        return 2
    default = NESTED_QEMU if arguments.nested else QEMU
    places = replace(places, kernel=arguments.kernel, qemu=arguments.qemu or default)
    # Here, because where the machine lives there is no way to Debian's servers, and no such files.
    cache = Cache(places)
    found = cache.qemu(), cache.kernel(), cache.busybox()
    if arguments.nested:
        return sandbox.run(lambda: _work_nested(arguments, places, found), places.libexec)
    earlier = _earlier(arguments.also)
    return sandbox.run(lambda: _work(arguments, places, found, outputs, earlier), places.libexec)
