#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""worker.py WHAT SIZE: for each line that it reads, measures one thing once (against.py).

Prints one JSON object a line: the figures, by name. NETVF_BUILD has the programs that are measured,
NETVF_LAB_BUILD those of the lab. Needs root, and valgrind for instructions.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "lab"), str(TOP / "tests/netns")]

from harness import BUILD, Guest, Netvfd, wait_until
from netvf_lab import sandbox
from netvf_lab.agents import VF
from netvf_lab.migrate import Migration, Options
from netvf_lab.places import Places
from netvf_lab.report import Report
from netvf_lab.story import Story
from netvf_lab.topology import GUEST_ADDRESS, PREFIX, Topology
from programs import Programs

LAB = pathlib.Path(os.environ.get("NETVF_LAB_BUILD", BUILD))
LIBEXEC = [BUILD / "src/libexec/hyperv_vfattach", BUILD / "src/libexec/hyperv_vfup"]
LONG = 240  # seconds
# Of the links of the pairs, and of the host's ends of the VFs: one request changes a group.
GROUP, VF_GROUP = 7, 8
REST = 4  # seconds after a start, in which netvfd may still look at each pair again
OTHERS = 9  # the group of links that belong to no pair
SWITCHES = 20
EVENTS = 200


def say(text):
    print(f"worker: {text}", file=sys.stderr, flush=True)


