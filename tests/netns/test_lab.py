# SPDX-License-Identifier: BSD-2-Clause
"""The lab itself: it counts exactly, its switch loses nothing by itself, it leaves nothing."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NETVF_BUILD", TOP / "build"))
AGENT = str(BUILD / "lab/netvf-lab-agent")
sys.path.insert(0, str(TOP / "lab"))

from netvf_lab.agents import FROM_GUEST, HN, TO_GUEST, VF
from netvf_lab.loop import Loop, Timeout
from netvf_lab.report import ANNOUNCEMENTS
from netvf_lab.topology import (
    GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS, NTF_MASTER, SWITCH_MAC, Topology)
from netvf_lab.traffic import Traffic

PPS = 2000
WITHIN = 10  # seconds
WAYS = (TO_GUEST, FROM_GUEST)
GRATUITOUS_ARP = ANNOUNCEMENTS.index("gratuitous_arp")
NUD_PERMANENT = 0x80


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def topology():
    with Topology(AGENT) as made:
        made.boot()
        yield made


@pytest.fixture
def traffic(loop, topology):
    made = Traffic(loop, topology, AGENT, PPS, 100)
    began = time.monotonic_ns()
    made.start()
    await_path(loop, made, HN, began)
    yield made
    assert made.close() == [0] * 5


def await_path(loop, traffic, path, since, ways=WAYS):
    def all_there():
        return all(traffic.observer.first(way, path, since) for way in ways)

    loop.wait(all_there, WITHIN, "traffic by the path")


def attach_and_send(topology):
    """A VF; the guest opens it and, standing in for netvfd, has its stack send by it."""
    vf = topology.attach()
    guest = topology.guest.netlink
    guest.link("set", index=vf.guest_index, state="up")
    deadline = time.monotonic() + WITHIN
    while guest.get_links(vf.guest_index)[0].get_attr("IFLA_OPERSTATE") != "UP":
        assert time.monotonic() < deadline, "the VF has no carrier"
    guest.neigh("replace", dst=HOST_ADDRESS, lladdr=SWITCH_MAC, ifindex=vf.guest_index,
                state=NUD_PERMANENT)
    guest.route("replace", dst=f"{HOST_ADDRESS}/32", oif=vf.guest_index)


def ports_of_guest(topology):
    """The ports by which the switch sends to the guest."""
    return {
        entry["ifindex"]
        for entry in topology.host.netlink.fdb("dump")
        if entry.get_attr("NDA_LLADDR") == GUEST_MAC
    }


def test_a_quiet_path_loses_nothing_and_repeats_nothing(loop, traffic):
    loop.dwell(0.5)
    results = traffic.stop()
    for way in WAYS:
        sent, received = results["sent"][way]["sent"], results["received"][way]
        assert sent > PPS / 4
        assert (received["received"], received["lost"], received["duplicates"]) == (sent, 0, 0)
        assert results["observed"]["dirs"][way]["packets"] == [sent, 0]
    for end in results["streams"]:
        assert end["intact"] and end["ended"] and not end["error"] and end["received"] > 0


def test_what_each_path_has_carried_is_told_meanwhile(loop, traffic):
    def carried():
        return [traffic.observer.packets()[way] for way in WAYS]

    loop.wait(lambda: min(hn for hn, _ in carried()) >= 100, WITHIN, "100 datagrams each way")
    told = carried()
    observed = traffic.stop()["observed"]["dirs"]
    for way in WAYS:
        assert told[way][VF] == 0
        assert 100 <= told[way][HN] <= observed[way]["packets"][HN]


def test_each_lost_datagram_counts_and_the_gap_is_as_long_as_the_cut(loop, traffic, topology):
    host = topology.host.netlink
    began = time.monotonic_ns()
    host.link("set", index=topology.hn.host_index, state="down")
    loop.dwell(0.3)
    host.link("set", index=topology.hn.host_index, state="up")
    # Whatever else delays them, such as ARP, the datagrams after the cut end the gap.
    loop.dwell(1.5)
    results = traffic.stop()
    took = time.monotonic_ns() - began
    for way in WAYS:
        sent, received = results["sent"][way]["sent"], results["received"][way]
        assert received["lost"] == sent - received["received"]
        assert received["lost"] == sum(count for *_, count in received["lost_runs"])
        assert 0.3 * PPS * 0.8 < received["lost"] < PPS
        assert 250e6 < received["longest_gap"] < took


def test_a_flooded_frame_is_seen_as_a_duplicate(loop, traffic, topology):
    """What the lab's switch avoids, made on purpose: the counting notices."""
    topology.attach()
    topology.guest.netlink.link("set", index=topology.vf.guest_index, state="up")
    host = topology.host.netlink
    for port in (topology.hn, topology.vf):
        host.brport("set", index=port.host_index, unicast_flood=1, learning=0)
    for index in ports_of_guest(topology):
        host.fdb("del", ifindex=index, lladdr=GUEST_MAC, flags=NTF_MASTER)
    loop.dwell(0.3)
    assert traffic.stop()["received"][TO_GUEST]["duplicates"] > 0


