# SPDX-License-Identifier: BSD-2-Clause
"""A VF that its host does not trust: it is given frames to its own MAC address, broadcast, and the
groups that it has registered; what it sends is dropped unless it has that MAC address as its source
and no VLAN. One that is trusted and not checked may send all, and is given also frames to other MAC
addresses that it has registered, not to all. The PF stands at the host's end of the VF, as a packet
filter."""

import contextlib
import re
import socket
import struct
import subprocess
import threading

import pytest
from conftest import RC_CONF
from echo import ping
from harness import wait_until
from netvf_lab.namespace import Namespace
from netvf_lab.topology import GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS, PREFIX, SWITCH_MAC

MODES = {"lagg": "", "transparent": 'netvf_vf_transparent="YES"\n'}
UPPERS = {"lagg": "lagg0", "transparent": "hn0"}
GUEST_IPV6, HOST_IPV6 = "fd00:77::2", "fd00:77::1"
GROUP, GROUP_MAC, PORT = "239.1.2.3", "01:00:5e:01:02:03", 7100
OTHER_MAC, OTHER_ADDRESS = "02:15:5d:4e:56:77", "10.77.0.77"
ETH_P_8021Q, ETH_P_TEST = 0x8100, 0x88b5
BROADCAST = "ff:ff:ff:ff:ff:ff"

RULESET = f"""\
table netdev pf {{
  set registered {{ type ether_addr; }}
  chain to {{ type filter hook egress device "p-vf0" priority 0; policy drop;
    ether type != vlan ether daddr {{ {GUEST_MAC}, {BROADCAST} }} accept
    ether type != vlan ether daddr @registered accept; }}
  chain from {{ type filter hook ingress device "p-vf0" priority 0; policy drop;
    ether type != vlan ether saddr {GUEST_MAC} accept; }}
}}
"""


class Pf:
    """The host's end of vf0, which lets pass what is said above."""

    def __init__(self, guest):
        self.guest = guest
        self.ending = threading.Event()
        self.known = set()
        self.trusted = False
        self.nft(RULESET)
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def nft(self, text):
        self.guest.host.run(["nft", "-f", "-"], input=text, text=True)

    def trust(self):
        self.trusted = True
        self.nft("flush chain netdev pf from\nadd rule netdev pf from accept\n")

    def registered(self):
        """The groups in the VF's list, and the MAC addresses if it is trusted."""
        with self.guest.namespace.entered(), open("/proc/thread-self/net/dev_mcast") as file:
            found = re.findall(r"^\d+ +vf0 +\d+ +\d+ +(\w{12})$", file.read(), re.MULTILINE)
        result = {":".join(re.findall("..", mac)) for mac in found}
        if self.trusted:
            result |= set(re.findall(r"^(\S+) self", self.guest.namespace.run(
                ["bridge", "fdb", "show", "dev", "vf0"], text=True, stdout=subprocess.PIPE).stdout,
                re.MULTILINE))
        return result

    def follow(self):
        while not self.ending.wait(0.01):
            now = self.registered()
            if now != self.known:
                elements = f"add element netdev pf registered {{ {', '.join(now)} }}\n"
                self.nft("flush set netdev pf registered\n" + (elements if now else ""))
            self.known = now

    def close(self):
        """No group is registered any more from now on."""
        self.ending.set()
        self.thread.join()


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def start(guest, start_netvfd, mode):
    """Call it for netvfd on a VF of such a host; returns it and the PF."""
    pfs = []

    def start(settings=""):
        for namespace, name, address in ((guest.host, "switch0", HOST_IPV6),
                                         (guest.namespace, "hn0", GUEST_IPV6)):
            namespace.run(["ip", "address", "add", f"{address}/64", "dev", name, "nodad"])
        netvfd = start_netvfd(rcconf=RC_CONF + MODES[mode] + settings)
        guest.attach_vf()
        pfs.append(Pf(guest))
        netvfd.wait_active("vf")
        if mode == "lagg":
            wait_until(lambda: netvfd.pair()["form"] == "lagg")
            wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
        return netvfd, pfs[-1]

    yield start
    for pf in pfs:
        pf.close()


def test_neighbour_solicitations_are_answered(guest, start):
    start()
    assert ping(guest.host, GUEST_IPV6) == 5
    assert ping(guest.namespace, HOST_IPV6) == 5
    assert ping(guest.host, GUEST_ADDRESS) == 5


