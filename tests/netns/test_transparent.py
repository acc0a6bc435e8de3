# SPDX-License-Identifier: BSD-2-Clause
"""Transparent mode: hn keeps all it has, and its VF waits, follows it, and sends for it."""

import ctypes
import os
import signal
import struct

import pytest
from conftest import RC_CONF
from harness import OLD_LINUX, UDEV_WAIT, udev_busy, udev_tells, wait_until
from netvf_lab.topology import GUEST_ADDRESS

IFF_UP, IFF_PROMISC, IFF_ALLMULTI = 0x1, 0x100, 0x200

NO_WAIT = RC_CONF + 'netvf_vf_transparent="YES"\nnetvf_vf_xpnt_attwait="0"\n'
LONG_WAIT = NO_WAIT.replace('"0"', '"3600"')


def reload(netvfd, rcconf):
    netvfd.rcconf.write_text(rcconf)
    netvfd.reload()


def wait_joined(netvfd):
    wait_until(lambda: (netvfd.pair()["vf_port"] or {}).get("counters"), what="vf0 has joined")


def set_link(guest, name, **what):
    guest.netlink.link("set", index=guest.namespace.index(name), **what)


def test_a_vf_is_left_alone_while_it_waits(guest, start_netvfd, echo):
    netvfd = start_netvfd(rcconf=LONG_WAIT)
    before = guest.attach_vf() and guest.link("vf0")
    wait_joined(netvfd)
    assert echo.ask(20) == 20
    set_link(guest, "vf0", state="up")  # by another's hand
    wait_until(lambda: netvfd.pair()["vf_port"]["usable"])
    assert echo.ask(20) == 20
    assert netvfd.pair()["active"] == "hn"
    assert netvfd.pair()["vf_port"]["counters"]["tx"]["packets"] == 0
    assert guest.link("vf0")["flags"] & IFF_ALLMULTI == before["flags"] & IFF_ALLMULTI == 0

    reload(netvfd, NO_WAIT)
    netvfd.wait_active("vf")
    assert guest.link("vf0")["flags"] & IFF_ALLMULTI
    assert echo.ask(20) == 20
    assert netvfd.pair()["vf_port"]["counters"]["tx"]["packets"] >= 20
    assert not [line for line in netvfd.events if "HYPERV_NIC_VF" in line]


def test_the_wait_ends_by_itself(guest, start_netvfd):
    netvfd = start_netvfd(rcconf=LONG_WAIT.replace("3600", "1"))
    guest.attach_vf()
    netvfd.wait_active("vf")
    assert netvfd.ask("sysctl", "-n", "hw.hn.vf_xpnt_attwait", "dev.hn.0.vf_xpnt_enabled") == \
        "1\n1\n"


def test_udev_names_a_vf_that_transmits(guest, start_netvfd, echo):
    netvfd = start_netvfd(rcconf=NO_WAIT.replace("hn0:vf0", "hn0:vf0 hn0:vf7"))
    with udev_busy():
        guest.attach_vf()
        netvfd.wait_active("vf", deadline=UDEV_WAIT - 1)
        set_link(guest, "vf0", ifname="vf7")
        wait_until(lambda: netvfd.pair()["vf_port"]["name"] == "vf7")
        assert echo.ask(20) == 20
    assert netvfd.pair()["active"] == "vf"
    assert guest.is_up("vf7")


def test_a_vf_waits_until_udev_has_named_it_where_it_cannot_later(guest, start_netvfd):
    netvfd = start_netvfd(
        rcconf=NO_WAIT.replace("hn0:vf0", "hn0:vf0 hn0:vf7"), under=OLD_LINUX)
    with udev_busy() as names:
        guest.attach_vf()
        data = names / f"n{guest.namespace.index('vf0')}"
        wait_joined(netvfd)
        assert not guest.is_up("vf0")
        udev_tells(data, "E:ID_NET_NAME=vf7\nE:ID_RENAMING=1\n")
        set_link(guest, "vf0", ifname="vf7")
        wait_until(lambda: netvfd.pair()["vf_port"]["name"] == "vf7")
        assert not guest.is_up("vf7")
        udev_tells(data, "E:ID_NET_NAME=vf7\n")
        netvfd.wait_active("vf")


def test_one_hn_may_be_transparent_among_others(guest, start_netvfd):
    netvfd = start_netvfd(
        rcconf=RC_CONF + 'netvf_vf_transparent_hn0="YES"\nnetvf_vf_xpnt_attwait="0"\n')
    guest.attach_vf()
    netvfd.wait_active("vf")
    assert netvfd.pair()["form"] == "transparent"
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/24"}
    assert netvfd.ask("sysctl", "-n", "hw.hn.vf_transparent") == "0\n"


