# SPDX-License-Identifier: BSD-2-Clause
"""Peers are told of each switch, on the new path, as the host hears it on the guest's two ports."""

import os
import socket
import struct

import pytest
from conftest import RC_CONF
from harness import BUILD, wait_until
from netvf_lab.topology import GUEST_ADDRESS, GUEST_MAC

ADDRESS6 = "2001:db8::2"
GROUP, GROUP6 = "239.1.2.3", "ff05::1234"
MACVLAN_MAC, MACVLAN_ADDRESS = "02:00:00:00:00:77", "10.77.0.77"
COUNT = 2
RC_PEERS = RC_CONF + f'netvf_announce_count="{COUNT}"\n'
FORMS = {
    "lagg": ("lagg0", {}),
    "transparent": ("hn0", {"rcconf": RC_PEERS + 'netvf_vf_transparent="YES"\n'}),
    "exclusive": ("vf0", {"rules": ""}),
}

IFA_F_NODAD = 2
PACKET_OUTGOING = 4
IS_EXCLUDE = 2


def mac(raw):
    return raw.hex(":")


def read_frame(frame):
    """What a frame tells of whom: tuples (kind, MAC, address or group)."""
    sender, kind = mac(frame[6:12]), frame[12:14]
    if kind == b"\x08\x06":
        asked, told = frame[38:42], frame[28:32]
        return [("arp", sender, socket.inet_ntoa(told))] if asked == told else []
    if kind == b"\x08\x00" and frame[23] == 2 and frame[38] == 0x22:
        body, size, family, name = frame[46:], 8, socket.AF_INET, "igmp"
        count = struct.unpack("!H", frame[44:46])[0]
    elif kind == b"\x86\xdd" and frame[20] == 58 and frame[54] == 136:
        override = frame[58] & 0x20
        target = socket.inet_ntop(socket.AF_INET6, frame[62:78])
        return [("na", sender, target)] if override else []
    elif kind == b"\x86\xdd" and frame[20] == 0 and frame[62] == 143:
        body, size, family, name = frame[70:], 20, socket.AF_INET6, "mld"
        count = struct.unpack("!H", frame[68:70])[0]
    else:
        return []
    records = [body[at * size:(at + 1) * size] for at in range(count)]
    return [(name, sender, socket.inet_ntop(family, record[4:size]))
            for record in records if record[0] == IS_EXCLUDE]


class Ear:
    """What the guest tells on one of the host's ports."""

    def __init__(self, guest, port):
        with guest.host.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.bind((port, 3))
        self.socket.setblocking(False)
        self.heard = []

    def listen(self):
        while True:
            try:
                frame, address = self.socket.recvfrom(2048)
            except BlockingIOError:
                return self.heard
            except OSError:
                continue  # the port went down; what came before is still there
            if address[2] != PACKET_OUTGOING:
                self.heard += read_frame(frame)

    def count(self, *what):
        return self.listen().count(what)

    def wait(self, *what, count=1):
        wait_until(lambda: self.count(*what) >= count, what=f"{what} is heard {count} times")


ARP = ("arp", GUEST_MAC, GUEST_ADDRESS)


def join_groups(guest, upper):
    """Sockets that hold the memberships."""
    index = guest.namespace.index(upper)
    with guest.namespace.entered():
        v4 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        v6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    request = socket.inet_aton(GROUP) + bytes(4) + struct.pack("=i", index)
    v4.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    request = socket.inet_pton(socket.AF_INET6, GROUP6) + struct.pack("=i", index)
    v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
    return v4, v6


def settle(guest, netvfd, form):
    """A VF carries the traffic, and everybody has been told so."""
    guest.attach_vf()
    ears = {port: Ear(guest, f"p-{port}0") for port in ("hn", "vf")}
    if form == "exclusive":
        index = guest.namespace.index("vf0")
        guest.netlink.addr("add", index=index, address=GUEST_ADDRESS, prefixlen=24)
        guest.netlink.link("set", index=index, state="up")
    netvfd.wait_active("vf")
    wait_until(lambda: netvfd.pair()["form"] == form)
    if form == "lagg":
        wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
    wait_until(lambda: netvfd.log.count("tell the network") == COUNT)
    for ear in ears.values():
        ear.listen()
        ear.heard.clear()
    return ears


def release_all(guest, netvfd):
    """As when the package goes: netvfd has ended, and hn gets all back."""
    netvfd.stop()
    guest.run(BUILD / "src/libexec/hyperv_vfup", "-r", env={
        **os.environ, "NETVF_RUN_DIR": str(netvfd.run_dir), "NETVF_RC_CONF": str(netvfd.rcconf)})


