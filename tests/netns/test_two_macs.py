# SPDX-License-Identifier: BSD-2-Clause
"""A VF with a MAC address of its own, as platforms give it that allow no address twice: a PF that
accepts and delivers no other stands at the host's end of the VF. hn has no filter, as usual."""

import subprocess

import pytest
from conftest import RC_CONF
from echo import Numbered, ping
from harness import wait_until
from netvf_lab.topology import GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS

MODES = {"lagg": "", "transparent": 'netvf_vf_transparent="YES"\n'}
VF_MAC = "02:15:5d:4e:56:31"
GUEST_IPV6, HOST_IPV6 = "fd00:77::2", "fd00:77::1"
PF = f"""\
table netdev pf {{
  chain to {{ type filter hook egress device "p-vf0" priority 0; policy drop;
    ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 accept
    ether daddr {VF_MAC} accept; }}
  chain from {{ type filter hook ingress device "p-vf0" priority 0; policy drop;
    ether saddr {VF_MAC} accept; }}
}}
"""


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def plug(guest):
    """Call it to plug the VF in behind its PF."""
    guest.topology.vf_mac = VF_MAC

    def plug():
        guest.attach_vf()
        guest.host.run(["nft", "-f", "-"], input=PF, text=True)

    return plug


@pytest.fixture
def netvfd(guest, start_netvfd, plug, mode):
    """netvfd that transmits on the VF, in each mode; both ends have IPv6 addresses."""
    for namespace, name, address in ((guest.host, "switch0", HOST_IPV6),
                                     (guest.namespace, "hn0", GUEST_IPV6)):
        namespace.run(["ip", "address", "add", f"{address}/64", "dev", name, "nodad"])
    netvfd = start_netvfd(rcconf=RC_CONF + MODES[mode])
    plug()
    netvfd.wait_active("vf")
    if mode != "transparent":
        wait_until(lambda: netvfd.pair()["form"] == "lagg")
        wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
    return netvfd


def known_mac(guest, address):
    """What the host knows as the MAC address of one of the guest's addresses."""
    found = guest.host.netlink.get_neighbours(dst=address)
    return found[0].get_attr("NDA_LLADDR") if found else None


def received(guest, port):
    (link,) = guest.host.netlink.get_links(guest.host.index(port))
    return link.get_attr("IFLA_STATS64")["rx_packets"]


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_both_ask_and_answer_with_the_mac_address_of_the_vf(guest, netvfd, family):
    addresses = {"IPv4": (GUEST_ADDRESS, HOST_ADDRESS), "IPv6": (GUEST_IPV6, HOST_IPV6)}
    inside, outside = addresses[family]
    before = received(guest, "p-hn0")
    assert ping(guest.host, inside) == 5
    assert known_mac(guest, inside) == VF_MAC
    guest.host.run(["ip", "neighbour", "flush", "to", inside])
    assert ping(guest.namespace, outside) == 5
    assert known_mac(guest, inside) == VF_MAC
    assert received(guest, "p-hn0") == before


def test_no_datagram_is_lost_at_a_planned_switch(guest, netvfd):
    for address in GUEST_ADDRESS, GUEST_IPV6:
        assert ping(guest.host, address, 1) == 1
    load = Numbered(guest)
    for port, mac in ("hn", GUEST_MAC), ("vf", VF_MAC), ("hn", GUEST_MAC):
        load.wait_more()
        netvfd.ask("switch", "hn0", port)
        netvfd.wait_active(port)
        for address in GUEST_ADDRESS, GUEST_IPV6:
            wait_until(lambda: known_mac(guest, address) == mac, what=f"the host knows {mac}")
    load.wait_more()
    guest.detach_vf()
    load.wait_more()
    sent, wrong = load.stop()
    assert min(sent.values()) > 0
    assert wrong == {"guest": {}, "host": {}}


def test_the_network_is_told_when_the_vf_goes_and_comes_back(guest, netvfd, plug):
    for address in GUEST_ADDRESS, GUEST_IPV6:
        assert ping(guest.host, address, 1) == 1
    guest.detach_vf()
    for address in GUEST_ADDRESS, GUEST_IPV6:
        wait_until(lambda: known_mac(guest, address) == GUEST_MAC, what="the host knows hn's")
    assert ping(guest.host, GUEST_ADDRESS, 1) == 1
    plug()
    netvfd.wait_active("vf")
    for address in GUEST_ADDRESS, GUEST_IPV6:
        wait_until(lambda: known_mac(guest, address) == VF_MAC, what="the host knows the VF's")


def test_frames_for_hn_arrive_while_the_vf_transmits(guest, netvfd):
    """From peers that have not learnt the VF's MAC address yet."""
    guest.host.run(["ip", "neighbour", "replace", GUEST_ADDRESS, "lladdr", GUEST_MAC, "dev",
                    "switch0", "nud", "permanent"])
    request = ["ping", "-n", "-c3", "-i0.01", "-W2", GUEST_ADDRESS]
    assert guest.host.run(request, check=False, stdout=subprocess.DEVNULL).returncode == 0


def test_the_vf_is_not_promiscuous(guest, netvfd):
    flags = guest.link("vf0")["flags"]
    assert not flags & 0x100, "IFF_PROMISC"


def test_its_mac_address_may_change_while_it_is_used(guest, netvfd, mode):
    """The host sets hn's, or another one."""
    index = guest.namespace.index("vf0")
    guest.host.run(["nft", "delete", "table", "netdev", "pf"])
    for mac in "02:15:5d:4e:56:32", GUEST_MAC, VF_MAC:
        guest.netlink.link("set", index=index, address=mac)
        wait_until(lambda: ping(guest.host, GUEST_ADDRESS, 1) and
                   known_mac(guest, GUEST_ADDRESS) == mac, what=f"the host knows {mac}")
        assert netvfd.pair()["active"] == "vf"
