# SPDX-License-Identifier: BSD-2-Clause
"""Packet filters that name hn: its configuration does not move past them."""

import shutil
import socket

import pytest
from conftest import RC_CONF
from harness import wait_until
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS

NFT = shutil.which("nft", path="/usr/sbin:/sbin")
MOVE_ALL_THE_SAME = RC_CONF + 'netvf_move_named="YES"\n'


def nft(guest, *words):
    done = guest.run(NFT, *words, check=False)
    if done.returncode:
        pytest.skip(f"nft cannot do that here: {done.stderr}")


@pytest.fixture
def firewall(guest):
    """What is not let in by name is refused. Returns how to let in what comes by an interface."""
    if not NFT:
        pytest.skip("there is no nft here")
    nft(guest, "add table inet f")
    nft(guest, "add chain inet f in { type filter hook input priority 0; policy drop; }")

    def let_in(name):
        nft(guest, "add", "rule", "inet", "f", "in", "iifname", name, "accept")

    let_in("hn0")
    return let_in


def is_heard(guest):
    """Whether a new connection from the host is taken."""
    with guest.namespace.entered():
        server = socket.create_server((GUEST_ADDRESS, 0))
    with guest.host.entered():
        client = socket.socket()
    with server, client:
        client.settimeout(1)
        client.bind((HOST_ADDRESS, 0))
        return client.connect_ex(server.getsockname()) == 0


def on_vf(netvfd, guest):
    since = len(netvfd.log)
    guest.attach_vf()
    netvfd.wait_active("vf")
    wait_until(lambda: "hyperv_vfup 'hn0'' for event" in netvfd.log[since:])
    assert guest.namespace.index("vf0")
    return netvfd.pair()["form"]


def test_a_filter_that_cannot_be_listed_may_name_hn(start_netvfd, guest, firewall):
    """It is as if nft was not installed; and iptables-save is not either, or shows other tables."""
    for path in filter(None, map(shutil.which, ("nft", "iptables-save"))):
        guest.run("mount", "--bind", "/dev/null", path, check=True)
    netvfd = start_netvfd()
    assert on_vf(netvfd, guest) == "transparent"
    assert is_heard(guest)
    assert "the rules of nftables cannot be listed" in netvfd.log


def test_a_list_of_addresses_that_is_too_long_hides_no_rule(start_netvfd, guest, firewall):
    nft(guest, "add set inet f many { type ipv4_addr; }")
    addresses = ", ".join(f"{i >> 16}.{i >> 8 & 255}.{i & 255}.1" for i in range(1 << 16, 3 << 16))
    guest.run(NFT, "-f", "-", input=f"add element inet f many {{ {addresses} }}", text=True,
              check=True)
    netvfd = start_netvfd()
    assert on_vf(netvfd, guest) == "transparent"
    assert is_heard(guest)
    assert "a packet filter names hn0 (nftables, 1 place" in netvfd.log


def test_what_a_filter_lets_in_is_let_in_still(start_netvfd, guest, firewall):
    netvfd = start_netvfd()
    assert is_heard(guest)
    assert on_vf(netvfd, guest) == "transparent"
    assert is_heard(guest)
    why = "a packet filter names hn0 (nftables, 1 place, the first a rule of inet f)"
    assert why in netvfd.log and why in netvfd.ask("doctor", check=False)
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    assert is_heard(guest)
    assert on_vf(netvfd, guest) == "transparent"
    assert is_heard(guest)


def test_a_filter_that_names_the_lagg_too_holds_nothing(start_netvfd, guest, firewall):
    firewall("lagg0")
    netvfd = start_netvfd()
    assert on_vf(netvfd, guest) == "lagg"
    assert is_heard(guest)


def test_an_administrator_may_want_it_all_the_same(start_netvfd, guest, firewall):
    netvfd = start_netvfd(rcconf=MOVE_ALL_THE_SAME)
    assert on_vf(netvfd, guest) == "lagg"
    assert not is_heard(guest)


def test_what_leaves_by_hn_is_masqueraded_still(start_netvfd, guest):
    """The host knows no way back to the other address of the guest."""
    if not NFT:
        pytest.skip("there is no nft here")
    nft(guest, "add table ip n")
    nft(guest, "add chain ip n out { type nat hook postrouting priority 100; }")
    nft(guest, "add rule ip n out oifname hn0 masquerade")
    guest.run("ip", "address", "add", "192.0.2.5/32", "dev", "lo")

    def is_answered():
        return "3 received" in guest.run("ping", "-c", "3", "-i", "0.2", "-W", "5", "-I",
                                         "192.0.2.5", HOST_ADDRESS, check=False).stdout

    netvfd = start_netvfd()
    assert is_answered()
    assert on_vf(netvfd, guest) == "transparent"
    assert is_answered()


@pytest.fixture
def calls(guest, tmp_path):
    """The file in which nft's calls are noted, while it stands in its place."""
    if not NFT:
        pytest.skip("there is no nft here")
    noted, program, real = tmp_path / "calls", tmp_path / "nft", tmp_path / "real"
    shutil.copy(NFT, real)
    noted.touch()
    program.write_text(f'#!/bin/sh\necho "$@" >>{noted}\nexec {real} "$@"\n')
    program.chmod(0o755)
    guest.run("mount", "--bind", program, NFT)
    return noted


@pytest.mark.parametrize("has_table", [False, True])
def test_filters_are_listed_only_if_there_are_any(start_netvfd, guest, calls, has_table):
    if has_table:
        nft(guest, "add table ip n")
        calls.write_text("")
    netvfd = start_netvfd()
    assert on_vf(netvfd, guest) == "lagg"
    assert ("list ruleset" in calls.read_text()) == has_table