def processor(pid):
    """Milliseconds of processor time that a process has taken."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def batch(namespace, lines):
    namespace.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True,
                  capture_output=True)


class Pairs:
    """hn1 and vf1, and so on, as ends of veths in the guest; the host has p-hn1 and p-vf1."""

    def __init__(self, guest, count):
        self.guest = guest
        self.names = [f"{kind}{number}" for number in range(1, count + 1) for kind in ("hn", "vf")]
        self.conf = 'netvf_holddown="0"\nnetvf_pairs="{}"\n'.format(
            " ".join(f"hn{number}:vf{number}" for number in range(1, count + 1)))

    def add(self):
        host = f"/proc/{os.getpid()}/fd/{self.guest.host.net}"
        batch(self.guest.namespace, [
            f"link add {name} index {10000 + at} address 02:15:5d:01:{at // 2 >> 8:02x}:"
            f"{at // 2 & 255:02x} group {GROUP} type veth peer name p-{name} index {20000 + at} "
            f"group {VF_GROUP if at % 2 else GROUP} netns {host}"
            for at, name in enumerate(self.names)])
        for group in GROUP, VF_GROUP:
            self.guest.host.run(["ip", "link", "set", "group", str(group), "up"], check=True)
        self.guest.namespace.run(["ip", "link", "set", "group", str(GROUP), "up"], check=True)

    def delete(self):
        self.guest.namespace.run(["ip", "link", "del", "group", str(GROUP)], check=True)

    def carriers(self, on):
        """Of all VFs."""
        state = "up" if on else "down"
        self.guest.host.run(["ip", "link", "set", "group", str(VF_GROUP), state], check=True)


class Messages(threading.Thread):
    """When the kernel tells of the last VF that has no carrier: it may tell seconds later."""

    def __init__(self, guest, pairs):
        super().__init__(daemon=True)
        self.last = time.monotonic_ns()
        self.indexes = {10000 + at for at, name in enumerate(pairs.names) if name[0] == "v"}
        with guest.namespace.entered():
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        so_rcvbufforce = 33
        self.socket.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, 1 << 24)
        self.socket.bind((0, 1))  # RTMGRP_LINK
        self.socket.settimeout(0.2)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.join()

    def run(self):
        """Until none has one."""
        iff_running = 0x40
        deadline = time.monotonic() + LONG
        while self.indexes and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                message = self.socket.recv(65536)
                now = time.monotonic_ns()
                index, flags = struct.unpack_from("=iI", message, 20)
                if not flags & iff_running and index in self.indexes:
                    self.indexes.discard(index)
                    self.last = now
        self.socket.close()


def start(daemon, path):
    """Starts netvfd; milliseconds to READY=1, as systemd would measure them."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(LONG)
        before = time.monotonic_ns()
        with open(daemon.log_path, "ab") as log:
            daemon.process = daemon.guest.popen(
                daemon.program, "-d", "-f", daemon.rules, "-c", daemon.rcconf,
                "--run-dir", daemon.run_dir, env={**os.environ, "NOTIFY_SOCKET": str(path)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while b"READY=1" not in manager.recv(4096):
            pass
        took = (time.monotonic_ns() - before) / 1e6
    path.unlink()
    return took


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Rss:\s+(\d+)", status, re.MULTILINE).group(1))


def transmits(text, port):
    """How many pairs have switched to a VF, or to an hn, in this piece of the log."""
    return len(re.findall(rf": transmitting on {port}\d", text))


class Log:
    """What netvfd has said since."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.file = open(daemon.log_path, errors="replace")
        self.file.seek(0, os.SEEK_END)

    def wait(self, port, count):
        """Waits until so many pairs have switched; returns when the last one was seen."""
        seen, rest = 0, ""
        deadline = time.monotonic() + LONG
        while seen < count:
            text = self.file.read()
            whole, newline, rest = (rest + text).rpartition("\n")  # the last may be half a line
            seen += transmits(whole + newline, port)
            if not text:
                assert time.monotonic() < deadline, self.late(seen, count, port)
                time.sleep(0.0005)
        self.file.close()
        return time.monotonic_ns()

    def late(self, seen, count, port):
        status = self.daemon.ask("status", check=False).splitlines()
        others = [line for line in status if ", on " in line and f", on {port}" not in line]
        return f"{seen} of {count} by {port}; by another: {others}"


def daemon_of(guest, directory, conf):
    daemon = Netvfd(guest, directory, "", conf)
    daemon.log_path.touch()
    return daemon


def measure_first(guest, directory, count):
    """netvfd where none has been, until every pair transmits on its VF."""
    pairs = Pairs(guest, count)
    for number in range(1000):
        pairs.add()
        place = directory / str(number)
        place.mkdir()
        daemon = daemon_of(guest, place, pairs.conf)
        log = Log(daemon)
        yield None
        before = time.monotonic_ns()
        ready = start(daemon, place / "notify")
        ended = log.wait("vf", count)
        yield {"ready ms": ready, "all by their VF ms": (ended - before) / 1e6,
               "processor ms": processor(daemon.process.pid)}
        daemon.stop()
        pairs.delete()


def started(guest, directory, count):
    """Pairs that all transmit on their VF, and their netvfd."""
    pairs = Pairs(guest, count)
    pairs.add()
    daemon = daemon_of(guest, directory, pairs.conf)
    log = Log(daemon)
    start(daemon, directory / "notify")
    log.wait("vf", count)
    return pairs, daemon


def measure_start(guest, directory, count):
    """netvfd where one has been, with all pairs by their VF."""
    _, daemon = started(guest, directory, count)
    daemon.stop()
    while True:
        yield None
        took = start(daemon, directory / "notify")
        used = processor(daemon.process.pid)
        daemon.ask("status", "--json")
        yield {"ready, pairs known ms": took, "resident memory KiB": resident(daemon.process.pid),
               "processor ms": used}
        daemon.stop()


@contextlib.contextmanager
def running(guest, directory, count):
    pairs, daemon = started(guest, directory, count)
    time.sleep(REST)
    yield pairs, daemon
    daemon.stop()


def measure_carriers(guest, directory, count):
    """All VFs lose their carrier at once, and come back."""
    with running(guest, directory, count) as (pairs, daemon):
        while True:
            yield None
            log = Log(daemon)
            used = processor(daemon.process.pid)
            with Messages(guest, pairs) as messages:
                pairs.carriers(False)
                ended = log.wait("hn", count)
            took = {"followed ms": max((ended - messages.last) / 1e6, 1),
                    "processor ms": processor(daemon.process.pid) - used}
            log = Log(daemon)
            pairs.carriers(True)
            log.wait("vf", count)
            yield took


def measure_switch(guest, directory, count):
    """The first VF's carrier goes and comes back."""
    with running(guest, directory, count) as (_, daemon):
        port = guest.host.index("p-vf1")
        while True:
            yield None
            took = 0
            used = processor(daemon.process.pid)
            for _ in range(SWITCHES):
                for state, to in ("down", "hn"), ("up", "vf"):
                    log = Log(daemon)
                    before = time.monotonic_ns()
                    guest.host.netlink.link("set", index=port, state=state)
                    took += (log.wait(to, 1) - before) / 1e6
            yield {"switch ms": took / SWITCHES / 2,
                   "processor ms": (processor(daemon.process.pid) - used) / SWITCHES / 2}


def measure_event(guest, directory, count):
    """A link that belongs to no pair changes: the median of the changes. netvfd looks for removed
    programs by the clock, whatever changes; what that takes is told apart."""
    with running(guest, directory, count) as (_, daemon):
        guest.netlink.link("add", ifname="other", kind="veth", peer={"ifname": "another"})
        other = guest.namespace.index("other")
        pid = daemon.process.pid
        while True:
            yield None
            took = []
            for number in range(EVENTS):
                used = processor(pid)
                guest.netlink.link("set", index=other, mtu=1400 + number % 2)
                time.sleep(0.003)
                took.append(processor(pid) - used)
            used = processor(pid)
            time.sleep(REST)
            yield {"processor ms": statistics.median(took),
                   "idle, processor ms a second": (processor(pid) - used) / REST}


def route(number):
    high, low = divmod(number // 2, 256)
    if number % 2:
        return f"route add 2001:db8:{number:x}::/48 via 2001:db8::1 dev hn0"
    return f"route add 172.{16 + high // 256}.{high % 256}.{low}/32 via 10.77.0.1 dev hn0"


def instructions(output):
    return int(re.search(r"Collected\s*:\s*(\d+)", output).group(1))


def move(directory, routes, under):
    """hyperv_vfup moves hn0's configuration while netvfd runs."""
    with Topology(str(LAB / "lab/netvf-lab-agent")) as topology:
        topology.boot()
        guest = Guest(topology)
        programs = Programs(guest, directory)
        daemon = daemon_of(guest, directory, 'netvf_pairs="hn0:vf0"\n')
        start(daemon, directory / "notify")
        programs.attach_vf()
        log = Log(daemon)
        batch(guest.namespace, ["addr add 2001:db8::2/64 dev hn0 nodad",
                                "addr add 10.77.0.3/24 dev hn0", *map(route, range(routes))])
        before = time.monotonic_ns()
        done = guest.run(*under, BUILD / "src/libexec/hyperv_vfup", "hn0", check=True,
                         env=programs.environment, timeout=LONG)
        took = (time.monotonic_ns() - before) / 1e6
        moved = guest.run("ip", "route", "show", "dev", "lagg0").stdout.count("172.")
        assert moved == (routes + 1) // 2, f"{moved} of {routes} routes moved"
        log.file.close()
        daemon.stop()
    return took, done.stderr


def measure_vfup(_guest, directory, routes):
    for number in range(1000):
        yield None
        place = directory / str(number)
        (place / "time").mkdir(parents=True)
        (place / "count").mkdir()
        took, _ = move(place / "time", routes, ())
        _, said = move(place / "count", routes, (
            "valgrind", "--tool=callgrind", f"--callgrind-out-file={place}/callgrind"))
        yield {"time ms": took, "instructions": instructions(said)}


def places_of_build():
    return dataclasses.replace(Places.of_build(TOP, BUILD),
                               agent=str(LAB / "lab/netvf-lab-agent"))


def options_of(places, cycles, dwell, conf=()):
    return Options(rules=places.rules, cycles=cycles, pps=2000, size=256, detach="unplug",
                   planned=False, kill=False, rcconf=list(conf), dwell=dwell, command=None)


def first_packet(migration):
    """Milliseconds from a VF's attach to the guest's first datagram by it, the median."""
    # What the one before has left there is of another network namespace.
    subprocess.run(["umount", "/run/netvf-lab/netvf/bpf"], stderr=subprocess.DEVNULL)
    shutil.rmtree("/run/netvf-lab", ignore_errors=True)
    migration.run()
    return Report(migration).values()["attach_to_first_vf_packet_ms"]["median"]


def measure_attach(_guest, _directory, form):
    """A VF is plugged in, is used, and goes, ten times (netvf-lab migrate)."""
    places = places_of_build()
    conf = ['netvf_vf_transparent="YES"'] if form == "transparent" else []
    while True:
        yield None
        migration = Migration(options_of(places, 10, 0.2, conf), places, Story(quiet=True))
        yield {"first packet ms": first_packet(migration)}


class Behind(Migration):
    """Each VF comes right after so many new links of others, which go afterwards."""

    def __init__(self, options, places, links):
        super().__init__(options, places, Story(quiet=True))
        self._links = links

    def _switch(self, cycle, to, kind):
        guest = self.topology.guest
        if to == VF and self._links:
            batch(guest, [f"link add c{at}a group {OTHERS} type veth peer name c{at}b"
                          f" group {OTHERS}" for at in range(self._links // 2)])
        super()._switch(cycle, to, kind)
        if to == VF and self._links:
            guest.run(["ip", "link", "del", "group", str(OTHERS)], check=True)


def measure_behind(_guest, _directory, links):
    """The same behind new links of others, four times, the first with laggN to be made."""
    places = places_of_build()
    while True:
        yield None
        migration = Behind(options_of(places, 3, 3), places, links)
        yield {"first packet ms": first_packet(migration)}


def with_children(pid):
    """Milliseconds of processor time that a process and its ended children have taken."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return processor(pid) + sum(map(int, fields[13:15])) * 1000 / os.sysconf("SC_CLK_TCK")


class Coming(threading.Thread):
    """When the kernel first tells of vf0, and when it tells that vf0 is up."""

    def __init__(self, guest):
        super().__init__(daemon=True)
        self.first = self.up = None
        with guest.namespace.entered():
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.socket.bind((0, 1))  # RTMGRP_LINK
        self.socket.settimeout(LONG)
        self.start()

    def run(self):
        iff_up = 0x1
        ifla_ifname = struct.pack("=HH", 8, 3) + b"vf0\0"
        with self.socket:
            while not self.up:
                message = self.socket.recv(65536)
                if ifla_ifname in message:
                    now = time.monotonic_ns()
                    self.first = self.first or now
                    self.up = now if struct.unpack_from("=I", message, 24)[0] & iff_up else None


def new_links(guest, count):
    """Pairs of veths, as a host of containers has them."""
    batch(guest.namespace, [
        f"link add c{number}a type veth peer name c{number}b" for number in range(count // 2)])


def no_links(guest, count):
    batch(guest.namespace, [f"link del c{number}a" for number in range(count // 2)])


def no_action_is_left(daemon):
    daemon.ask("status")
    wait_until(lambda: daemon.log.count(": running ") == daemon.log.count("' for event '"), LONG)


def come_and_go(guest, daemon):
    """Milliseconds from the first message of a VF until it is up."""
    since = len(daemon.events)
    coming = Coming(guest)
    guest.attach_vf()
    daemon.wait_event("type=VF_UP", since, LONG)
    coming.join()
    guest.detach_vf("unplug")
    daemon.wait_event("type=VF_DOWN", since, LONG)
    daemon.wait_active("hn", deadline=LONG)
    return (coming.up - coming.first) / 1e6


def measure_links(guest, directory, count):
    """So many interfaces of others come at once, and a VF behind them."""
    rules = (TOP / "etc/devd/hyperv.conf").read_text()
    conf = f'netvf_pairs="hn0:vf0"\nifconfig_hn0="inet {GUEST_ADDRESS}/{PREFIX}"\n'
    daemon = Netvfd(guest, directory, rules, conf).start()
    come_and_go(guest, daemon)  # the first one moves hn's configuration
    while True:
        yield None
        no_action_is_left(daemon)
        used = with_children(daemon.process.pid)
        new_links(guest, count)
        no_action_is_left(daemon)
        used = with_children(daemon.process.pid) - used
        no_links(guest, count)
        no_action_is_left(daemon)
        new_links(guest, count)
        up = come_and_go(guest, daemon)
        no_links(guest, count)
        yield {"processor ms": used, "VF up ms": up}


def work():
    what, size = sys.argv[1:]
    measure = globals()[f"measure_{what}"]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with Topology(str(LAB / "lab/netvf-lab-agent")) as topology, \
            tempfile.TemporaryDirectory(dir="/run") as directory:
        topology.boot()
        samples = measure(Guest(topology), pathlib.Path(directory),
                          int(size) if size.isdigit() else size)
        next(samples)
        for _ in sys.stdin:
            answers.write(json.dumps(next(samples)) + "\n")
            answers.flush()
            next(samples)
    return 0


if __name__ == "__main__":
    sys.exit(sandbox.run(work, libexec=[str(path) for path in LIBEXEC]))
