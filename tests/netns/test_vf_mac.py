# SPDX-License-Identifier: BSD-2-Clause
"""The frames of a VF with a MAC address of its own, byte by byte (src/datapath/bpf/vf_mac.h)."""

import socket
import struct

import pytest

from pairnet import (BROADCAST, HOST_MAC, MAC, Pair, PairNet, checksum, mac_bytes, udp_frame,
                     wait_until)

VF_MAC = "02:00:00:00:00:bb"
OTHER_MAC = "02:00:00:00:00:77"
FORMS = ["transparent", "lagg"]
PORTS = ["hn", "vf"]
SOURCE, TARGET = (socket.inet_pton(socket.AF_INET6, text) for text in ("fe80::1", "fe80::2"))
RS, RA, NS, NA = 133, 134, 135, 136
SOURCE_MAC, TARGET_MAC, PREFIX = 1, 2, 3
LEFT = 8  # NV_DP_REPORT_LEFT
ICMPV6 = 58


@pytest.fixture
def net():
    with PairNet() as net:
        yield net


def start(net, form, active="vf"):
    pair = Pair(net, form, active)
    pair.tool("edit", "hn0", f"vf_mac={VF_MAC}")
    return pair


def arp(mac, to=BROADCAST, source=None):
    """A request whose sender has this address."""
    head = mac_bytes(to) + mac_bytes(source or mac) + bytes.fromhex("0806 0001080006040001")
    return head + mac_bytes(mac) + bytes([10, 9, 0, 2]) + bytes(6) + bytes([10, 9, 0, 1])


def icmpv6_checksum(packet):
    pseudo = packet[8:40] + struct.pack("!II", len(packet) - 40, ICMPV6)
    return checksum(pseudo + packet[40:42] + bytes(2) + packet[44:])


