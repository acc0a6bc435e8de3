# SPDX-License-Identifier: BSD-2-Clause
"""hn0 is a port of a bridge: lagg0 takes its place there, and gives it back."""

import contextlib
import json
import os
import random
import socket
import threading
from collections import Counter

import pytest

from harness import DEADLINE, wait_until
from moves import Ping, assert_same, ip, killed_at, whole_state
from netvf_lab.namespace import Namespace
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS, SWITCH_MAC
from programs import Connection

OTHER_ADDRESS = "10.77.0.50"
BROADCAST = "10.77.0.255"
STATIC_MAC = "02:00:00:00:00:99"
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33


@pytest.fixture
def other(guest):
    """A namespace behind a port of the guest's bridge."""
    with Namespace("other") as other:
        yield other


@pytest.fixture
def bridged(guest, other):
    """br0 has the guest's address, and the ports hn0 and tap0."""
    ip(guest, "link", "add", "br0", "type", "bridge", "forward_delay", "0", "stp_state", "0")
    ip(guest, "link", "set", "hn0", "master", "br0")
    guest.netlink.link("add", ifname="tap0", kind="veth",
                       peer={"ifname": "eth0", "net_ns_fd": other.net})
    ip(guest, "link", "set", "tap0", "master", "br0")
    for name in "tap0", "br0":
        ip(guest, "link", "set", name, "up")
    ip(guest, "addr", "flush", "dev", "hn0")
    ip(guest, "addr", "add", f"{GUEST_ADDRESS}/24", "broadcast", BROADCAST, "dev", "br0")
    other.run(["ip", "addr", "add", f"{OTHER_ADDRESS}/24", "dev", "eth0"])
    other.run(["ip", "link", "set", "eth0", "up"])
    for words in ("cost 77", "priority 5", "hairpin off", "mcast_flood on", "neigh_suppress on"):
        guest.run("bridge", "link", "set", "dev", "hn0", *words.split())
    guest.run("bridge", "fdb", "add", STATIC_MAC, "dev", "hn0", "master", "static")
    wait_until(lambda: "tentative" not in ip(guest, "addr", "show"), what="addresses are good")
    return guest


def port_of(guest, name):
    """What the bridge's port is, without what is the bridge's own doing."""
    link, = json.loads(ip(guest, "-d", "-j", "link", "show", "dev", name))
    data = link.get("linkinfo", {}).get("info_slave_data", {})
    for key in ("id", "no", "designated_port", "hold_timer", "message_age_timer", "state",
                "forward_delay_timer", "root_id", "bridge_id"):
        data.pop(key, None)
    return link.get("master"), data


def fdb(guest, name):
    done = guest.run("bridge", "-j", "fdb", "show", "dev", name)
    return {(entry["mac"], entry["state"]) for entry in json.loads(done.stdout or "[]")
            if entry.get("master") and entry["state"] in ("static", "permanent")}


class Broadcasts:
    """Numbered datagrams to all, from one namespace to another, some each millisecond."""

    def __init__(self, sender, receiver, address, port, by):
        with sender.entered():
            self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.out.bind((address, 0))
        with receiver.entered():
            self.into = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.into.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        # vf0 hears copies of its own until it is a port.
        self.into.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, by.encode())
        self.into.bind(("", port))
        self.port = port
        self.sent = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.send)
        self.thread.start()

    def send(self):
        while not self.done.wait(0.0002):
            self.out.sendto(str(self.sent).encode(), (BROADCAST, self.port))
            self.sent += 1

    def end(self):
        """How many were lost, how many came twice, and in how many runs of numbers these are."""
        self.done.set()
        self.thread.join()
        self.into.settimeout(DEADLINE)
        seen = []
        while not seen or seen[-1] != self.sent - 1:
            seen.append(int(self.into.recv(100)))
        twice = {number for number, times in Counter(seen).items() if times > 1}
        runs = sum(number - 1 not in twice for number in twice)
        return self.sent - len(set(seen)), len(twice), runs

    def close(self):
        self.done.set()
        self.thread.join()
        self.out.close()
        self.into.close()