def test_the_switch_follows_the_guest_and_leaves_the_vf_before_it_goes(loop, traffic, topology):
    began = time.monotonic_ns()
    attach_and_send(topology)
    await_path(loop, traffic, VF, began)
    assert ports_of_guest(topology) == {topology.vf.host_index}

    # The guest knows nothing yet and goes on by the VF, but the host sends by hn.
    began = time.monotonic_ns()
    topology.point_to_hn()
    await_path(loop, traffic, HN, began, [TO_GUEST])
    loop.dwell(0.1)
    assert ports_of_guest(topology) == {topology.hn.host_index}
    assert traffic.observer.path == [HN, VF]

    topology.detach("unplug")
    await_path(loop, traffic, HN, began)
    results = traffic.stop()
    assert results["received"][TO_GUEST]["lost"] == 0
    assert all(results["received"][way]["duplicates"] == 0 for way in WAYS)


def test_the_switch_points_to_a_port_that_the_guest_opened_just_now(monkeypatch):
    with Topology(AGENT) as topology:
        driver = topology._ports.pid
        waiting = Loop(tick=lambda: os.kill(driver, signal.SIGCONT))
        monkeypatch.setattr("netvf_lab.topology.Loop", lambda: waiting)
        topology.attach()
        os.kill(driver, signal.SIGSTOP)
        try:
            topology.guest.netlink.link("set", index=topology.hn.guest_index, state="up")
            topology.point_to_hn()
        finally:
            os.kill(driver, signal.SIGCONT)
        assert ports_of_guest(topology) == {topology.hn.host_index}


def test_the_switch_does_not_point_to_a_port_that_the_guest_never_opens(topology, monkeypatch):
    monkeypatch.setattr("netvf_lab.topology.FORWARDS_WITHIN", 0.1)
    topology.attach()
    with pytest.raises(Timeout, match="the guest has opened"):
        topology.switch.point(topology.vf.host_index, topology.hn.host_index)


@pytest.mark.parametrize("kind", ["linkdown", "admindown"])
def test_a_link_that_went_comes_back(loop, traffic, topology, kind):
    attach_and_send(topology)
    guest, index = topology.guest.netlink, topology.vf.guest_index
    for deed, carrier in ((topology.detach, False), (topology.bring_back, True)):
        deed(kind)
        loop.wait(
            lambda: (guest.get_links(index)[0].get_attr("IFLA_OPERSTATE") == "UP") == carrier,
            WITHIN, f"carrier {carrier}")


WORLD = """
import os, sys
sys.path.insert(0, {lab!r})
from netvf_lab import sandbox

def work():
    from netvf_lab.topology import Topology
    with Topology({agent!r}) as topology:
        topology.boot()
        topology.attach()
        for machine in (topology.host, topology.guest):
            machine.popen(["sleep", "1000"])
        kept = [os.readlink(f"/proc/self/fd/{{fd}}") for fd in (topology.host.net,
                topology.guest.net, topology.guest.mounts)]
        print(os.readlink("/proc/self/ns/pid"), *kept, flush=True)
        {then}

sys.exit(sandbox.run(work, [{agent!r}]))
"""


def start_world(then):
    text = WORLD.format(lab=str(TOP / "lab"), agent=AGENT, then=then)
    return subprocess.Popen(
        [sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def namespaces_in_use():
    found = set()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if "\nState:\tZ" not in (process / "status").read_text():
                found |= {os.readlink(process / "ns" / kind) for kind in ("pid", "net", "mnt")}
        except OSError:
            pass  # it has just ended
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_remains_after_a_signal(number):
    world = start_world("import signal; signal.pause()")
    namespaces = set(world.stdout.readline().split())
    assert len(namespaces) == 4
    deadline = time.monotonic() + WITHIN
    while not namespaces <= namespaces_in_use():
        assert time.monotonic() < deadline, "not all of the lab's processes have begun"
    world.send_signal(number)
    world.wait(WITHIN)
    assert world.returncode == (-number if number == signal.SIGKILL else 128 + number)
    deadline = time.monotonic() + WITHIN
    while namespaces & namespaces_in_use():
        assert time.monotonic() < deadline, "a process lives on in the lab's namespaces"


def test_programs_appear_in_libexec_and_the_real_one_is_untouched():
    before = sorted(os.listdir("/usr/libexec"))
    world = start_world(
        'print(*sorted(os.listdir("/usr/libexec/hyperv")), flush=True);'
        'print(*sorted(os.listdir("/usr/libexec")), flush=True); return 0')
    lines = world.communicate(timeout=60)[0].splitlines()
    assert lines[1] == "netvf-lab-agent"
    assert set(lines[2].split()) == set(before) | {"hyperv"}
    assert sorted(os.listdir("/usr/libexec")) == before


def test_the_host_hears_how_the_guest_announces_itself(loop, traffic, topology):
    def heard():
        return {kind for _, kind, path in traffic.observer.ask("end")["announcements"]
                if path == HN}

    # The guest has asked for the host's address, which announces nothing.
    assert GRATUITOUS_ARP not in heard()
    guest = topology.guest
    guest.sysctl("ipv4/conf/hn0/arp_notify", 1)
    guest.sysctl("ipv6/conf/hn0/ndisc_notify", 1)
    guest.netlink.link("set", index=topology.hn.guest_index, address=GUEST_MAC)
    with guest.entered():
        member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with member:
        group = socket.inet_aton("239.7.7.7") + socket.inet_aton(GUEST_ADDRESS)
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        every = set(range(len(ANNOUNCEMENTS)))
        loop.wait(lambda: heard() == every, WITHIN, "ARP, advertisement and group report")
