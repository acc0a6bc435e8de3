# SPDX-License-Identifier: BSD-2-Clause
"""A VF that keeps its carrier while its host lets nothing pass. The PF stands at the host's end of
the VF, as a packet filter."""

import contextlib
import ipaddress
import socket
import struct
import threading
import time

import pytest
from conftest import RC_CONF
from echo import Echo, Numbered
from harness import wait_until
from ring import Ring
from netvf_lab.topology import GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS, SWITCH_MAC

MODES = {"lagg": "", "transparent": 'netvf_vf_transparent="YES"\n'}
STRANGER = "02:15:5d:4e:56:99"  # a station in another VLAN
TO_GUEST = f"""\
  chain to {{ type filter hook egress device "p-vf0" priority 0; policy drop;
    ether saddr {STRANGER} accept; }}
"""
FROM_GUEST = """\
  chain from { type filter hook ingress device "p-vf0" priority 0; policy drop; }
"""
CUTS = {"both": TO_GUEST + FROM_GUEST, "to guest": TO_GUEST, "from guest": FROM_GUEST}


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def start(guest, start_netvfd, mode):
    def start():
        netvfd = start_netvfd(rcconf=RC_CONF + MODES[mode])
        guest.attach_vf()
        netvfd.wait_active("vf")
        if mode == "lagg":
            wait_until(lambda: netvfd.pair()["form"] == "lagg")
            wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
        return netvfd

    return start


def cut(guest, which):
    ruleset = f"table netdev pf {{\n{CUTS[which]}}}\n"
    guest.host.run(["nft", "-f", "-"], input=ruleset, text=True)


def mend(guest):
    guest.host.run(["nft", "delete", "table", "netdev", "pf"])


def plain(port):
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.bind((port, 0))
    return sender


@contextlib.contextmanager
def speaking(guest, port, frame, by=plain):
    """The host sends a frame by a port again and again."""
    ending = threading.Event()
    with guest.host.entered():
        sender = by(port)

    def speak():
        while not ending.wait(0.01):
            sender.send(frame)

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
        sender.close()


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def arp_reply(to, tag=b""):
    addresses = mac(SWITCH_MAC) + socket.inet_aton(HOST_ADDRESS)
    addresses += mac(to) + socket.inet_aton(GUEST_ADDRESS)
    return (mac(to) + mac(SWITCH_MAC) + tag + struct.pack("!HHHBBH", 0x806, 1, 0x800, 6, 4, 2)
            + addresses).ljust(60, b"\0")


# Answers to what leaves by hn although the VF is active: requests of a machine behind the guest,
# and in a VLAN that the VF has not taken.
ANSWERS_BY_HN = {
    "another MAC address": arp_reply("02:15:5d:4e:56:77"),
    "another VLAN": arp_reply(GUEST_MAC, struct.pack("!HH", 0x8100, 5)),
}


def check_it_is_left_and_taken_again(guest, netvfd, which):
    echo, traffic = Echo(guest), Numbered(guest)
    assert echo.ask(5) == 5
    traffic.wait_more(200)
    cut(guest, which)
    begin = time.monotonic()
    wait_until(lambda: "passes no frames" in netvfd.log)
    print(f"left after {time.monotonic() - begin:.2f} s: {which}")
    netvfd.wait_active("hn")
    assert echo.ask(5) == 5
    assert "passes no frames" in netvfd.ask("status")
    assert "passes no frames" in netvfd.ask("doctor", check=False)
    mend(guest)
    wait_until(lambda: "passes frames again" in netvfd.log)
    netvfd.wait_active("vf")
    assert echo.ask(5) == 5
    assert "passes no frames" not in netvfd.ask("status")
    assert netvfd.log.count("passes no frames") == 1
    traffic.stop()
    echo.close()


@pytest.mark.parametrize("which", CUTS)
def test_a_vf_that_passes_nothing_is_left_and_taken_again(guest, start, which):
    check_it_is_left_and_taken_again(guest, start(), which)


def test_so_is_one_in_another_vlan(guest, start):
    """It hears the broadcasts of that one."""
    netvfd = start()
    with speaking(guest, "p-vf0", (b"\xff" * 6 + mac(STRANGER) + b"\x88\xb5").ljust(60, b"\0")):
        check_it_is_left_and_taken_again(guest, netvfd, "both")


@pytest.mark.parametrize("answer", ANSWERS_BY_HN)
def test_answers_to_others_do_not_hide_one_that_does_not_send(guest, start, answer):
    netvfd = start()
    with speaking(guest, "p-hn0", ANSWERS_BY_HN[answer]):
        check_it_is_left_and_taken_again(guest, netvfd, "from guest")


def test_the_guests_own_neighbours_on_a_bridge_are_not_asked(guest, start_netvfd):
    """Containers: they are not on the network, and the guest has talked with them last."""
    for words in (f"link add br0 address {GUEST_MAC} type bridge", "link set br0 up",
                  "address flush dev hn0", "link set hn0 master br0",
                  f"address add {GUEST_ADDRESS}/24 dev br0"):
        guest.run("ip", *words.split())
    netvfd = start_netvfd(rcconf=RC_CONF + MODES["transparent"])
    guest.attach_vf()
    netvfd.wait_active("vf")
    traffic = Numbered(guest)
    traffic.wait_more()
    for number in range(100, 150):
        guest.run("ip", "neighbour", "replace", f"10.77.0.{number}", "dev", "br0", "lladdr",
                  f"02:00:00:00:01:{number:02x}", "nud", "reachable")
    cut(guest, "both")
    wait_until(lambda: "passes no frames" in netvfd.log)
    netvfd.wait_active("hn")
    traffic.wait_more()
    mend(guest)
    traffic.stop()


def neighbour_advertisement():
    """Of RFC 4861, without options; nobody looks at its checksum here."""
    body = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + ipaddress.ip_address("fe80::1").packed
    head = struct.pack("!IHBB", 6 << 28, len(body), 58, 255)
    addresses = ipaddress.ip_address("fe80::1").packed + ipaddress.ip_address("fe80::2").packed
    return mac(GUEST_MAC) + mac(SWITCH_MAC) + b"\x86\xdd" + head + addresses + body


@pytest.mark.parametrize("answer", [arp_reply(GUEST_MAC), neighbour_advertisement()],
                         ids=["arp", "neighbour discovery"])
def test_an_answer_that_a_driver_has_in_pages_is_one(guest, start, answer):
    netvfd, traffic = start(), Numbered(guest)
    traffic.wait_more()
    guest.run("ip", "link", "set", "vf0", "down")
    netvfd.wait_active("hn")
    cut(guest, "both")
    with speaking(guest, "p-vf0", answer[:6] + mac(STRANGER) + answer[12:], Ring):
        guest.run("ip", "link", "set", "vf0", "up")
        wait_until(lambda: "passes no frames" in netvfd.log or
                   netvfd.pair()["active"] == "vf")
        assert "passes no frames" not in netvfd.log
    traffic.stop()


def test_one_that_passes_nothing_when_its_link_is_back_costs_nothing(guest, start):
    netvfd, traffic = start(), Numbered(guest)
    traffic.wait_more()
    guest.run("ip", "link", "set", "vf0", "down")
    netvfd.wait_active("hn")
    cut(guest, "both")
    guest.run("ip", "link", "set", "vf0", "up")
    wait_until(lambda: "passes no frames" in netvfd.log)
    traffic.wait_more()
    mend(guest)
    netvfd.wait_active("vf")
    traffic.wait_more()
    assert traffic.stop()[1] == {"guest": {}, "host": {}}