def discovery(mac, kind, options, source=None):
    """A message of neighbour discovery; @options: (type, MAC address, or what follows)."""
    fixed = {RS: bytes(4), RA: bytes(12), NS: bytes(4) + TARGET, NA: bytes(4) + TARGET}[kind]
    body = bytes([kind, 0, 0, 0]) + fixed
    for option, value in options:
        value = mac_bytes(value) if isinstance(value, str) else value
        body += bytes([option, (len(value) + 2) // 8]) + value
    packet = struct.pack("!IHBB", 6 << 28, len(body), ICMPV6, 255) + SOURCE + TARGET + body
    packet = packet[:42] + struct.pack("!H", icmpv6_checksum(packet)) + packet[44:]
    return mac_bytes("33:33:00:00:00:01") + mac_bytes(source or mac) + b"\x86\xdd" + packet


FRAMES = {
    "data": lambda mac: udp_frame(1, dst=HOST_MAC["hn"], src=mac),
    "ARP": arp,
    "ARP for another": lambda mac: arp(OTHER_MAC, source=mac),
    "solicitation": lambda mac: discovery(mac, NS, [(SOURCE_MAC, mac)]),
    "advertisement": lambda mac: discovery(mac, NA, [(TARGET_MAC, mac)]),
    "advertisement for another": lambda mac: discovery(OTHER_MAC, NA, [(TARGET_MAC, OTHER_MAC)],
                                                       source=mac),
    "advertisement without": lambda mac: discovery(mac, NA, []),
    "router solicitation": lambda mac: discovery(mac, RS, [(SOURCE_MAC, mac)]),
    "router advertisement": lambda mac: discovery(mac, RA, [(PREFIX, bytes(30)),
                                                            (5, bytes(6)), (SOURCE_MAC, mac)]),
}


def arrived(tap, length):
    """The next frame of this length that a tap has."""
    def read():
        try:
            return next(frame for frame, _, _, address in iter(lambda: tap.socket.recvmsg(2048), 0)
                        if len(frame) == length and address[2] != 4)
        except BlockingIOError:
            return None

    return wait_until(read, "a frame arrives")


@pytest.mark.parametrize("form", FORMS)
def test_a_frame_that_leaves_by_the_vf_has_its_address(net, form):
    pair = start(net, form)
    upper = net.tap(pair.upper)
    for name, make in FRAMES.items():
        frame = make(MAC)
        upper.send(frame)
        assert arrived(pair.taps["vf"], len(frame)) == make(VF_MAC), name
    pair.tool("activate", "hn0", "hn")
    for name, make in FRAMES.items():
        frame = make(MAC)
        upper.send(frame)
        assert arrived(pair.taps["hn"], len(frame)) == frame, name


def test_an_option_without_a_length_ends_the_message(net):
    pair = start(net, "lagg")
    frame = discovery(MAC, NS, [])[:-24] + bytes(24) + bytes([SOURCE_MAC, 0]) + mac_bytes(MAC)
    net.tap("lagg0").send(frame)
    assert arrived(pair.taps["vf"], len(frame)) == frame[:6] + mac_bytes(VF_MAC) + frame[12:]


def test_another_source_is_left_as_it_is(net):
    pair = start(net, "lagg")
    frame = arp(OTHER_MAC)
    net.tap("lagg0").send(frame)
    assert arrived(pair.taps["vf"], len(frame)) == frame


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("active", PORTS)
def test_frames_to_either_address_reach_the_upper_by_either_port(net, form, active):
    pair = start(net, form, active)
    for port in PORTS:
        for mac in MAC, VF_MAC:
            for sequence in range(20):
                pair.taps[port].send(udp_frame(sequence, dst=mac))
            assert pair.receiver.expect(range(20)) == list(range(20)), (port, mac)


@pytest.mark.parametrize("port", PORTS)
def test_what_the_vf_has_sent_does_not_come_back(net, port):
    pair = start(net, "lagg")
    for mac in MAC, VF_MAC:
        pair.taps[port].send(arp(mac))
    wait_until(lambda: pair.packets(port)["own"] == 2, "both are dropped")
    assert pair.packets(port)["rx"] == 0


def test_the_address_goes_with_the_vf(net):
    pair = start(net, "lagg")
    assert pair.tool("get", "hn0")["vf_mac"] == VF_MAC
    pair.tool("edit", "hn0", "vf=0")
    assert "vf_mac" not in pair.tool("get", "hn0")


@pytest.mark.parametrize("has_own", [True, False])
def test_that_it_was_left_is_reported(net, has_own):
    """Before netvfd hears of the VF's state."""
    pair = start(net, "lagg") if has_own else Pair(net, "lagg", "vf")
    upper = net.tap("lagg0")
    upper.send(arp(MAC))
    assert arrived(pair.taps["vf"], len(arp(MAC)))
    assert pair.tool("reports") & LEFT == 0
    net.ip.link("set", index=net.index("vf0"), state="down")
    upper.send(arp(MAC))
    assert arrived(pair.taps["hn"], len(arp(MAC))) == arp(MAC)
    assert pair.tool("reports") & LEFT == (LEFT if has_own else 0)


def test_the_next_pair_in_its_place_does_not_have_it(net):
    pair = start(net, "transparent")
    pair.tool("remove", "hn0")
    net.add_port("hn", name="other0")
    other, outside = net.tap("other0"), net.tap("other0h")
    pair.tool("edit", "other0", f"mac={MAC}")
    assert [entry["hn"] for entry in pair.tool("each")] == [net.index("other0")]
    outside.send(arp(VF_MAC))
    assert arrived(other, len(arp(VF_MAC))) == arp(VF_MAC)
    assert pair.tool("counters", "other0")["own"][0] == 0


@pytest.mark.parametrize("version", ["this", "compiled", "layout"])
def test_the_next_process_keeps_it(net, version):
    pair = start(net, "lagg")
    pair.tool.kill()
    assert net.tool(version)("get", "hn0")["vf_mac"] == VF_MAC
    net.tap("lagg0").send(arp(MAC))
    assert arrived(pair.taps["vf"], len(arp(MAC))) == arp(VF_MAC)
