# SPDX-License-Identifier: BSD-2-Clause
"""What hn shows while the VF carries its traffic; what hn and VF hear, whoever is active."""

import signal
import socket
import struct

import pytest
from conftest import RC_CONF
from harness import wait_until
from netvf_lab.topology import GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS, SWITCH_MAC

IFF_RUNNING = 1 << 6
DEFAULT, DORMANT = 0, 1  # IF_LINK_MODE_*
PORT = 7100


def shown(guest, name="hn0"):
    """What programs see: link mode, operational state, whether it runs."""
    link = guest.link(name)
    return (link.get_attr("IFLA_LINKMODE"), link.get_attr("IFLA_OPERSTATE"),
            bool(link["flags"] & IFF_RUNNING))


HIDDEN = (DORMANT, "DORMANT", False)
TRUE = (DEFAULT, "UP", True)


def wait_shown(guest, what):
    wait_until(lambda: shown(guest) == what, what=f"hn0 shows {what}")


def wait_lagg(netvfd):
    wait_until(lambda: netvfd.pair()["form"] == "lagg", what="lagg0 is the upper")
    netvfd.wait_active("vf")


@pytest.mark.parametrize("kind", ["unplug", "linkdown", "admindown"])
def test_hn_hides_while_the_vf_is_active(guest, netvfd, kind):
    guest.attach_vf()
    wait_lagg(netvfd)
    wait_shown(guest, HIDDEN)
    assert "NO-CARRIER" in guest.run("ip", "link", "show", "hn0").stdout
    netvfd.wait_event("!system=IFNET subsystem=hn0 type=LINK_DOWN")
    since = len(netvfd.events)
    guest.detach_vf(kind)
    wait_shown(guest, TRUE)
    netvfd.wait_event("!system=IFNET subsystem=hn0 type=LINK_UP", since)
    guest.bring_back_vf(kind)
    wait_shown(guest, HIDDEN)


def test_exclusive_vf_hides_hn_too(guest, start_netvfd):
    netvfd = start_netvfd(rules="")
    guest.attach_vf()
    guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
    netvfd.wait_active("vf")
    wait_shown(guest, HIDDEN)
    guest.detach_vf("unplug")
    wait_shown(guest, TRUE)


def test_transparent_hn_shows_the_truth(guest, start_netvfd):
    netvfd = start_netvfd(rcconf=RC_CONF + 'netvf_vf_transparent="YES"\n')
    guest.attach_vf()
    netvfd.wait_active("vf")
    assert shown(guest) == TRUE
    guest.netlink.link("set", index=guest.namespace.index("hn0"), state="down")
    netvfd.wait_event("!system=IFNET subsystem=hn0 type=LINK_DOWN")
    assert netvfd.pair()["hn_port"]["usable"] is False
    assert not guest.is_up("hn0"), "it is the upper: down means down"


def test_a_planned_switch_shows_the_truth(guest, netvfd):
    guest.attach_vf()
    wait_lagg(netvfd)
    wait_shown(guest, HIDDEN)
    netvfd.ask("switch", "hn0", "hn")
    wait_shown(guest, TRUE)
    netvfd.ask("switch", "hn0", "auto")
    wait_shown(guest, HIDDEN)


@pytest.mark.parametrize("vf_is_there", [True, False])
def test_netvfd_after_a_crash_puts_it_right(guest, netvfd, vf_is_there):
    guest.attach_vf()
    wait_lagg(netvfd)
    wait_shown(guest, HIDDEN)
    wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
    netvfd.kill()
    if vf_is_there:
        guest.run("ip", "link", "set", "hn0", "mode", "default")
    else:
        guest.detach_vf("unplug")
    netvfd.start()
    wait_shown(guest, HIDDEN if vf_is_there else TRUE)