@contextlib.contextmanager
def member(guest, upper):
    """A socket of the guest's that has joined the group."""
    with guest.namespace.entered():
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with listener:
        listener.bind((GROUP, PORT))
        listener.settimeout(10)
        request = socket.inet_aton(GROUP) + bytes(4)
        request += struct.pack("=i", guest.namespace.index(upper))
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        yield listener


def hear(guest, listener, count=20):
    with guest.host.entered():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                          socket.inet_aton(HOST_ADDRESS))
        for number in range(count):
            sender.sendto(struct.pack("!Q", number), (GROUP, PORT))
    heard = [struct.unpack("!Q", listener.recv(64))[0] for _ in range(count)]
    assert heard == list(range(count))


def test_a_joined_group_is_heard(guest, start, mode):
    start()
    with member(guest, UPPERS[mode]) as listener:
        hear(guest, listener)


def test_groups_are_registered_while_they_are_joined(guest, start, mode):
    """They would be heard by hn as well: so the host sends groups to the VF alone."""
    netvfd, pf = start()
    wait_until(lambda: "33:33:ff:00:00:02" in pf.known, what="the solicited-node group")
    for kind in "broadcast", "multicast":
        path = f"/sys/class/net/p-hn0/brport/{kind}_flood"
        guest.host.run(["sh", "-c", f"echo 0 >{path}"])
    with member(guest, UPPERS[mode]) as listener:
        wait_until(lambda: GROUP_MAC in pf.known, what="the group that was joined")
        hear(guest, listener)
        netvfd.stop()
        hear(guest, listener)
        netvfd.start()
        netvfd.wait_active("vf")
        hear(guest, listener)
    wait_until(lambda: GROUP_MAC not in pf.known, what="the group that was left has gone")
    assert ping(guest.host, GUEST_IPV6) == 5


@pytest.fixture
def container(guest):
    """A machine behind the guest's upper with a MAC address of its own; call it with the upper."""
    with Namespace("container") as container:
        def settle(upper):
            guest.netlink.link("add", ifname="mv0", kind="macvlan", macvlan_mode="bridge",
                               link=guest.namespace.index(upper), address=OTHER_MAC,
                               net_ns_fd=container.net)
            index = container.index("mv0")
            container.netlink.addr("add", index=index, address=OTHER_ADDRESS, prefixlen=PREFIX)
            container.netlink.link("set", index=index, state="up")
            return container

        yield settle


def received(guest, name):
    return guest.host.netlink.get_links(guest.host.index(name))[0].get_attr(
        "IFLA_STATS64")["rx_packets"]


def test_another_source_leaves_by_hn(guest, start, mode, container):
    start()
    assert ping(container(UPPERS[mode]), HOST_ADDRESS) == 5
    assert ping(guest.host, OTHER_ADDRESS) == 5


def test_another_source_leaves_by_a_vf_that_takes_it(guest, start, mode, container):
    netvfd, pf = start('netvf_vf_spoofchk="NO"\n')
    pf.trust()
    other = container(UPPERS[mode])
    wait_until(lambda: OTHER_MAC in pf.known, what="the MAC address is registered with the VF")
    assert ping(other, HOST_ADDRESS, 1) == 1
    before = received(guest, "p-vf0")
    assert ping(other, HOST_ADDRESS) == 5
    assert ping(guest.host, OTHER_ADDRESS) == 5
    assert received(guest, "p-vf0") >= before + 20
    other.netlink.link("del", index=other.index("mv0"))
    guest.namespace.run(["ip", "link", "set", UPPERS[mode], "mtu", "1400"])
    wait_until(lambda: OTHER_MAC not in pf.known, what="it is not registered any more")


def test_a_vlan_that_is_not_registered_leaves_by_hn(guest, start, mode):
    """As from a bridge that carries VLANs of which no interface tells."""
    start()
    with guest.host.entered():
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    with guest.namespace.entered():
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with tap, sender:
        tap.bind(("switch0", 3))
        tap.settimeout(10)
        sender.bind((UPPERS[mode], 0))
        addresses = bytes.fromhex((SWITCH_MAC + GUEST_MAC).replace(":", ""))
        for number in range(5):
            tag = struct.pack("!HHH", ETH_P_8021Q, 5, ETH_P_TEST)
            sender.send(addresses + tag + struct.pack("!Q", number))
        found = []
        while len(found) < 5:
            frame = tap.recv(2048)
            if struct.pack("!H", ETH_P_TEST) in (frame[12:14], frame[16:18]):
                found.append(struct.unpack("!Q", frame[-8:])[0])
    assert found == list(range(5))
