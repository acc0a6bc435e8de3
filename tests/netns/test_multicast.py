# SPDX-License-Identifier: BSD-2-Clause
"""Broadcast and multicast arrive once: from a host that floods both ports, and from one that sends
them by one alone, as Hyper-V does by hn."""

import socket
import struct

import pytest
from conftest import RC_CONF
from harness import wait_until
from netvf_lab.namespace import Namespace
from netvf_lab.topology import GUEST_ADDRESS

GROUP, NET_BROADCAST, PORT = "239.1.2.3", "10.77.0.255", 7100
PEER_ADDRESS = "10.77.0.9"


class Listener:
    """Numbered datagrams from a peer on the host's network: broadcast, group, unicast.

    The host's own would be flooded by its switch whatever it is told.
    """

    def __init__(self, guest):
        self.peer = Namespace("peer")
        guest.host.netlink.link(
            "add", ifname="p-peer0", kind="veth", master=guest.topology.switch.index,
            peer={"ifname": "peer0", "net_ns_fd": self.peer.net})
        guest.host.netlink.link("set", index=guest.host.index("p-peer0"), state="up")
        index = self.peer.index("peer0")
        self.peer.netlink.addr("add", index=index, address=PEER_ADDRESS, prefixlen=24)
        self.peer.netlink.link("set", index=index, state="up")
        with guest.namespace.entered():
            self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inside.bind(("", PORT))
        self.inside.setblocking(False)
        request = socket.inet_aton(GROUP) + bytes(4)
        request += struct.pack("=i", guest.namespace.index("lagg0"))
        self.inside.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        with self.peer.entered():
            self.outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.outside.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.outside.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                                socket.inet_aton(PEER_ADDRESS))
        self.sent = 0
        self.heard = []
        wait_until(lambda: self.send(GUEST_ADDRESS) and self.listen(), what="the peer is heard")

    def send(self, to):
        self.sent += 1
        self.outside.sendto(struct.pack("!Q", self.sent), (to, PORT))
        return self.sent

    def listen(self):
        while True:
            try:
                self.heard += struct.unpack("!Q", self.inside.recv(64))
            except BlockingIOError:
                return self.heard

    def heard_of(self, count=20):
        """How often each of `count` broadcasts, and of as many to the group, was heard."""
        wanted = [self.send(to) for _ in range(count) for to in (NET_BROADCAST, GROUP)]
        last = self.send(GUEST_ADDRESS)
        wait_until(lambda: self.send(GUEST_ADDRESS) and max(self.listen()) >= last,
                   what="a datagram sent after them is heard")
        return {self.heard.count(number) for number in wanted}

    def close(self):
        self.inside.close()
        self.outside.close()
        self.peer.close()


@pytest.fixture
def listen(guest, start_netvfd):
    """Call it for netvfd with lagg0 on the VF, and a listener there."""
    listeners = []

    def listen(multicast):
        netvfd = start_netvfd(rcconf=RC_CONF + f'netvf_multicast="{multicast}"\n')
        guest.attach_vf()
        netvfd.wait_active("vf")
        wait_until(lambda: netvfd.pair()["form"] == "lagg")
        wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
        listeners.append(Listener(guest))
        return netvfd, listeners[-1]

    yield listen
    for listener in listeners:
        listener.close()


def flood(guest, **ports):
    """Which ports the host sends broadcast and multicast by: flood(guest, hn=1, vf=0)."""
    for port, value in ports.items():
        for kind in "broadcast", "multicast":
            path = f"/sys/class/net/p-{port}0/brport/{kind}_flood"
            guest.host.run(["sh", "-c", f"echo {value} >{path}"])


@pytest.mark.parametrize("multicast", ["auto", "active"])
def test_flooded_frames_arrive_once(listen, multicast):
    netvfd, listener = listen(multicast)
    assert listener.heard_of() == {1}
    # Of two, `active` takes the active port's, and else the first is taken, by whichever port.
    ports = {"active": ["hn_port"], "auto": ["hn_port", "vf_port"]}[multicast]
    counters = [netvfd.pair()[port]["counters"] for port in ports]
    assert sum(counter["dropped_copy"]["packets"] for counter in counters) >= 40
    netvfd.ask("switch", "hn0", "hn")
    assert listener.heard_of() == {1}


@pytest.mark.parametrize("hn, vf", [(1, 0), (0, 1), (1, 1)])
def test_whichever_port_brings_a_frame_it_arrives_once(guest, listen, hn, vf):
    netvfd, listener = listen("auto")
    flood(guest, hn=hn, vf=vf)
    for to in "hn", "vf":
        assert listener.heard_of() == {1}
        netvfd.ask("switch", "hn0", to)
    assert listener.heard_of() == {1}


def test_frames_by_hn_alone_arrive_once(guest, listen):
    netvfd, listener = listen("both")
    flood(guest, vf=0)
    for to in "hn", "vf":
        assert listener.heard_of() == {1}
        netvfd.ask("switch", "hn0", to)
    assert listener.heard_of() == {1}
    assert netvfd.pair()["hn_port"]["counters"]["dropped_copy"]["packets"] == 0


def test_a_reload_changes_it(guest, listen):
    netvfd, listener = listen("both")
    assert listener.heard_of() == {2}
    netvfd.rcconf.write_text(RC_CONF)
    netvfd.reload()
    wait_until(lambda: listener.heard_of(1) == {1})
    flood(guest, vf=0)
    assert listener.heard_of() == {1}
    netvfd.rcconf.write_text(RC_CONF + 'netvf_multicast="active"\n')
    netvfd.reload()
    wait_until(lambda: listener.heard_of(1) == {0})
    assert listener.heard_of() == {0}
