# SPDX-License-Identifier: BSD-2-Clause
"""The data path with real frames: what goes where in each form, and what never gets lost."""

import itertools

import pytest

from pairnet import (BROADCAST, HOST_MAC, MAC, NET_BROADCAST, Pair, PairNet, mac_bytes, udp_frame,
                     wait_until)

FORMS = ["transparent", "lagg", "exclusive"]
PORTS = ["hn", "vf"]


@pytest.fixture
def net():
    with PairNet() as net:
        yield net


def other(port):
    return "hn" if port == "vf" else "vf"


@pytest.mark.parametrize("form, active", itertools.product(["transparent", "lagg"], PORTS))
def test_upper_transmits_on_the_active_port_only(net, form, active):
    pair = Pair(net, form, active)
    for sequence in range(50):
        pair.receiver.send_to_host(sequence)
    assert pair.taps[active].expect(range(50)) == list(range(50))
    assert pair.taps[other(active)].sequences() == []
    tx = pair.counters(active)["tx"]
    assert tx == [50, 50 * 50]
    assert pair.counters(other(active))["tx"] == [0, 0]

    pair.tool("activate", "hn0", other(active))
    for sequence in range(50, 60):
        pair.receiver.send_to_host(sequence)
    assert pair.taps[other(active)].expect(range(50, 60)) == list(range(50, 60))
    assert pair.taps[active].sequences() == []


def test_exclusive_vf_transmits_by_itself(net):
    pair = Pair(net, "exclusive")
    for sequence in range(50):
        pair.receiver.send_to_host(sequence)
    assert pair.taps["vf"].expect(range(50)) == list(range(50))
    assert pair.taps["hn"].sequences() == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("active", PORTS)
@pytest.mark.parametrize("door", PORTS)
def test_unicast_reaches_the_upper_by_either_door(net, form, active, door):
    pair = Pair(net, form, active)
    for sequence in range(50):
        pair.taps[door].send(udp_frame(sequence))
    assert pair.receiver.expect(range(50)) == list(range(50))
    stray = 50 if (door, active) == ("hn", "vf") else 0
    nothing = {"tx": 0, "rx": 0, "stray": 0, "own": 0, "copy": 0}
    assert pair.packets(door) == nothing | {"rx": 50, "stray": stray}
    assert pair.packets(other(door)) == nothing
    assert pair.counters(door)["rx"][1] == 50 * 50


@pytest.mark.parametrize("active", PORTS)
def test_what_hn_sends_by_itself_leaves_by_the_active_port(net, active):
    """Somebody has given it an address or a route though lagg0 is the upper."""
    pair = Pair(net, "lagg", active)
    own = net.tap("hn0")
    for sequence in range(20):
        own.send(udp_frame(sequence, dst=HOST_MAC["hn"], src=MAC))
    assert pair.taps[active].expect(range(20)) == list(range(20))
    assert pair.taps[other(active)].sequences() == []


@pytest.mark.parametrize("door", PORTS)
def test_a_neighbour_that_hn_asked_for_is_known_to_hn(net, door):
    """The kernel has neighbours for each interface; the answer arrives for lagg0."""
    pair = Pair(net, "lagg", "vf")
    where = "02:00:00:00:00:77"
    hn = net.index("hn0")
    net.ip.addr("add", index=hn, address="10.8.0.2", prefixlen=24)
    pair.receiver.socket.sendto(b"12345678", ("10.8.0.1", 9000))  # the kernel asks
    reply = (bytes.fromhex("0001080006040002") + mac_bytes(where) + bytes([10, 8, 0, 1])
             + mac_bytes(MAC) + bytes([10, 8, 0, 2]))
    pair.taps[door].send(mac_bytes(MAC) + mac_bytes(where) + b"\x08\x06" + reply)

    def known():
        return {neighbour.get_attr("NDA_LLADDR") for neighbour in net.ip.get_neighbours(
            ifindex=hn, dst="10.8.0.1")}

    wait_until(lambda: where in known(), "hn0 knows its neighbour")