@pytest.mark.parametrize("form", ["lagg", "transparent"])
def test_each_switch_is_told_on_the_new_path(guest, start_netvfd, form):
    upper, options = FORMS[form]
    netvfd = start_netvfd(**{"rcconf": RC_PEERS, **options})
    ears = settle(guest, netvfd, form)
    guest.netlink.addr("add", index=guest.namespace.index(upper), address=ADDRESS6, prefixlen=64,
                       flags=IFA_F_NODAD)
    sockets = join_groups(guest, upper)
    told = [ARP, ("na", GUEST_MAC, ADDRESS6), ("igmp", GUEST_MAC, GROUP),
            ("mld", GUEST_MAC, GROUP6)]
    for to, other in ("hn", "vf"), ("vf", "hn"), ("hn", "vf"):
        for ear in ears.values():
            ear.heard.clear()
        netvfd.ask("switch", "hn0", to)
        for what in told:
            ears[to].wait(*what, count=COUNT)
        assert ears[other].listen() == []
        assert [ears[to].count(*what) for what in told] == [COUNT] * len(told)
    for joined in sockets:
        joined.close()


@pytest.mark.parametrize("kind", ["unplug", "linkdown", "admindown"])
def test_a_lost_vf_is_told_on_hn(guest, start_netvfd, kind):
    netvfd = start_netvfd(rcconf=RC_PEERS)
    ears = settle(guest, netvfd, "lagg")
    guest.detach_vf(kind)
    ears["hn"].wait(*ARP, count=COUNT)
    guest.bring_back_vf(kind)
    netvfd.wait_active("vf")
    ears["vf"] = Ear(guest, "p-vf0")
    ears["vf"].wait(*ARP)
    assert ears["hn"].count(*ARP) == COUNT


def test_a_vf_for_itself_is_told_when_it_returns(guest, start_netvfd):
    netvfd = start_netvfd(**{"rcconf": RC_PEERS, **FORMS["exclusive"][1]})
    ears = settle(guest, netvfd, "exclusive")
    guest.detach_vf("linkdown")
    netvfd.wait_active("hn")
    guest.bring_back_vf("linkdown")
    ears["vf"].wait(*ARP)


def test_the_way_back_drops_what_was_to_be_told(guest, start_netvfd):
    netvfd = start_netvfd(rcconf=RC_PEERS)
    ears = settle(guest, netvfd, "lagg")
    netvfd.ask("switch", "hn0", "hn")
    netvfd.ask("switch", "hn0", "vf")
    ears["vf"].wait(*ARP, count=COUNT)
    assert ears["hn"].count(*ARP) == 1


def test_an_address_on_a_macvlan_is_told_with_its_mac(guest, start_netvfd):
    netvfd = start_netvfd(rcconf=RC_PEERS)
    ears = settle(guest, netvfd, "lagg")
    netlink = guest.netlink
    netlink.link("add", ifname="mv0", kind="macvlan", link=guest.namespace.index("lagg0"),
                 macvlan_mode="bridge", address=MACVLAN_MAC)
    index = guest.namespace.index("mv0")
    netlink.addr("add", index=index, address=MACVLAN_ADDRESS, prefixlen=24)
    netlink.link("set", index=index, state="up")
    netvfd.ask("switch", "hn0", "hn")
    ears["hn"].wait("arp", MACVLAN_MAC, MACVLAN_ADDRESS, count=COUNT)
    assert ears["vf"].count("arp", MACVLAN_MAC, MACVLAN_ADDRESS) == 0


def test_nobody_is_told_who_does_not_want_it(guest, start_netvfd):
    netvfd = start_netvfd(rcconf=RC_CONF + 'netvf_announce_count="0"\n')
    guest.attach_vf()
    ears = [Ear(guest, "p-hn0"), Ear(guest, "p-vf0")]
    netvfd.wait_active("vf")
    for to in "hn", "vf":
        netvfd.ask("switch", "hn0", to)
    release_all(guest, netvfd)
    assert not guest.is_up("vf0")
    assert not [ear.heard for ear in ears if ear.listen()]


def test_a_restart_tells_nobody(guest, start_netvfd):
    netvfd = start_netvfd(rcconf=RC_PEERS)
    ears = settle(guest, netvfd, "lagg")
    netvfd.stop()
    netvfd.start()
    netvfd.ask("switch", "hn0", "hn")
    ears["hn"].wait(*ARP, count=COUNT)
    assert ears["vf"].count(*ARP) == 0


@pytest.mark.parametrize("form", ["lagg", "transparent"])
def test_a_release_of_all_without_netvfd_is_told_on_hn(guest, start_netvfd, form):
    netvfd = start_netvfd(**{"rcconf": RC_PEERS, **FORMS[form][1]})
    ears = settle(guest, netvfd, form)
    release_all(guest, netvfd)
    assert not guest.is_up("vf0")
    ears["hn"].wait(*ARP)
    assert ears["hn"].count(*ARP) == 1
    assert ears["vf"].count(*ARP) == 0


def test_a_vf_for_itself_stays_in_use_at_a_release_of_all(guest, start_netvfd):
    netvfd = start_netvfd(**{"rcconf": RC_PEERS, **FORMS["exclusive"][1]})
    ears = settle(guest, netvfd, "exclusive")
    release_all(guest, netvfd)
    assert guest.is_up("vf0")
    assert not [ear.heard for ear in ears.values() if ear.listen()]
