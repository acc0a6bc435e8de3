# SPDX-License-Identifier: BSD-2-Clause
"""The ports do what the upper wants, whoever changes it later, and what is stacked on it works."""

import errno
import socket
import struct

import pytest
from conftest import RC_CONF
from echo import Echo
from harness import wait_until
from netvf_lab.namespace import Namespace
from netvf_lab.topology import GUEST_MAC, PREFIX
from pyroute2.netlink.exceptions import NetlinkError

IFF_PROMISC, IFF_ALLMULTI = 0x100, 0x200
OTHER_MAC = "02:15:5d:4e:56:77"
OTHER_ADDRESS = "10.77.0.77"
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1


def mtu(guest, name):
    return guest.link(name).get_attr("IFLA_MTU")


def mac(guest, name):
    return guest.link(name).get_attr("IFLA_ADDRESS")


def has(guest, flag):
    """Whether both ports have a flag, or None when they differ."""
    flags = {bool(guest.link(name)["flags"] & flag) for name in ("hn0", "vf0")}
    return flags.pop() if len(flags) == 1 else None


def wait_flag(guest, flag, value):
    wait_until(lambda: has(guest, flag) is value, what=f"both ports have {flag:#x}: {value}")


def change(guest, name, **what):
    guest.netlink.link("set", index=guest.namespace.index(name), **what)


def wait_lagg(guest, netvfd):
    guest.attach_vf()
    netvfd.wait_active("vf")
    wait_until(lambda: netvfd.pair()["form"] == "lagg")
    wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))


@pytest.fixture
def lagg(guest, netvfd):
    """netvfd, with lagg0 on the VF."""
    wait_lagg(guest, netvfd)
    return netvfd


def test_ports_follow_the_mtu(guest, lagg):
    for size in 1400, 9000, 1500:
        change(guest, "lagg0", mtu=size)
        wait_until(lambda: mtu(guest, "hn0") == mtu(guest, "vf0") == size)
    change(guest, "vf0", mtu=1300)
    wait_until(lambda: mtu(guest, "vf0") == 1500)
    assert mtu(guest, "lagg0") == 1500


def test_a_transparent_vf_follows_hn(guest, start_netvfd):
    netvfd = start_netvfd(rcconf=RC_CONF + 'netvf_vf_transparent="YES"\n')
    guest.attach_vf()
    netvfd.wait_active("vf")
    change(guest, "hn0", mtu=1400)
    wait_until(lambda: mtu(guest, "vf0") == 1400)
    guest.run("ip", "link", "set", "hn0", "promisc", "on")
    wait_until(lambda: guest.link("vf0")["flags"] & IFF_PROMISC)
    guest.run("ip", "link", "set", "hn0", "promisc", "off")
    wait_until(lambda: not guest.link("vf0")["flags"] & IFF_PROMISC)


def test_ports_are_promiscuous_while_the_upper_is(guest, lagg):
    assert has(guest, IFF_PROMISC) is False
    for state, value in ("on", True), ("off", False):
        guest.run("ip", "link", "set", "lagg0", "promisc", state)
        wait_flag(guest, IFF_PROMISC, value)
    with guest.namespace.entered():
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    index = guest.namespace.index("lagg0")
    sniffer.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                       struct.pack("=iHH8s", index, PACKET_MR_PROMISC, 0, bytes(8)))
    wait_flag(guest, IFF_PROMISC, True)
    sniffer.close()
    wait_flag(guest, IFF_PROMISC, False)


def test_ports_hear_all_groups(guest, lagg):
    wait_flag(guest, IFF_ALLMULTI, True)
    guest.run("ip", "link", "set", "vf0", "allmulticast", "off")
    wait_flag(guest, IFF_ALLMULTI, True)