def test_a_bridge_with_both_as_ports_sends_nothing_back(net):
    """The host's switch would look for a third machine at the guest's port."""
    pair = Pair(net, "lagg", "hn")
    net.ip.link("add", ifname="br0", kind="bridge")
    bridge = net.index("br0")
    net.ip.link("set", index=bridge, state="up")
    for name in "lagg0", "hn0":
        net.ip.link("set", index=net.index(name), master=bridge, state="up")

    def forwards(name):
        port = net.ip.get_links(net.index(name))[0]
        data = port.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_SLAVE_DATA")
        return data.get_attr("IFLA_BRPORT_STATE") == 3

    wait_until(lambda: forwards("lagg0") and forwards("hn0"), "both ports forward")
    behind = net.tap("br0")
    for sequence in range(20):
        pair.taps["hn"].send(udp_frame(sequence, dst=BROADCAST, src="02:00:00:00:00:77",
                                       to=NET_BROADCAST))
    behind.expect(range(20))
    assert pair.taps["hn"].sequences() == pair.taps["vf"].sequences() == []


def test_no_program_stands_at_the_active_vf_of_a_bond(net):
    """But one does before hn is active, when a copy or a stray comes by the VF."""
    pair = Pair(net, "lagg")
    pair.tool("edit", "hn0", "inside=vf")
    for _ in range(3):
        assert not pair.tool("programs", "vf0")[0]
        pair.tool("activate", "hn0", "hn")
        assert pair.tool("programs", "vf0")[0]
        pair.tool("activate", "hn0", "vf")
    assert not pair.tool("programs", "vf0")[0]
    net.tool()
    assert not pair.tool("programs", "vf0")[0], "who opens it too brings none back"
    pair.tool("edit", "hn0", "inside=")
    assert pair.tool("programs", "vf0")[0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("active", PORTS)
def test_flooded_frame_arrives_once(net, form, active):
    """The host floods both ports; the stack gets the active port's copy."""
    pair = Pair(net, form, active)
    for sequence in range(50):
        for port in PORTS:
            pair.taps[port].send(udp_frame(sequence, dst=BROADCAST, to=NET_BROADCAST))
    pair.taps[active].send(udp_frame(50))
    assert pair.receiver.expect(range(51)) == list(range(51))
    assert pair.packets(active)["rx"] == 51
    assert pair.packets(active)["copy"] == 0
    assert pair.packets(other(active))["rx"] == 0
    assert pair.packets(other(active))["copy"] == 50


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("active", PORTS)
@pytest.mark.parametrize("door", PORTS)
def test_multicast_is_taken_from_either_port_where_none_is_a_copy(net, form, active, door):
    pair = Pair(net, form, active)
    pair.tool("edit", "hn0", "multicast=both")
    pair.tool("edit", "hn0", f"active={other(active)}")
    pair.tool("edit", "hn0", f"active={active}")
    for sequence in range(50):
        pair.taps[door].send(udp_frame(sequence, dst=BROADCAST, to=NET_BROADCAST))
    assert pair.receiver.expect(range(50)) == list(range(50))
    assert (pair.packets(door)["rx"], pair.packets(door)["copy"]) == (50, 0)
    pair.tool("edit", "hn0", "multicast=active")
    pair.taps[other(active)].send(udp_frame(50, dst=BROADCAST, to=NET_BROADCAST))
    pair.taps[other(active)].send(udp_frame(51))
    assert pair.receiver.expect([51]) == [51]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("door", PORTS)
def test_own_frames_that_come_back_are_dropped(net, form, door):
    pair = Pair(net, form)
    pair.taps[door].send(udp_frame(0, src=MAC))
    pair.taps[door].send(udp_frame(1, src=MAC, dst=BROADCAST, to=NET_BROADCAST))
    pair.taps[door].send(udp_frame(2))
    assert pair.receiver.expect([2]) == [2]
    assert pair.packets(door)["own"] == 2
    assert pair.packets(door)["rx"] == 1


@pytest.mark.parametrize("form", ["lagg", "transparent"])
def test_a_vlan_that_a_vf_does_not_accept_leaves_by_hn(net, form):
    """The VF accepts every source."""
    pair = Pair(net, form, active="vf")
    pair.tool("limit", "hn0", "vf0", "any", "7")
    upper = net.tap(pair.upper)
    upper.send(udp_frame(1, src="02:00:00:00:00:77"))
    assert wait_until(pair.taps["vf"].frames, "another source") == [(1, None)]
    upper.send(udp_frame(2, vlan=7))
    assert wait_until(pair.taps["vf"].frames, "the VLAN that it accepts") == [(2, 7)]
    upper.send(udp_frame(3, vlan=8))
    assert wait_until(pair.taps["hn"].frames, "the other VLAN") == [(3, 8)]


@pytest.mark.parametrize("form, active", itertools.product(["transparent", "lagg"], PORTS))
def test_vlan_tags_survive_both_ways(net, form, active):
    pair = Pair(net, form, active)
    upper = net.tap(pair.upper)
    pair.taps["vf"].send(udp_frame(1, vlan=7))
    assert wait_until(upper.frames, "the frame from vf") == [(1, 7)]
    if form == "lagg":
        pair.taps["hn"].send(udp_frame(2, vlan=8))
        assert wait_until(upper.frames, "the frame from hn") == [(2, 8)]
    upper.send(udp_frame(3, vlan=9))
    assert wait_until(pair.taps[active].frames, "the frame to the host") == [(3, 9)]


def test_lagg_transmits_before_it_is_the_upper(net):
    pair = Pair(net, "transparent")
    pair.tool("lagg-create", "hn0", "lagg0")
    net.ip.link("set", index=net.index("lagg0"), state="up")
    lagg = net.tap("lagg0")
    for active, sequence in ("vf", 1), ("hn", 2):
        pair.tool("activate", "hn0", active)
        lagg.send(udp_frame(sequence, src=MAC, dst=HOST_MAC[active]))
        assert pair.taps[active].expect([sequence]) == [sequence]
        assert pair.taps[other(active)].sequences() == []
        assert pair.packets(active)["tx"] == 1
        assert pair.tool("get", "hn0")["form"] == "transparent"


@pytest.mark.parametrize("form", FORMS)
def test_frames_into_nothing_are_no_harm(net, form):
    """The VF is gone and nobody has said so yet: the rest goes on."""
    pair = Pair(net, form)
    net.ip.link("del", index=net.vf)
    pair.taps["hn"].send(udp_frame(1))
    if form != "exclusive":
        assert pair.receiver.expect([1]) == [1]
        pair.receiver.send_to_host(2)
        pair.tool("activate", "hn0", "hn")
        pair.receiver.send_to_host(3)
        assert pair.taps["hn"].expect([2, 3]) == [2, 3], "the first was kept"
    pair.tool("edit", "hn0", "vf=0")
    now = pair.tool("get", "hn0")
    assert (now["vf"], now["active"]) == (0, "hn")
    assert now["form"] == ("lagg" if form == "lagg" else "transparent")
    pair.tool("edit", "hn0", f"vf={net.add_port('vf', 'fast1')}", "active=vf")
    new = net.tap("fast1h")
    new.send(udp_frame(4))
    if form != "exclusive":
        assert 4 in pair.receiver.expect([4])
        pair.receiver.send_to_host(5)
        assert new.expect([5]) == [5]


def test_port_counts_from_when_it_joined(net):
    pair = Pair(net, "transparent")
    pair.taps["vf"].send(udp_frame(1))
    pair.taps["hn"].send(udp_frame(2))
    pair.receiver.expect([1, 2])
    pair.tool("edit", "hn0", "vf=0")
    pair.tool("edit", "hn0", "vf=vf0")
    assert pair.packets("vf")["rx"] == 0
    assert pair.packets("hn")["rx"] == 1


def test_new_device_with_an_old_index_is_left_alone(net):
    """The map still knows the VF's index when another device gets it."""
    pair = Pair(net, "transparent", active="hn")
    net.ip.link("del", index=net.vf)
    net.add_port("vf", "alien0", index=net.vf)
    alien = net.tap("alien0h")
    inside = net.tap("alien0")
    hn = net.tap("hn0")
    alien.send(udp_frame(1))
    assert inside.expect([1]) == [1]
    pair.taps["hn"].send(udp_frame(2))
    assert hn.expect([2]) == [2]
    assert pair.tool("counters", net.vf)["rx"] == [0, 0]