def test_a_vf_gets_what_hn_has(guest, start_netvfd):
    set_link(guest, "hn0", mtu=9000, flags=IFF_UP | IFF_PROMISC)
    netvfd = start_netvfd(rcconf=NO_WAIT)
    guest.attach_vf()
    netvfd.wait_active("vf")
    vf = guest.link("vf0")
    assert vf.get_attr("IFLA_MTU") == 9000
    wanted = IFF_UP | IFF_PROMISC | IFF_ALLMULTI
    assert vf["flags"] & wanted == wanted
    assert guest.link("hn0").get_attr("IFLA_MTU") == 9000


def test_an_hn_whose_vf_refuses_its_mtu_falls_back(guest, start_netvfd, echo):
    set_link(guest, "hn0", mtu=9000)
    netvfd = start_netvfd(rcconf=LONG_WAIT)
    guest.attach_vf()
    limit_mtu(guest, "p-vf0")
    wait_joined(netvfd)
    assert guest.link("hn0").get_attr("IFLA_MTU") == 9000
    reload(netvfd, NO_WAIT)
    netvfd.wait_active("vf")
    assert guest.link("hn0").get_attr("IFLA_MTU") == 1500
    assert guest.link("vf0").get_attr("IFLA_MTU") == 1500
    assert "refuses the MTU 9000" in netvfd.log
    assert echo.ask(20) == 20


def test_the_vf_goes_down_and_up_with_hn(guest, start_netvfd, echo):
    netvfd = start_netvfd(rcconf=NO_WAIT)
    guest.attach_vf()
    netvfd.wait_active("vf")
    for _ in range(3):
        set_link(guest, "hn0", state="down")
        wait_until(lambda: not guest.is_up("vf0"), what="vf0 is down")
        assert netvfd.pair()["active"] == "hn"
        assert netvfd.pair()["vf_port"]["counters"], "it is the pair's VF still"
        set_link(guest, "hn0", state="up")
        netvfd.wait_active("vf")
        assert echo.ask(20) == 20


@pytest.mark.parametrize("active", ["vf", "hn"])
def test_a_new_netvfd_neither_waits_nor_forgets(guest, start_netvfd, echo, active):
    netvfd = start_netvfd(rcconf=NO_WAIT if active == "vf" else LONG_WAIT)
    guest.attach_vf()
    wait_joined(netvfd)
    netvfd.wait_active(active)
    netvfd.kill()
    netvfd.rcconf.write_text(LONG_WAIT)
    netvfd.start()
    netvfd.wait_active("vf")
    set_link(guest, "hn0", state="down")
    wait_until(lambda: not guest.is_up("vf0"), what="vf0 is down")
    set_link(guest, "hn0", state="up")
    netvfd.wait_active("vf")
    assert echo.ask(20) == 20


def limit_mtu(guest, name):
    """An XDP program on one end of a veth keeps the other end's MTU below a page."""
    program_load, xdp = 5, 6
    code = struct.pack("=BBhiBBhi", 0xb7, 0, 0, 2, 0x95, 0, 0, 0)  # return XDP_PASS
    buffer, licence = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"BSD")
    words = struct.pack("=IIQQIIQI28x", xdp, len(code) // 8, ctypes.addressof(buffer),
                        ctypes.addressof(licence), 0, 0, 0, 0)
    program = ctypes.CDLL(None, use_errno=True).syscall(321, program_load, words, len(words))
    if program < 0:
        pytest.skip(f"no XDP program here: {os.strerror(ctypes.get_errno())}")
    try:
        guest.host.netlink.link("set", index=guest.host.index(name), xdp_fd=program)
    finally:
        os.close(program)


def test_a_vf_that_went_and_came_with_its_index_unseen_is_set_up_again(guest, start_netvfd, echo):
    netvfd = start_netvfd(rcconf=NO_WAIT)
    guest.attach_vf()
    netvfd.wait_active("vf")
    index = guest.namespace.index("vf0")
    os.kill(netvfd.process.pid, signal.SIGSTOP)
    guest.netlink.link("set", index=index, net_ns_fd=guest.host.net)
    guest.host.netlink.link("set", index=index, net_ns_fd=guest.namespace.net)
    assert guest.namespace.index("vf0") == index and not guest.is_up("vf0")
    os.kill(netvfd.process.pid, signal.SIGCONT)
    wait_until(lambda: guest.is_up("vf0"))
    netvfd.wait_active("vf")
    assert echo.ask(5) == 5
