# SPDX-License-Identifier: BSD-2-Clause
"""`netvf-lab vm`: its options, and all its runs."""

import shlex
import sys
from dataclasses import replace

from .. import sandbox
from ..loop import Timeout
from ..story import Story
from .cache import Cache

WAYS_GONE = ("acpi", "pcie", "unbind", "linkdown", "admindown", "live")
WAYS_BACK = ("same", "slot", "name", "driver", "never")
PEERS = (
    *("none", "bond", "hyperv-scripts", "net_failover"),
    *("netvf", "netvf-bond", "netvf-transparent"),
)
CARDS = ("e1000e", "e1000", "vmxnet3", "virtio-net")


def some(choices):
    """A list of words with commas, or "all"."""

    def parse(text):
        words = list(choices) if text == "all" else text.split(",")
        for word in words:
            if word not in choices:
                raise ValueError(word)
        return words

    parse.__name__ = f"list (of {', '.join(choices)}; or all)"
    return parse


def add_options(add, number, places):
    add(
        "--peer",
        type=some(PEERS),
        default=["netvf"],
        help=f"who keeps the network up: one of {', '.join(PEERS)}, several with commas, or all"
        " (default: netvf)",
    )
    add(
        "--gone",
        type=some(WAYS_GONE),
        default=["acpi"],
        help="how the VF goes: unplugged by ACPI or by PCIe's attention button, its driver unbound,"
        " its link cut by the host, set down in the guest; or unplugged for a live migration to"
        " another QEMU, where the next is plugged in (default: acpi)",
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
        help="the VF's card (default: e1000e; vmxnet3 for linkdown, of which QEMU's e1000e does not"
        " tell the guest)",
    )
    add("--runs", type=number(1, 1000), default=1, help="of each scenario (default: 1)")
    add("--cycles", type=number(1, 1000), default=1, help="times it goes (default: 1)")
    add("--pps", type=number(1, 100000), default=1000, help="datagrams/s (default: 1000)")
    add("--table", metavar="FILE", help="write the table there")
    add(
        "--kernel",
        metavar="VERSION|debian:SUITE|FILE|DIR",
        default=places.kernel,
        help="the guest's: the newest of a version (6.12) or of a suite (debian:trixie) that Debian"
        " has, fetched once and not installed; or a package of it; or a directory into which its"
        " packages were unpacked (default: of this machine's suite)",
    )
    add(
        "--qemu",
        metavar="VERSION|debian:SUITE|PATH",
        default=places.qemu,
        help="the QEMU: Debian's of a version (10) or of a suite, fetched once with all that it"
        " needs and not installed; or a program (default: the one that is installed)",
    )


def _ways(arguments, peer):
    """hn alone is alike in all of them, but when the guest moves."""
    if peer.has_vf:
        return arguments.gone
    return [gone for gone in arguments.gone if gone in ("live", arguments.gone[0])]


def _card(arguments, gone):
    return arguments.vf or ("vmxnet3" if gone == "linkdown" else "e1000e")


def _options(arguments, gone):
    from .run import VmOptions

    return VmOptions(
        rules=arguments.rules,
        cycles=arguments.cycles,
        pps=arguments.pps,
        size=arguments.size,
        dwell=arguments.dwell / 1000,
        detach=gone,
        back=arguments.back,
        vf=_card(arguments, gone),
    )


def _is_cleared(run):
    """A guest may keep the VF, or QEMU refuse to take it: a slot is busy after a plug-in."""
    try:
        run.clear()
    except Timeout as error:
        print(f"  {error}; so the rest in another guest", flush=True)
        return False
    return True


def _round(arguments, peer, boot):
    """One peer's scenarios, in one guest; another after each failure, or if it keeps the VF."""
    from .live import LiveRun
    from .run import VmRun

    left = list(_ways(arguments, peer))
    while left:
        with boot(peer) as session:
            run = None
            while left and (run is None or not run.failure and _is_cleared(run)):
                options = _options(arguments, left.pop(0))
                run = (LiveRun if options.detach == "live" else VmRun)(options, session)
                run.run()
                yield run


def _command_line():
    return shlex.join(["netvf-lab", *sys.argv[1:]])


def _work(arguments, places, found, outputs):
    from . import initramfs, report
    from .peers import PEERS as peers
    from .picture import draw
    from .session import Session

    emulator, kernel, busybox = found
    archive = "/run/netvf-lab.initramfs"
    initramfs.build(archive, places, kernel, busybox)
    one = arguments.runs * len(arguments.peer) == 1

    def boot(peer):
        return Session(peer, places, kernel, archive, Story(quiet=not one))

    runs = []
    # Peer after peer and then again, so that a busy moment of the machine does not fall on one
    # alone.
    for number in range(arguments.runs):
        for name in arguments.peer:
            peer = peers[name]()
            peer.cards = {_card(arguments, gone) for gone in arguments.gone}
            for run in _round(arguments, peer, boot):
                runs.append(report.values(run))
                print(f"  [{number + 1}] {report.summary(runs[-1])}", flush=True)
    document = report.document(places.version, emulator, kernel, _command_line(), runs)
    table = "\n".join(report.table(document))
    print("", table, "", sep="\n")
    report.write(arguments, outputs, document, table, draw)
    return 0 if all(run["succeeded"] for run in runs) else 1


def main(arguments, places, outputs):
    places = replace(places, kernel=arguments.kernel, qemu=arguments.qemu)
    # Here, because where the guest lives there is no way to Debian's servers.
    cache = Cache(places)
    found = cache.qemu(), cache.kernel(), cache.busybox()
    return sandbox.run(lambda: _work(arguments, places, found, outputs), places.libexec)
