# SPDX-License-Identifier: BSD-2-Clause
"""The lab's ground holds before anything is built on it."""

import os
import signal
import socket
import time

from harness import DEADLINE, wait_until
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS


def sockets(namespace, address, port):
    with namespace.entered():
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.settimeout(5)
    end.bind((address, port))
    return end


def test_host_and_guest_talk_by_hn0(guest):
    with sockets(guest.host, HOST_ADDRESS, 7000) as host, \
            sockets(guest.namespace, GUEST_ADDRESS, 7000) as inside:
        inside.sendto(b"question", (HOST_ADDRESS, 7000))
        data, sender = host.recvfrom(100)
        host.sendto(b"answer", sender)
        assert (data, inside.recv(100)) == (b"question", b"answer")


def test_guest_has_what_the_distribution_gave_it(guest):
    assert guest.is_up("hn0")
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/24"}
    assert ("default", HOST_ADDRESS, "hn0") in guest.routes()


def test_vf_comes_and_goes(guest):
    guest.attach_vf()
    vf, hn = guest.link("vf0"), guest.link("hn0")
    assert vf.get_attr("IFLA_ADDRESS") == hn.get_attr("IFLA_ADDRESS")
    guest.netlink.link("set", index=vf["index"], state="up")
    wait_until(lambda: guest.link("vf0").get_attr("IFLA_CARRIER") == 1)
    guest.detach_vf("linkdown")
    wait_until(lambda: guest.link("vf0").get_attr("IFLA_CARRIER") == 0)
    guest.bring_back_vf("linkdown")
    guest.detach_vf("unplug")
    wait_until(lambda: guest.link("vf0") is None)
    guest.bring_back_vf("unplug", "vf1")
    assert guest.link("vf1")


def test_a_link_may_come_and_go_while_it_is_asked_for(guest):
    flapping = guest.popen("sh", "-c", "while ip link add x0 type veth peer x1; do"
                           " ip link del x0; done", start_new_session=True)
    there = {True: 0, False: 0}
    end = time.monotonic() + DEADLINE
    try:
        while min(there.values()) < 1000:
            there[guest.link("x0") is not None] += 1
            assert time.monotonic() < end, there
    finally:
        os.killpg(flapping.pid, signal.SIGKILL)
        flapping.wait()


def test_nothing_of_the_machine_is_touched(guest):
    """The run's own network and mounts, not those of whoever started it."""
    assert [name for _, name in socket.if_nameindex()] == ["lo"]
    names = [link.get_attr("IFLA_IFNAME") for link in guest.netlink.get_links()]
    assert names == ["lo", "hn0"]