def test_ports_are_as_before_when_the_vf_returns(guest, lagg):
    change(guest, "lagg0", mtu=1400)
    guest.run("ip", "link", "set", "lagg0", "promisc", "on")
    guest.detach_vf("unplug")
    lagg.wait_active("hn")
    guest.bring_back_vf("unplug")
    lagg.wait_active("vf")
    wait_until(lambda: mtu(guest, "vf0") == 1400)
    wait_flag(guest, IFF_PROMISC, True)


def test_lagg0_may_get_another_mac(guest, lagg, echo):
    assert echo.ask(10) == 10
    try:
        change(guest, "lagg0", address=OTHER_MAC)
    except NetlinkError as error:
        if error.code != errno.EOPNOTSUPP:
            raise
        pytest.skip("this kernel has no dummy, and its ifb keeps its MAC")
    wait_flag(guest, IFF_PROMISC, True)
    # The host knows the guest by the old one.
    guest.host.netlink.flush_neigh()
    assert echo.ask(20) == 20
    assert (mac(guest, "hn0"), mac(guest, "vf0")) == (GUEST_MAC, GUEST_MAC)
    # The switch floods what the guest broadcasts by the VF to hn's port: it is known as its own.
    own = lagg.pair()["hn_port"]["counters"]["dropped_own"]["packets"]
    guest.run("ping", "-b", "-c", "1", "-W", "1", "10.77.0.255", check=False)
    wait_until(lambda: lagg.pair()["hn_port"]["counters"]["dropped_own"]["packets"] > own)
    lagg.ask("switch", "hn0", "hn")
    assert echo.ask(20) == 20
    change(guest, "lagg0", address=GUEST_MAC)
    wait_flag(guest, IFF_PROMISC, False)


@pytest.fixture
def other(guest):
    """A namespace behind the guest's lagg0, with an address of its own."""
    with Namespace("other") as other:
        yield other


def settle_other(guest, other, name):
    index = other.index(name)
    other.netlink.addr("add", index=index, address=OTHER_ADDRESS, prefixlen=PREFIX)
    other.netlink.link("set", index=index, state="up")
    return Echo(guest, other, OTHER_ADDRESS)


def lose_and_regain_the_vf(guest, netvfd, *echoes):
    def all_answer():
        for echo in echoes:
            wait_until(lambda: echo.ask() == 1, what="it is found")
            assert echo.ask(20) == 20

    all_answer()
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    all_answer()
    guest.bring_back_vf("unplug")
    netvfd.wait_active("vf")
    all_answer()


def test_a_macvlan_works_on_both_ports(guest, lagg, other):
    guest.netlink.link("add", ifname="mv0", kind="macvlan", macvlan_mode="bridge",
                       link=guest.namespace.index("lagg0"), address=OTHER_MAC)
    index = guest.namespace.index("mv0")
    guest.netlink.addr("add", index=index, address=OTHER_ADDRESS, prefixlen=PREFIX)
    change(guest, "mv0", state="up")
    wait_flag(guest, IFF_PROMISC, True)
    echo = Echo(guest, address=OTHER_ADDRESS)
    lose_and_regain_the_vf(guest, lagg, echo)
    echo.close()
    guest.netlink.link("del", index=index)
    wait_flag(guest, IFF_PROMISC, False)


def test_a_bridge_has_lagg0_as_its_port(guest, lagg, other):
    guest.netlink.link("add", ifname="br0", kind="bridge", br_forward_delay=0, br_stp_state=0)
    bridge = guest.namespace.index("br0")
    guest.netlink.link("add", ifname="tap0", kind="veth",
                       peer={"ifname": "eth0", "address": OTHER_MAC, "net_ns_fd": other.net})
    for port in "lagg0", "tap0":
        change(guest, port, master=bridge, state="up")
    change(guest, "br0", state="up")
    wait_flag(guest, IFF_PROMISC, True)
    echo = settle_other(guest, other, "eth0")
    lose_and_regain_the_vf(guest, lagg, echo)
    change(guest, "lagg0", master=0)
    wait_flag(guest, IFF_PROMISC, False)
    echo.close()
