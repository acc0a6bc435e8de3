# SPDX-License-Identifier: BSD-2-Clause
"""The command line of netvf-lab."""

import argparse
import json
import os
import sys

from . import sandbox
from .sriov import command as sriov
from .topology import KINDS
from .vm import command as vm
from .vm.cache import Unavailable


def _number(low, high):
    def parse(text):
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    parse.__name__ = "number"
    return parse


def _parser(places):
    parser = argparse.ArgumentParser(
        prog="netvf-lab", description="A simulated host for netvf, and guests whose VF goes."
    )
    parser.add_argument("--version", action="version", version=f"netvf-lab {places.version}")
    commands = parser.add_subparsers(dest="verb", required=True, metavar="migrate|vm|sriov")
    migrate = commands.add_parser(
        "migrate",
        help="VFs come and go under traffic, and every datagram is counted",
        usage="netvf-lab migrate [options] [-- COMMAND [ARGUMENT ...]]",
        epilog="COMMAND runs in the guest while the migrations happen; without --cycles,"
        " they go on as long as it runs.",
    )
    add = migrate.add_argument
    add("--cycles", type=_number(1, 100000), help="migrations (default: 5)")
    add("--pps", type=_number(1, 1000000), default=5000, help="datagrams/s (default: 5000)")
    add(
        "--detach",
        choices=(*KINDS, "mixed"),
        default="unplug",
        help="how the VF goes: removed, its link cut by the host, set down in the guest, or"
        " each in turn (default: unplug)",
    )
    add(
        "--planned",
        action="store_true",
        help="the guest leaves the VF before it goes, as `netvf switch` tells it",
    )
    add(
        "--kill",
        action="store_true",
        help="netvfd is killed 50 to 550 ms after each start, and started again",
    )
    add("--rcconf", action="append", default=[], metavar="LINE", help="one more line of rc.conf")
    machine = commands.add_parser(
        "vm",
        help="the same with a real guest: QEMU, Debian's kernel, real drivers, real hot-plug",
        usage="netvf-lab vm [options]",
    )
    vm.add_options(machine.add_argument, _number, places)
    card = commands.add_parser(
        "sriov",
        help="a card with real virtual functions, in one QEMU that is host and guest",
        usage="netvf-lab sriov [options]",
    )
    sriov.add_options(card.add_argument, _number, vm.some, places)
    for add in (migrate.add_argument, machine.add_argument, card.add_argument):
        add("--size", type=_number(24, 1472), default=256, help="bytes in each (default: 256)")
        add(
            "--dwell",
            type=_number(0, 3600000),
            default=1000,
            metavar="MS",
            help="time on each path (default: 1000)",
        )
        add("--rules", metavar="FILE", default=places.rules, help="netvfd's rules (devd.conf(5))")
        add("--json", metavar="FILE", help="write the report there")
        add("--svg", metavar="FILE", help="draw it there")
    return parser


def _parse(argv, places):
    parser = _parser(places)
    command = []
    if "--" in argv:
        split = argv.index("--")
        argv, command = argv[:split], argv[(split + 1):]
        if not command:
            parser.error("a command must follow --")
    arguments = parser.parse_args(argv)
    if arguments.cycles is None and not command:
        arguments.cycles = 5
    try:
        with open(arguments.rules, "rb"):
            pass
    except OSError as error:
        parser.error(f"cannot read the rules {arguments.rules}: {error.strerror}")
    arguments.rules = os.path.abspath(arguments.rules)
    if missing := places.missing():
        parser.error(f"not built or not installed: {', '.join(missing)}")
    if getattr(arguments, "kill", False) and arguments.planned:
        parser.error("--planned asks netvfd, which --kill leaves no time to answer")
    if os.geteuid() != 0:
        parser.error("needs root, to make namespaces of its own")
    return arguments, command


class Output:
    """A file to write at the end, into the directory as it was at the start.

    That it can be written is found out at once. It is replaced whole, or left as it was.
    """

    def __init__(self, path):
        directory, self._name = os.path.split(os.path.abspath(path))
        os.makedirs(directory, exist_ok=True)
        self._directory = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        if not os.access(directory, os.W_OK) or os.path.isdir(path):
            raise PermissionError(f"cannot write {path}")

    def write(self, text):
        temporary = f".{self._name}.{os.getpid()}"

        def opener(name, flags):
            return os.open(name, flags, 0o644, dir_fd=self._directory)

        with open(temporary, "w", encoding="utf-8", opener=opener) as file:
            file.write(text)
        os.replace(
            temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory
        )


def _migrate(arguments, command, places, outputs):
    # Not before the sandbox is needed: pyroute2 is slow to load, and usage errors should be quick.
    from .migrate import Migration, Options
    from .report import Report, table
    from .timeline import draw

    options = Options(
        rules=arguments.rules,
        cycles=arguments.cycles,
        pps=arguments.pps,
        size=arguments.size,
        detach=arguments.detach,
        planned=arguments.planned,
        kill=arguments.kill,
        rcconf=arguments.rcconf,
        dwell=arguments.dwell / 1000,
        command=command,
    )
    migration = Migration(options, places)
    migration.run()
    report = Report(migration)
    values = report.values()
    print("", *table(values), "", sep="\n")
    if "json" in outputs:
        outputs["json"].write(json.dumps(values, indent=2) + "\n")
    if "svg" in outputs and migration.results:
        outputs["svg"].write(draw(report))
    for kind in outputs:
        print(f"  {kind}: {getattr(arguments, kind)}")
    return 0 if report.succeeded() else 1


def main(places):
    arguments, command = _parse(sys.argv[1:], places)
    try:
        outputs = {
            kind: Output(path)
            for kind in ("json", "svg", "table")
            if (path := getattr(arguments, kind, None)) is not None
        }
        if arguments.verb == "vm":
            return vm.main(arguments, places, outputs)
        if arguments.verb == "sriov":
            return sriov.main(arguments, places, outputs)
        return sandbox.run(
            lambda: _migrate(arguments, command, places, outputs), places.libexec
        )
    except (OSError, Unavailable) as error:
        print(f"netvf-lab: {error}", file=sys.stderr)
        return 2
