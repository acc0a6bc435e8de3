# SPDX-License-Identifier: BSD-2-Clause
"""A VXLAN over hn works whatever becomes of hn's configuration."""

from harness import wait_until
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS

INSIDE, OUTSIDE = "198.51.100.2", "198.51.100.1"


def make_vxlan(place, address, *words):
    place.run(["ip", "link", "add", "vx0", "type", "vxlan", "id", "7", "dstport", "4789", *words],
              check=True)
    place.run(["ip", "address", "add", f"{address}/24", "dev", "vx0"], check=True)
    place.run(["ip", "link", "set", "vx0", "up"], check=True)


def answers(guest):
    """Whether a datagram gets through to the host's VXLAN and back, with no neighbour known."""
    for name in "hn0", "lagg0":
        guest.run("ip", "neigh", "flush", "dev", name, check=False)
    return guest.run("ping", "-c", "1", "-W", "1", OUTSIDE, check=False).returncode == 0


def start(guest, start_netvfd, *words):
    """A netvfd beside a VXLAN of the guest's, made with these words, to one of the host's."""
    make_vxlan(guest.host, OUTSIDE, "remote", GUEST_ADDRESS)
    make_vxlan(guest.namespace, INSIDE, *words)
    netvfd = start_netvfd()
    guest.attach_vf()
    netvfd.wait_active("vf")
    return netvfd


def test_one_that_sends_by_hn_keeps_hn_as_it_is(guest, start_netvfd):
    netvfd = start(guest, start_netvfd, "remote", HOST_ADDRESS, "dev", "hn0")
    reason = "vx0 (vxlan) sends by hn0"
    wait_until(lambda: reason in netvfd.log, what="it was tried")
    assert netvfd.pair()["form"] == "transparent"
    assert reason in netvfd.ask("plan", "hn0", check=False) + netvfd.ask("doctor", check=False)
    wait_until(lambda: answers(guest), what="an answer by the VXLAN")


def test_one_with_a_forwarding_database_goes_along(guest, start_netvfd):
    """As flannel and Calico make it."""
    netvfd = start(guest, start_netvfd, "dev", "hn0", "local", GUEST_ADDRESS, "nolearning")
    guest.run("bridge", "fdb", "append", "00:00:00:00:00:00", "dev", "vx0", "dst", HOST_ADDRESS,
              check=True)
    wait_until(lambda: netvfd.pair()["form"] == "lagg", what="lagg0 is the upper")
    wait_until(lambda: not guest.addresses("hn0"), what="all has moved")
    wait_until(lambda: answers(guest), what="an answer by the VXLAN")
