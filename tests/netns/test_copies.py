# SPDX-License-Identifier: BSD-2-Clause
"""Group and broadcast frames arrive exactly once, whichever port brings them."""

import collections
import itertools
import random
import socket
import struct
import subprocess

import pytest

from pairnet import (
    BROADCAST, BUILD, HOST_MAC, NET_BROADCAST, SO_RCVBUFFORCE, Pair, PairNet, in_netns, mac_bytes,
    udp_frame, wait_until)

FORMS = ["transparent", "lagg"]
PORTS = ["hn", "vf"]
OTHER_MAC = "02:00:00:00:00:77"
FRAMES = 100_000
LIFETIME = 256  # of a credit, in units of 2**20 ns


@pytest.fixture
def net():
    with PairNet() as net:
        yield net


class Once(Pair):
    """A pair that takes group frames from whichever port brings them first."""

    def __init__(self, net, form, active="vf", version="this"):
        super().__init__(net, form, active, version)
        self.tool("edit", "hn0", "multicast=once")

    def bring(self, port, *sequences, **what):
        for sequence in sequences:
            self.taps[port].send(group_frame(sequence, **what))

    def heard(self, end=1_000_000):
        """How often each was heard, when what was sent after them has been, by either port."""
        for number, port in enumerate(PORTS):
            self.taps[port].send(udp_frame(end + number))
        seen = self.receiver.expect([end, end + 1])
        return collections.Counter(number for number in seen if number < end)

    def copies(self):
        return sum(self.packets(port)["copy"] for port in PORTS)


def group_frame(sequence, dst=BROADCAST, **what):
    return udp_frame(sequence, dst=dst, to=NET_BROADCAST, **what)


def once_each(count):
    return {number: 1 for number in range(count)}


@pytest.mark.parametrize("form, active", itertools.product([*FORMS, "exclusive"], PORTS))
def test_whoever_floods(net, form, active):
    """Both ports, hn alone, the VF alone, and from one to the other in the midst."""
    pair = Once(net, form, active)
    doors = [PORTS, ["hn"], ["vf"], PORTS, ["vf"], ["hn"], PORTS]
    for turn, ports in enumerate(doors):
        for sequence in range(50 * turn, 50 * turn + 50):
            for port in random.sample(ports, len(ports)):
                pair.bring(port, sequence)
    assert pair.heard() == once_each(50 * len(doors))
    assert pair.copies() == 50 * doors.count(PORTS)


def test_one_port_may_be_far_behind(net):
    pair = Once(net, "lagg")
    for ahead, behind in PORTS, reversed(PORTS):
        pair.bring(ahead, *range(500))
        pair.bring(behind, *range(500))
        assert pair.heard() == once_each(500)


@pytest.mark.parametrize("by_vf, by_hn", [(5, 0), (0, 5), (5, 5), (5, 3), (3, 5)])
def test_equal_frames_in_a_row_are_many(net, by_vf, by_hn):
    pair = Once(net, "lagg")
    pair.bring("vf", *[7] * by_vf)
    pair.bring("hn", *[7] * by_hn)
    assert pair.heard() == {7: max(by_vf, by_hn)}
    pair.bring("hn", *[8] * by_hn)
    pair.bring("vf", *[8] * by_vf)
    assert pair.heard() == {8: max(by_vf, by_hn)}


@pytest.mark.parametrize("age, times", [(LIFETIME, 2), (-200, 1)])
def test_a_credit_has_an_age(net, age, times):
    """Below 0: another processor wrote it after this one had looked at the clock."""
    pair = Once(net, "lagg")
    pair.bring("hn", *range(5))
    pair.tool("age", age)
    pair.bring("vf", *range(5))
    assert pair.heard() == dict.fromkeys(range(5), times)


@pytest.mark.parametrize("form", FORMS)
def test_unicast_is_no_copy(net, form):
    pair = Once(net, form)
    for port in PORTS:
        pair.taps[port].send(udp_frame(1))
    assert pair.heard() == {1: 2}


def test_a_copy_with_padding(net):
    """A card pads a frame to 60 bytes, virtio does not."""
    pair = Once(net, "lagg")
    pair.bring("hn", 1, 2)
    for sequence in 2, 1, 3:
        pair.taps["vf"].send(group_frame(sequence).ljust(60, b"\0"))
    assert pair.heard() == {1: 1, 2: 1, 3: 1}


def with_checksum(frame, value):
    return frame[:40] + struct.pack("!H", value) + frame[42:]


def ipv6_frame(sequence, checksum):
    """To a group, of UDP."""
    udp = struct.pack("!HHHHQ", 9000, 9000, 16, checksum, sequence)
    ip = struct.pack("!IHBB", 0x60000000, len(udp), 17, 255) + bytes(32)
    return mac_bytes("33:33:00:00:00:01") + mac_bytes(HOST_MAC["hn"]) + b"\x86\xdd" + ip + udp


def test_a_copy_before_its_checksum_was_computed(net):
    """A neighbour on the same host leaves that to the card, and hn has no card."""
    pair = Once(net, "lagg")
    upper = net.tap("lagg0")
    pair.taps["vf"].send(with_checksum(group_frame(1), 0x1111))
    pair.taps["hn"].send(with_checksum(group_frame(1), 0x2222))
    pair.taps["hn"].send(ipv6_frame(2, 0x1111))
    pair.taps["vf"].send(ipv6_frame(2, 0x2222))
    assert pair.copies() == 2
    pair.taps["vf"].send(udp_frame(3))
    upper.expect([1, 3])


def test_another_vlan_is_another_frame(net):
    pair = Once(net, "lagg")
    upper = net.tap("lagg0")
    for port, vlan in ("hn", 5), ("vf", 6), ("vf", 5), ("hn", 6), ("hn", None):
        pair.bring(port, 1, vlan=vlan)
    pair.taps["hn"].send(udp_frame(2))
    found = []
    wait_until(lambda: found.extend(upper.frames()) or (2, None) in found, "the last frame")
    assert found == [(1, 5), (1, 6), (1, None), (2, None)]


def test_what_others_send_through_the_upper_does_not_come_back(net):
    """A container's broadcast leaves by one port, and the host floods it to the other."""
    pair = Once(net, "lagg")
    upper = net.tap("lagg0")
    for active, back in (PORTS, reversed(PORTS)):
        pair.tool("activate", "hn0", active)
        for sequence in range(20):
            frame = group_frame(sequence, src=OTHER_MAC)
            upper.send(frame)
            assert pair.taps[active].expect([sequence]) == [sequence]
            pair.taps[back].send(frame)
        pair.taps[back].send(udp_frame(20))
        assert upper.expect([20]) == [20]


@pytest.mark.parametrize("version, ports", [
    ("this", PORTS), ("this", ["hn"]), ("this", ["vf"]), ("compiled", PORTS)])
def test_at_full_rate(net, version, ports):
    """Numbered frames as fast as two threads send them: none is lost, none comes twice."""
    pair = Once(net, "lagg", version=version)
    pair.receiver.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
    done = in_netns(net.host, lambda: subprocess.run(
        [BUILD / "tests/twins", str(FRAMES), *(f"{port}0h" for port in ports)],
        input=group_frame(0), capture_output=True, check=True))
    print(f"{int(done.stdout)} frames a second")
    heard = pair.heard()
    assert [number for number in range(FRAMES) if number not in heard] == []
    assert [number for number, times in heard.items() if times > 1] == []
    assert pair.copies() == FRAMES * (len(ports) - 1)