class Reflections:
    """Frames of the host's own that come back to it."""

    def __init__(self, guest):
        with guest.host.entered():
            self.sockets = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
                            for _ in ("p-hn0", "p-vf0")]
            for each, name in zip(self.sockets, ("p-hn0", "p-vf0")):
                each.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
                each.bind((name, 3))
                each.setblocking(False)

    def count(self):
        source = bytes.fromhex(SWITCH_MAC.replace(":", ""))
        count = 0
        for each in self.sockets:
            with contextlib.suppress(BlockingIOError):
                while True:
                    frame, (_, _, kind, *_) = each.recvfrom(2000)
                    count += kind != PACKET_OUTGOING and frame[6:12] == source
        return count

    def close(self):
        for each in self.sockets:
            each.close()


def test_a_place_in_a_bridge_moves_and_comes_back(programs, bridged, other):
    guest = bridged
    place = port_of(guest, "hn0")
    before = whole_state(guest, "hn0"), whole_state(guest, "br0")
    assert place[0] == "br0" and place[1]["cost"] == 77
    assert (STATIC_MAC, "static") in fdb(guest, "hn0")
    with contextlib.ExitStack() as stack:
        def enter(thing):
            return stack.enter_context(contextlib.closing(thing))

        tcp = enter(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS))
        pings = [enter(Ping(guest)), enter(Ping(guest, OTHER_ADDRESS))]
        outward = enter(Broadcasts(guest.namespace, guest.host, GUEST_ADDRESS, 7100, "switch0"))
        inward = enter(Broadcasts(guest.host, guest.namespace, HOST_ADDRESS, 7101, "br0"))
        reflections = enter(Reflections(guest))
        programs.run("hyperv_vfup", "hn0")
        assert port_of(guest, "lagg0") == place and port_of(guest, "hn0")[0] is None
        assert (STATIC_MAC, "static") in fdb(guest, "lagg0")
        assert tcp.works()
        programs.run("hyperv_vfup", "-r", "hn0")
        assert port_of(guest, "hn0") == place
        assert (STATIC_MAC, "static") in fdb(guest, "hn0")
        assert tcp.works()
        assert [ping.lost() for ping in pings] == [[], []]
        print("lost, twice and runs, outward and inward", told := (outward.end(), inward.end()))
        assert reflections.count() == 0
        # Of each move, those that are on their way while the places change.
        for lost, _, runs in told:
            assert lost == 0 and runs <= 2
    assert_same([whole_state(guest, "hn0"), whole_state(guest, "br0")], list(before))


def flooded(guest):
    """Of hn0 and lagg0 the ports to which the bridge sends what is for everybody."""
    places = {name: port_of(guest, name) for name in ("hn0", "lagg0") if guest.link(name)}
    return [name for name, (master, port) in places.items()
            if master == "br0" and (port["flood"] or port["bcast_flood"])]


def run_killed(programs, way, step):
    """There, or there and back, killed before that step."""
    if way == "back":
        programs.run("hyperv_vfup", "hn0")
    return killed_at(programs, step, *(["-r"] if way == "back" else []), "hn0")


# NETVF_KILL_STRIDE=1 kills at every step, in a minute; else each run takes others of them.
@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a preloaded library and ASan do not mix")
@pytest.mark.parametrize("way", ["there", "back"])
def test_killed_at_any_step_the_bridge_has_its_port_again(programs, bridged, way):
    guest = bridged
    place = port_of(guest, "hn0")
    stride = int(os.environ.get("NETVF_KILL_STRIDE", "16"))
    step = random.randrange(stride)
    killed = True
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp, \
            contextlib.closing(Ping(guest, OTHER_ADDRESS)) as ping:
        while killed:
            print("killed before step", step := step + stride)
            killed = run_killed(programs, way, step)
            assert len(flooded(guest)) == 1, f"killed at step {step}"
            assert tcp.works(), f"killed at step {step}"
            programs.run("hyperv_vfup", "hn0")
            assert port_of(guest, "lagg0") == place, step
            assert port_of(guest, "hn0")[0] is None, step
            assert (STATIC_MAC, "static") in fdb(guest, "lagg0")
            programs.run("hyperv_vfup", "-r", "hn0")
            assert port_of(guest, "hn0") == place, step
            assert (STATIC_MAC, "static") in fdb(guest, "hn0")
            assert tcp.works(), f"completed after a kill at step {step}"
        assert ping.lost() == []
    assert step > 40


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a preloaded library and ASan do not mix")
@pytest.mark.parametrize("way", ["there", "back"])
def test_two_ports_that_lead_to_the_same_wire_are_isolated(programs, bridged, way):
    """Looks for a step at which both are there, halving what is left."""
    guest = bridged
    low, high = 0, 1000
    both = []
    while len(both) != 2:
        assert low + 1 < high, "both were never there"
        step = (low + high) // 2
        killed = run_killed(programs, way, step)
        old, new = ("hn0", "lagg0") if way == "there" else ("lagg0", "hn0")
        both = [port for master, port in (port_of(guest, name) for name in (old, new)
                                          if guest.link(name)) if master == "br0"]
        if killed and guest.link(old) and port_of(guest, old)[0] == "br0":
            low = step
        else:
            high = step
        if len(both) != 2:
            programs.run("hyperv_vfup", "hn0")
            programs.run("hyperv_vfup", "-r", "hn0")
    assert [port["isolated"] for port in both] == [True, True]
    assert [(port["flood"], port["bcast_flood"]) for port in both] == [(True, True), (False, False)]