class Strays:
    """The host sends numbered datagrams to the guest by hn's port or the VF's, as it likes."""

    def __init__(self, guest):
        self.doors = {}
        self.strays = 0
        with guest.host.entered():
            for name in "p-hn0", "p-vf0":
                self.doors[name] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                self.doors[name].bind((name, 0))
        with guest.namespace.entered():
            self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inside.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
        self.inside.bind(("0.0.0.0", PORT))
        self.inside.setblocking(False)

    def send(self, door, flow, number):
        self.strays += door == "p-hn0"
        self.doors[door].send(self.frame(flow, number))

    @staticmethod
    def frame(flow, number):
        udp = struct.pack("!HHHHIQ", PORT + flow, PORT, 20, 0, flow, number)
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                           socket.inet_aton(HOST_ADDRESS), socket.inet_aton(GUEST_ADDRESS))
        total = sum(struct.unpack("!10H", head))
        total = (total & 0xffff) + (total >> 16)
        head = head[:10] + struct.pack("!H", ~total & 0xffff) + head[12:]
        macs = bytes.fromhex((GUEST_MAC + SWITCH_MAC).replace(":", ""))
        return macs + struct.pack("!H", 0x0800) + head + udp

    def received(self):
        found = []
        while True:
            try:
                found.append(struct.unpack("!IQ", self.inside.recv(64)))
            except BlockingIOError:
                return found

    def close(self):
        for door in self.doors.values():
            door.close()
        self.inside.close()


@pytest.fixture
def strays(guest, request):
    made = []

    def make():
        made.append(Strays(guest))
        return made[0]

    yield make
    for one in made:
        one.close()


def send_share(strays, share, flows=4, each=500):
    """A share of each flow's frames by hn's port; what arrived, once all did."""
    arrived = []
    for number in range(each):
        for flow in range(flows):
            stray = (number * flows + flow) % 100 < share if flow else share == 100
            strays.send("p-hn0" if stray else "p-vf0", flow, number)
    wanted = {(flow, number) for flow in range(flows) for number in range(each)}

    def complete():
        arrived.extend(strays.received())
        return wanted <= set(arrived)

    wait_until(complete, what="all frames arrive")
    arrived.extend(strays.received())
    assert len(arrived) == len(wanted), "none twice"
    one_path = [number for flow, number in arrived if flow == 0]
    assert one_path == list(range(each)), "in order by one path"


def test_a_vf_is_heard_before_netvfd_knows_that_it_works(guest, start_netvfd, strays):
    """A host sends by the VF from the moment on at which its link comes up."""
    netvfd = start_netvfd(rules="""
        notify 10 { match "system" "HYPERV_NIC_VF"; match "type" "VF_UP"; action "true"; };
    """)
    guest.attach_vf()
    wait_until(lambda: (netvfd.pair()["vf_port"] or {}).get("counters"), what="vf0 has joined")
    netvfd.process.send_signal(signal.SIGSTOP)
    guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
    wait_until(lambda: guest.link("vf0").get_attr("IFLA_CARRIER"))
    frames = strays()
    for number in range(100):
        frames.send("p-vf0", 0, number)
    heard = []
    wait_until(lambda: heard.extend(frames.received()) or len(heard) >= 100, what="all arrive")
    assert heard == [(0, number) for number in range(100)]
    netvfd.process.send_signal(signal.SIGCONT)
    netvfd.wait_active("vf")
    assert netvfd.pair()["vf_port"]["counters"]["rx"]["packets"] >= 100


@pytest.mark.parametrize("form,hn", [
    ("lagg", "up"), ("lagg", "down"), ("exclusive", "up"), ("exclusive", "down"),
    ("transparent", "up")])  # where it is the upper, down means down
def test_every_stray_arrives_once(guest, start_netvfd, strays, form, hn):
    if form == "lagg":
        netvfd = start_netvfd()
        guest.attach_vf()
        wait_lagg(netvfd)
        wait_shown(guest, HIDDEN)
    elif form == "transparent":
        netvfd = start_netvfd(rcconf=RC_CONF + 'netvf_vf_transparent="YES"\n')
        guest.attach_vf()
        netvfd.wait_active("vf")
    else:
        netvfd = start_netvfd(rules="")
        guest.attach_vf()
        index = guest.namespace.index("vf0")
        guest.run("ip", "address", "flush", "dev", "hn0")
        guest.netlink.addr("add", index=index, address=GUEST_ADDRESS, prefixlen=24)
        guest.netlink.link("set", index=index, state="up")
        netvfd.wait_active("vf")
        wait_shown(guest, HIDDEN)
    if hn == "down":
        guest.netlink.link("set", index=guest.namespace.index("hn0"), state="down")
        wait_until(lambda: guest.is_up("hn0") and guest.link("hn0").get_attr("IFLA_CARRIER"))
        wait_shown(guest, HIDDEN)
        assert netvfd.log.count("sets it up again") == 1
    frames = strays()
    for share in 1, 50, 100:
        send_share(frames, share)
    assert netvfd.pair()["hn_port"]["counters"]["stray"]["packets"] >= frames.strays
