# SPDX-License-Identifier: BSD-2-Clause
"""Somebody configures hn0 again after its configuration has moved: ifup, ifreload, a person."""

import contextlib
import socket
import struct

import pytest

from harness import wait_until
from moves import ip
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS
from programs import AddressWatch, Connection

THIRD_MAC = "02:00:00:00:00:77"
ETH_P_ALL = 3


@pytest.fixture
def lagg(guest, start_netvfd):
    """netvfd whose pair sends by vf0, with everything on lagg0."""
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n')
    guest.attach_vf()
    wait_until(lambda: netvfd.pair()["form"] == "lagg", what="lagg0 is the upper")
    netvfd.wait_active("vf")
    wait_until(lambda: not guest.addresses("hn0"), what="all has moved")
    return netvfd


def sent_by(guest, name):
    return guest.link(name).get_attr("IFLA_STATS64")["tx_packets"]


def routes_of(guest, name):
    return {route for route in guest.routes() if route[2] == name}


def assert_bare(guest):
    wait_until(lambda: not guest.addresses("hn0") and not routes_of(guest, "hn0"),
               what="hn0 is bare again")


@pytest.mark.parametrize("what", ["same", "another"])
def test_what_ifup_gives_hn_again_moves(guest, lagg, what):
    """Connections stay, and nothing goes past the VF meanwhile."""
    address = GUEST_ADDRESS if what == "same" else "10.77.0.9"
    before = guest.addresses("lagg0")
    sent = sent_by(guest, "hn0")
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp, \
            contextlib.closing(AddressWatch(guest, GUEST_ADDRESS)) as watch:
        ip(guest, "addr", "add", f"{address}/24", "dev", "hn0")
        assert tcp.works()
        assert_bare(guest)
        assert tcp.works()
        assert watch.absences() == 0
    assert guest.addresses("lagg0") == before | {f"{address}/24"}
    assert sent_by(guest, "hn0") == sent
    assert lagg.log.count("hn0: somebody gave it the address") == 1


def test_lagg_keeps_the_settings_that_it_was_given(guest, lagg):
    settings = {"proxy_arp": 1, "rp_filter": 2}
    for name, value in settings.items():
        guest.namespace.sysctl(f"ipv4/conf/lagg0/{name}", value)
    ip(guest, "link", "set", "lagg0", "alias", "ours", "txqueuelen", "77")
    ip(guest, "addr", "add", "10.77.0.9/24", "dev", "hn0")
    assert_bare(guest)
    assert "10.77.0.9/24" in guest.addresses("lagg0")
    for name, value in settings.items():
        shown = guest.run("cat", f"/proc/sys/net/ipv4/conf/lagg0/{name}").stdout
        assert int(shown) == value, name
    link = guest.link("lagg0")
    assert link.get_attr("IFLA_IFALIAS") == "ours" and link.get_attr("IFLA_TXQLEN") == 77


def test_a_default_route_by_hn_moves_and_works_meanwhile(guest, lagg):
    """`ip route replace` takes it from lagg0, and hn0 has no neighbours of its own."""
    guest.host.run(["ip", "addr", "add", "192.0.2.1/32", "dev", "switch0"])
    before = guest.routes()
    sent = sent_by(guest, "hn0")
    ip(guest, "route", "replace", "default", "via", HOST_ADDRESS, "dev", "hn0", "onlink")
    with guest.namespace.entered():
        inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with guest.host.entered():
        outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outside.bind(("192.0.2.1", 7005))
    outside.settimeout(10)
    inside.sendto(b"1", ("192.0.2.1", 7005))
    assert outside.recv(10) == b"1"
    assert_bare(guest)
    assert guest.routes() == before
    assert sent_by(guest, "hn0") == sent
    assert "hn0: somebody gave it a route" in lagg.log


@pytest.fixture
def bridged(guest, start_netvfd):
    """br0 has the guest's address, and hn0 was its port before its configuration moved."""
    ip(guest, "link", "add", "br0", "type", "bridge", "forward_delay", "0", "stp_state", "0")
    ip(guest, "link", "set", "hn0", "master", "br0")
    ip(guest, "link", "set", "br0", "up")
    ip(guest, "addr", "flush", "dev", "hn0")
    ip(guest, "addr", "add", f"{GUEST_ADDRESS}/24", "dev", "br0")
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\nnetvf_holddown="0"\n')
    guest.attach_vf()
    netvfd.wait_active("vf")
    wait_until(lambda: master_of(guest, "lagg0") == "br0" and not master_of(guest, "hn0"))
    return netvfd


def master_of(guest, name):
    link = guest.link(name)
    index = link.get_attr("IFLA_MASTER") if link else None
    return guest.netlink.get_links(index)[0].get_attr("IFLA_IFNAME") if index else None


def test_a_bridge_that_takes_hn_in_again_loses_it(guest, bridged, echo):
    """As ifreload does it. lagg0 stays a port."""
    ip(guest, "link", "set", "hn0", "master", "br0")
    wait_until(lambda: not master_of(guest, "hn0"), what="hn0 is out of the bridge")
    assert master_of(guest, "lagg0") == "br0"
    assert echo.ask(20) == 20
    assert bridged.log.count("hn0: somebody gave it to br0 as a port") == 1


def test_while_the_vf_is_away_no_third_machine_is_sent_back(guest, bridged, echo):
    """And it is out of the bridge when the VF is back."""
    guest.detach_vf()
    bridged.wait_active("hn")
    with guest.host.entered():
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.bind((guest.topology.hn.host_name, ETH_P_ALL))
    ip(guest, "link", "set", "hn0", "master", "br0")
    assert "forwarding" in guest.run("bridge", "link", "show", "dev", "hn0").stdout
    frame = bytes.fromhex("ff" * 6 + THIRD_MAC.replace(":", "")) + struct.pack("!H", 0x88b5)
    for number in range(20):
        wire.send(frame + bytes([number]) + bytes(50))
    assert echo.ask(20) == 20
    wire.settimeout(0)
    with contextlib.suppress(BlockingIOError):
        while True:
            data, (_, _, kind, *_) = wire.recvfrom(2000)
            assert kind == 4 or data[6:12].hex(":") != THIRD_MAC
    guest.bring_back_vf()
    wait_until(lambda: not master_of(guest, "hn0"), what="hn0 is out of the bridge")
    bridged.wait_active("vf")
    assert echo.ask(20) == 20