def test_an_hn_that_pretends_to_have_no_link_is_awake_as_a_port(programs, bridged):
    guest = bridged
    programs.run("hyperv_vfup", "hn0")
    ip(guest, "link", "set", "hn0", "mode", "dormant", "state", "dormant")
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp:
        programs.run("hyperv_vfup", "-r", "hn0")
        assert guest.link("hn0").get_attr("IFLA_OPERSTATE") == "UP"
        assert tcp.works()


def test_netvfd_takes_a_port_of_a_bridge_along(start_netvfd, bridged):
    guest = bridged
    place = port_of(guest, "hn0")
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n')
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp:
        guest.attach_vf()
        netvfd.wait_active("vf")
        wait_until(lambda: guest.link("lagg0") and port_of(guest, "lagg0") == place)
        wait_until(lambda: guest.link("hn0").get_attr("IFLA_OPERSTATE") == "DORMANT")
        with contextlib.closing(Ping(guest)) as ping:
            netvfd.ask("release", "hn0")
            assert tcp.works()
            assert ping.lost() == []
        assert port_of(guest, "hn0") == place and guest.link("lagg0") is None
        guest.detach_vf()
        netvfd.wait_active("hn")
        assert tcp.works()


@pytest.mark.parametrize("setting, reason", [
    (["ip", "link", "set", "br0", "type", "bridge", "stp_state", "1"], "spanning tree"),
    (["bridge", "link", "set", "dev", "tap0", "isolated", "on"], "so is tap0, which is isolated"),
])
def test_a_bridge_that_cannot_have_two_ports_for_one_is_left_alone(
        programs, bridged, setting, reason):
    guest = bridged
    guest.run(*setting)
    before = whole_state(guest, "br0"), port_of(guest, "hn0")
    said = programs.run("hyperv_vfup", "hn0")
    assert reason in said and "netvf_vf_transparent" in said
    assert guest.link("lagg0") is None
    assert_same([whole_state(guest, "br0"), port_of(guest, "hn0")], list(before))


def test_the_doctor_says_what_is_in_the_way(start_netvfd, guest):
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n')
    guest.netlink.link("add", ifname="mv0", kind="macvlan", macvlan_mode="bridge",
                       link=guest.namespace.index("hn0"))
    guest.attach_vf()
    netvfd.wait_active("vf")
    wait_until(lambda: "mv0 (macvlan) is stacked on hn0" in netvfd.log, what="it was tried")
    said = netvfd.ask("doctor", "--json", check=False)
    assert "keeps its configuration: mv0 (macvlan) is stacked on hn0" in said


def test_a_lagg_that_cannot_be_filled_leaves_the_bridge_as_it_was(programs, bridged):
    guest = bridged
    place = port_of(guest, "hn0")
    programs.write_rcconf('ifconfig_hn0="inet6 2001:db8::2/64"\n')
    guest.namespace.sysctl("ipv6/conf/hn0/disable_ipv6", 1)
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp:
        assert "as it was before" in programs.run("hyperv_vfup", "hn0", status=1)
        assert tcp.works()
    assert port_of(guest, "hn0") == place
    assert (STATIC_MAC, "static") in fdb(guest, "hn0")
