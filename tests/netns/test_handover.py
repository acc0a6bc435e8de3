# SPDX-License-Identifier: BSD-2-Clause
"""The VF ends while the guest sends, and no process is there to switch: the programs see it."""

import os
from contextlib import closing

import pytest
from pyroute2 import NetNS, netns

from pairnet import Pair, PairNet, wait_until

FORMS = ["transparent", "lagg"]
VERSIONS = ["this", "compiled"]  # those that ask the VF, directly or by calls
PPS = 20000
ROUNDS = 10

# A frame whose processor is held up between the look at the VF and the VF's queue, while another
# processor closes the VF, ends in a stopped queue. There is one sender, so it can happen to one
# frame of a departure; on a busy virtual machine it does in one of some hundred. Without the look
# it happens to the 300 frames after each.
SPLIT_SECOND = "at most one frame of each departure was between the look at the VF and its queue"


@pytest.fixture
def net():
    with PairNet() as net:
        yield net


def end_vf(net, how):
    """A NIC's driver closes the device before it lets go of the hardware. veth cuts the wire first
    when it is deleted; so it leaves for another namespace, which happens in a NIC's order.
    """
    if how == "unplug":
        net.ip.link("set", index=net.vf, net_ns_fd=net.host)
    else:
        net.ip.link("set", index=net.vf, state="down")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", ["unplug", "down"])
def test_nothing_is_lost_while_nobody_is_there(net, form, how, version):
    pair = Pair(net, form, version=version)
    seen = []
    load = net.load(pair.receiver.send_to_host, PPS)
    for _ in range(ROUNDS):
        begun = load.sent + 300
        wait_until(lambda: load.sent >= begun, "traffic by the VF")
        end_vf(net, how)
        ended = load.sent + 300
        wait_until(lambda: load.sent >= ended, "traffic by hn")
        by_vf, by_hn = pair.taps["vf"].sequences(), pair.taps["hn"].sequences()
        assert by_vf and by_hn
        assert by_vf == sorted(by_vf) and by_hn == sorted(by_hn)
        seen += by_vf + by_hn
        assert pair.tool("get", "hn0")["active"] == "vf", "nobody has switched"
        if how == "unplug":
            net.host_ip.link("del", index=net.index("vf0", net.host_ip))
            net.vf = net.add_port("vf")
            pair.taps["vf"] = net.tap("vf0h")
            pair.tool("edit", "hn0", "vf=0")
            pair.tool("edit", "hn0", f"vf={net.vf}", "active=vf")
        else:
            net.ip.link("set", index=net.vf, state="up")
    sent = load.stop()
    seen += pair.taps["hn"].sequences() + pair.taps["vf"].sequences()
    assert len(seen) == len(set(seen)), "none twice"
    assert len(set(sent) - set(seen)) <= ROUNDS, SPLIT_SECOND


@pytest.mark.parametrize("version", VERSIONS)
def test_a_vf_that_opens_in_another_namespace_is_gone(net, version):
    """It keeps its index there, and the kernel its place: only the namespace tells."""
    pair = Pair(net, "lagg", version=version)
    pair.receiver.send_to_host(0)
    wait_until(lambda: pair.taps["vf"].sequences() == [0], "traffic by the VF")
    with closing(NetNS(f"{net.guest}-other", flags=os.O_CREAT | os.O_EXCL)) as other:
        net.ip.link("set", index=net.vf, net_ns_fd=f"{net.guest}-other")
        netns.remove(f"{net.guest}-other")  # its name: the socket keeps it
        moved = net.index("vf0", other)
        other.link("set", index=moved, state="up")
        wait_until(lambda: net.takes_frames(other, "vf0"), "it is open there")
        assert moved == net.vf
        for number in range(1, 10):
            pair.receiver.send_to_host(number)
        wait_until(lambda: pair.packets("hn")["tx"] >= 9, "traffic by hn")
        assert pair.taps["hn"].sequences() == list(range(1, 10))
