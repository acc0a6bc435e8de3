# SPDX-License-Identifier: BSD-2-Clause
"""The interface laggN: what it is made of, what it shows, and that it is found again."""

import pytest

from pairnet import MAC, Pair, PairNet, Refused, in_netns, kernel_has, udp_frame, wait_until


@pytest.fixture
def net():
    with PairNet() as net:
        yield net


IFF_UP, IFF_BROADCAST, IFF_RUNNING, IFF_NOARP, IFF_MULTICAST = 1, 2, 0x40, 0x80, 0x1000
KINDS = ["dummy", "ifb", "veth"]


def make_lagg(net, kind):
    """A lagg of a kind: the kernel's best by itself; a lesser one as if left behind half-made."""
    if not kernel_has(kind):
        pytest.skip(f"this kernel has no {kind} devices")
    best = next(other for other in KINDS if kernel_has(other))
    tool = net.tool()
    tool("edit", "hn0", f"mac={MAC}", "vf=vf0", "active=vf")
    if kind != best:
        peer = {"peer": "lagg0p"} if kind == "veth" else {}
        net.ip.link("add", ifname="lagg0", kind=kind, address=MAC, **peer)
    assert tool("lagg-create", "hn0", "lagg0") == net.index("lagg0")
    return tool


def link_of(net, name):
    return net.ip.get_links(net.index(name))[0]


def attribute(link, name):
    return dict(link["attrs"]).get(name)


def sysctl(net, path):
    def read():
        with open(f"/proc/sys/net/{path}") as file:
            return file.read().strip()
    return in_netns(net.guest, read)


@pytest.mark.parametrize("kind", KINDS)
def test_lagg_is_an_ethernet_link_like_hn(net, kind):
    net.ip.link("set", index=net.hn, mtu=1400)
    tool = make_lagg(net, kind)
    link = link_of(net, "lagg0")
    info = dict(attribute(link, "IFLA_LINKINFO")["attrs"])
    assert info["IFLA_INFO_KIND"] == kind
    assert attribute(link, "IFLA_ADDRESS") == MAC
    assert link["flags"] & (IFF_UP | IFF_BROADCAST | IFF_NOARP | IFF_MULTICAST) == (
        IFF_BROADCAST | IFF_MULTICAST)
    if kind == next(other for other in KINDS if kernel_has(other)):
        assert attribute(link, "IFLA_MTU") == 1400
    for key, value in ("addr_gen_mode", "1"), ("accept_dad", "0"), ("dad_transmits", "0"), (
            "disable_ipv6", sysctl(net, "ipv6/conf/default/disable_ipv6")):
        assert sysctl(net, f"ipv6/conf/lagg0/{key}") == value, key
    assert attribute(link, "IFLA_IFALIAS") is None
    now = tool("get", "hn0")
    assert (now["lagg"], now["form"], now["mac"]) == (link["index"], "transparent", MAC)


@pytest.mark.parametrize("kind", KINDS)
def test_carrier_is_shown(net, kind):
    tool = make_lagg(net, kind)
    net.ip.link("set", index=net.index("lagg0"), state="up")

    def running():
        return bool(link_of(net, "lagg0")["flags"] & IFF_RUNNING)

    for carrier in "off", "on", "off", "on":
        tool("lagg-carrier", "lagg0", carrier)
        wait_until(lambda: running() == (carrier == "on"), f"carrier {carrier}")
    tool("lagg-carrier", "lagg0", "off")
    net.ip.link("set", index=net.index("lagg0"), state="down")
    net.ip.link("set", index=net.index("lagg0"), state="up")
    wait_until(lambda: not running(), "no carrier after a restart")
    tool("lagg-carrier", "lagg0", "on")
    wait_until(running, "carrier")


@pytest.mark.parametrize("kind", KINDS)
def test_traffic_both_ways(net, kind):
    tool = make_lagg(net, kind)
    tool("lagg-carrier", "lagg0", "on")
    net.give_address("lagg0")
    tool("edit", "hn0", "form=lagg")
    receiver = net.receiver()
    for port in "vf", "hn":
        tool("activate", "hn0", port)
        tap = net.tap(f"{port}0h")
        tap.send(udp_frame(1))
        assert receiver.expect([1]) == [1]
        receiver.send_to_host(2)
        assert tap.expect([2]) == [2]


def refuse(errno, tool, *words):
    with pytest.raises(Refused) as refused:
        tool(*words)
    assert refused.value.errno == errno
    return refused.value.value


def test_made_twice_is_the_same(net):
    pair = Pair(net, "lagg")
    lagg = net.index("lagg0")
    assert refuse(17, pair.tool, "lagg-create", "hn0", "lagg0") == lagg
    assert refuse(17, net.tool(), "lagg-create", "hn0", "lagg0") == lagg
    net.ip.link("set", index=lagg, ifname="bond7")
    assert refuse(17, pair.tool, "lagg-create", "hn0", "lagg0") == lagg
    assert not net.index("lagg0")
    assert pair.tool("get", "hn0")["form"] == "lagg"


def test_name_of_another_link_is_refused_and_the_link_kept(net):
    tool = net.tool()
    tool("edit", "hn0", f"mac={MAC}")
    kind = next(other for other in KINDS if kernel_has(other))
    for extra in {"address": "02:00:00:00:00:bb"}, {"address": MAC, "state": "up"}:
        net.ip.link("add", ifname="lagg0", kind=kind, **extra)
        if "state" in extra:
            net.ip.link("set", index=net.index("lagg0"), state="up")
        assert refuse(17, tool, "lagg-create", "hn0", "lagg0") == 0
        assert tool("get", "hn0")["lagg"] == 0
        net.ip.link("del", index=net.index("lagg0"))
    refuse(17, tool, "lagg-create", "hn0", "vf0")
    refuse(36, tool, "lagg-create", "hn0", "a-name-too-long1")


def test_destroyed_it_leaves_hn_connected(net):
    pair = Pair(net, "lagg")
    pair.tool("lagg-destroy", "hn0")
    assert not net.index("lagg0")
    now = pair.tool("get", "hn0")
    assert (now["lagg"], now["form"], now["active"]) == (0, "transparent", "vf")
    net.give_address("hn0")
    pair.receiver.send_to_host(1)
    assert pair.taps["vf"].expect([1]) == [1]
    refuse(2, pair.tool, "lagg-destroy", "hn0")


def test_deleted_by_hand_it_can_be_made_again(net):
    pair = Pair(net, "lagg")
    net.ip.link("del", index=net.index("lagg0"))
    pair.tool("lagg-create", "hn0", "lagg0")
    assert pair.tool("get", "hn0")["form"] == "transparent", "it is not up yet"
    net.ip.link("del", index=net.index("lagg0"))
    pair.tool("lagg-destroy", "hn0")
    assert pair.tool("get", "hn0")["lagg"] == 0
