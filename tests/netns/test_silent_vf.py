# SPDX-License-Identifier: BSD-2-Clause
"""A VF that keeps its carrier while its host lets nothing pass. The PF stands at the host's end of
the VF, as a packet filter."""

import contextlib
import socket
import threading
import time

import pytest
from conftest import RC_CONF
from echo import Echo, Numbered
from harness import wait_until

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


@contextlib.contextmanager
def port_vlan(guest):
    """The VF is in another VLAN, and hears the broadcasts of that one."""
    frame = bytes.fromhex("ff" * 6 + STRANGER.replace(":", "") + "88b5") + bytes(46)
    ending = threading.Event()
    with guest.host.entered():
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.bind(("p-vf0", 0))

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
    netvfd = start()
    with port_vlan(guest):
        check_it_is_left_and_taken_again(guest, netvfd, "both")


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
