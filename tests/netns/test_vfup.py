# SPDX-License-Identifier: BSD-2-Clause
"""hyperv_vfup by hand: the configuration of hn0 moves to lagg0, make before break."""

import contextlib
import os
import pathlib
import random
import socket
import subprocess
import threading

import pytest

from harness import BUILD, Guest, wait_until
from netvf_lab.topology import GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS
from programs import AddressWatch, Connection, Programs

LIBEXEC = pathlib.Path("/usr/libexec/hyperv")

RC_CONF = f"""
ifconfig_hn0="inet {GUEST_ADDRESS}/24 mtu 9000"
ifconfig_hn0_aliases="inet 10.77.0.3/24"
ifconfig_hn0_alias0="inet 10.77.0.10-12/24"
ifconfig_hn0_ipv6="inet6 2001:db8::2/64"
ifconfig_hn0_descr="the way out"
defaultrouter="{HOST_ADDRESS}"
ipv6_defaultrouter="2001:db8::1"
static_routes="lab far:hn0"
route_lab="-net 198.51.100.0/24 {HOST_ADDRESS}"
route_far="-host 203.0.113.7 {HOST_ADDRESS}"
"""

WHOLE = {
    f"{GUEST_ADDRESS}/24", "10.77.0.3/24", "10.77.0.10/24", "10.77.0.11/32", "10.77.0.12/32",
    "2001:db8::2/64",
}


@pytest.fixture
def programs(guest, tmp_path):
    made = Programs(guest, tmp_path)
    made.attach_vf()
    return made


def all_addresses(guest, name):
    index = guest.namespace.index(name)
    return [a for a in guest.netlink.get_addr() if a["index"] == index]


def routes_by(guest, name):
    return {(where, gateway) for family in (socket.AF_INET, socket.AF_INET6)
            for where, gateway, by in guest.routes(family) if by == name}


def state(guest):
    """All that must not change when there is nothing to do."""
    return {name: (guest.addresses(name), routes_by(guest, name),
                   guest.link(name).get_attr("IFLA_MTU"), guest.link(name)["flags"] & 0x201)
            for name in ("hn0", "vf0", "lagg0") if guest.link(name)}


def assert_bare(guest, name):
    assert all_addresses(guest, name) == []
    assert routes_by(guest, name) - {("ff00::/8", None)} == set()
    assert guest.is_up(name)


def connection(guest, address=GUEST_ADDRESS, host=HOST_ADDRESS):
    return contextlib.closing(Connection(guest, address, host))


def test_a_directory_with_a_dot_names_no_hn(programs, guest, tmp_path):
    programs.run("hyperv_vfup", "hn0")
    directory = tmp_path / "netvf-1.2"
    directory.mkdir()
    (directory / "hyperv_vfup").symlink_to(BUILD / "src/libexec/hyperv_vfup")
    done = guest.run(directory / "hyperv_vfup", "-r", check=False, env=programs.environment)
    assert done.returncode == 0, done.stderr
    assert not guest.link("lagg0")


def test_what_rcconf_says_is_on_lagg0_and_not_on_hn0(programs, guest):
    programs.write_rcconf(RC_CONF)
    netlink = guest.netlink
    netlink.addr("add", index=guest.namespace.index("hn0"), address="10.77.0.99", prefixlen=24)
    with connection(guest) as tcp, contextlib.closing(AddressWatch(guest, GUEST_ADDRESS)) as watch:
        programs.run("hyperv_vfup", "hn0")
        assert tcp.works()
        assert watch.absences() == 0
    lagg = guest.link("lagg0")
    assert guest.addresses("lagg0") == WHOLE
    assert lagg.get_attr("IFLA_ADDRESS") == GUEST_MAC
    assert lagg.get_attr("IFLA_IFALIAS") == "the way out"
    assert [guest.link(name).get_attr("IFLA_MTU") for name in ("lagg0", "hn0", "vf0")] == [9000] * 3
    assert routes_by(guest, "lagg0") >= {
        ("default", HOST_ADDRESS), ("198.51.100.0/24", HOST_ADDRESS),
        ("203.0.113.7/32", HOST_ADDRESS), ("default", "2001:db8::1"),
    }
    assert_bare(guest, "hn0")
    assert_bare(guest, "vf0")


def test_an_hn_that_nobody_configured_has_no_lagg(topology, tmp_path):
    guest = Guest(topology)
    guest.netlink.link("set", index=guest.namespace.index("hn0"), state="up")
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    assert "nobody has configured it" in programs.run("hyperv_vfup", "hn0")
    assert guest.link("lagg0") is None
    guest.netlink.addr("add", index=guest.namespace.index("hn0"), address="10.77.0.2", prefixlen=24)
    programs.run("hyperv_vfup", "hn0")
    assert guest.addresses("lagg0") == {"10.77.0.2/24"}


@pytest.mark.parametrize("setting", ["bond", "auto"])
def test_a_kernel_without_bonding_gets_the_other_form(programs, guest, setting):
    if guest.run("ip", "link", "add", "bond9", "type", "bond", check=False).returncode == 0:
        pytest.skip("this kernel has bonding")
    programs.write_rcconf(RC_CONF + f'netvf_lagg="{setting}"\n')
    said = programs.run("hyperv_vfup", "hn0")
    assert ("this kernel has no bonding" in said) == (setting == "bond")
    assert guest.addresses("lagg0") == WHOLE
    assert guest.link("hn0").get_attr("IFLA_MASTER") is None


def test_a_bond_gives_way_to_a_vf_with_a_mac_address_of_its_own(programs, guest):
    index = guest.namespace.index("vf0")
    guest.netlink.link("set", index=index, address="02:15:5d:4e:56:31")
    programs.write_rcconf(RC_CONF + 'netvf_lagg="bond"\n')
    said = programs.run("hyperv_vfup", "hn0")
    assert "vf0 has a MAC address of its own" in said
    assert guest.addresses("lagg0") == WHOLE
    kind = guest.link("lagg0").get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_KIND")
    assert kind != "bond"


def test_a_vlan_moves(programs, guest):
    try:
        guest.netlink.link("add", ifname="hn0.5", kind="vlan", vlan_id=5,
                           link=guest.namespace.index("hn0"))
    except Exception as error:
        pytest.skip(f"this kernel has no VLANs: {error}")
    guest.netlink.addr("add", index=guest.namespace.index("hn0.5"), address="10.5.0.2",
                       prefixlen=24)
    programs.write_rcconf(RC_CONF + 'vlans_hn0="5 6"\nifconfig_hn0_6="inet 10.6.0.2/24"\n')
    programs.run("hyperv_vfup", "hn0")
    assert guest.addresses("lagg0.5") == {"10.5.0.2/24"}
    assert guest.addresses("lagg0.6") == {"10.6.0.2/24"}
    assert guest.link("hn0.5") is None


def test_without_rcconf_the_live_configuration_moves(programs, guest):
    hn = guest.namespace.index("hn0")
    guest.run("ip", "addr", "add", "10.77.0.50/24", "dev", "hn0", "valid_lft", "3000",
              "preferred_lft", "2000")
    guest.netlink.addr("add", index=hn, address="2001:db8::2", prefixlen=64, flags=2)
    guest.netlink.route("add", dst="198.51.100.0/24", gateway=HOST_ADDRESS, priority=7, table=100)
    guest.netlink.route("add", dst="2001:db8:5::/48", gateway="2001:db8::1", family=socket.AF_INET6)
    guest.netlink.neigh("add", ifindex=hn, dst="10.77.0.77", lladdr="02:00:00:00:00:77", state=0x80)
    wait_until(lambda: any(a.get_attr("IFA_ADDRESS")[:4] == "fe80" and not a["flags"] & 0x40
                           for a in all_addresses(guest, "hn0")), what="hn0's link-local address")
    addresses = guest.addresses("hn0")
    local = {a.get_attr("IFA_ADDRESS") for a in all_addresses(guest, "hn0")}
    with connection(guest) as tcp:
        programs.run("hyperv_vfup", "hn0")
        assert tcp.works()
    assert guest.addresses("lagg0") == addresses
    moved = {a.get_attr("IFA_ADDRESS"): a for a in all_addresses(guest, "lagg0")}
    assert set(moved) == local
    lifetimes = moved["10.77.0.50"].get_attr("IFA_CACHEINFO")
    assert 2900 < lifetimes["ifa_valid"] <= 3000 and 1900 < lifetimes["ifa_preferred"] <= 2000
    assert routes_by(guest, "lagg0") >= {("default", HOST_ADDRESS),
                                         ("2001:db8:5::/48", "2001:db8::1")}
    lagg = guest.namespace.index("lagg0")
    table = [r for r in guest.netlink.get_routes(table=100) if r.get_attr("RTA_OIF") == lagg]
    assert [r.get_attr("RTA_PRIORITY") for r in table] == [7]
    neighbours = {n.get_attr("NDA_DST"): n for n in guest.netlink.get_neighbours(ifindex=lagg)}
    assert neighbours["10.77.0.77"]["state"] == 0x80
    assert_bare(guest, "hn0")


@pytest.fixture
def router(guest, tmp_path):
    """The host tells the guest a prefix, and itself as the router: dnsmasq does."""
    host = guest.host
    host.netlink.addr("add", index=host.index("switch0"), address="2001:db8:1::1", prefixlen=64,
                      flags=2)
    process = host.popen([
        "dnsmasq", "--keep-in-foreground", "--port=0", "--no-hosts", "--no-resolv", "--conf-file=",
        "--pid-file=", "--interface=switch0", "--enable-ra", "--ra-param=switch0,5,600",
        "--dhcp-range=2001:db8:1::,ra-only", f"--dhcp-leasefile={tmp_path}/leases",
        f"--log-facility={tmp_path}/log",
    ])
    yield "2001:db8:1::1"
    process.kill()
    process.wait()


def live(guest, name):
    """The addresses that are no longer tentative."""
    return {a.get_attr("IFA_ADDRESS") for a in all_addresses(guest, name)
            if not a.get_attr("IFA_FLAGS") & 0x40}


def test_what_router_advertisements_made_moves_and_is_kept_up(programs, guest, router):
    def made(name):
        return {a for a in live(guest, name) if a.startswith("2001:db8:1:")}

    def default_routes(name):
        index = guest.namespace.index(name)
        return {r.get_attr("RTA_PRIORITY"): r.get_attr("RTA_GATEWAY") for r in
                guest.netlink.get_routes(family=socket.AF_INET6, table=254)
                if r["dst_len"] == 0 and r.get_attr("RTA_OIF") == index}

    def refreshed():
        times = [a.get_attr("IFA_CACHEINFO") for a in all_addresses(guest, "lagg0")
                 if a.get_attr("IFA_ADDRESS") in addresses]
        return times and all(t["tstamp"] > t["cstamp"] for t in times)

    patience = 30  # seconds; advertisements come every five
    wait_until(lambda: made("hn0") and default_routes("hn0"), patience)
    addresses = made("hn0")
    before = default_routes("hn0")
    with connection(guest, next(iter(addresses)), router) as tcp:
        programs.run("hyperv_vfup", "hn0")
        assert made("lagg0") == addresses
        assert default_routes("lagg0")
        assert tcp.works()
        # The next advertisement is heard on lagg0, all of it.
        wait_until(lambda: before.items() <= default_routes("lagg0").items(), patience)
        wait_until(refreshed, patience)
        assert made("lagg0") == addresses
        assert tcp.works()
    assert_bare(guest, "hn0")
    assert_bare(guest, "vf0")


def test_no_datagram_is_lost(programs, guest):
    """Numbered both ways, as fast as a test may, with strict reverse path filtering."""
    guest.namespace.sysctl("ipv4/conf/all/rp_filter", 1)
    programs.write_rcconf(RC_CONF)
    for name in ("hn0", "vf0"):
        # Before Linux 6.6 the kernel drops what is sent while a device gets clsact.
        guest.run("tc", "qdisc", "add", "dev", name, "clsact")
    ends = []
    for namespace, address in ((guest.namespace, GUEST_ADDRESS), (guest.host, HOST_ADDRESS)):
        with namespace.entered():
            end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.bind((address, 7002))
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        ends.append(end)
    inside, outside = ends
    stop = threading.Event()
    sent = {}

    def send(end, to, pace):
        number = 0
        while not stop.wait(pace):
            end.sendto(b"%d" % number, (to, 7002))
            number += 1
            sent[to] = number

    threads = [threading.Thread(target=send, args=(inside, HOST_ADDRESS, 0.0005)),
               threading.Thread(target=send, args=(outside, GUEST_ADDRESS, 0.0005))]
    for thread in threads:
        thread.start()
    programs.run("hyperv_vfup", "hn0")
    wait_until(lambda: len(sent) == 2 and min(sent.values()) > 20)
    stop.set()
    for thread in threads:
        thread.join()

    def received(end):
        end.settimeout(0.2)
        numbers = []
        with contextlib.suppress(TimeoutError):
            while True:
                numbers.append(int(end.recv(100)))
        return numbers

    for end, to in ((inside, GUEST_ADDRESS), (outside, HOST_ADDRESS)):
        assert received(end) == list(range(sent[to])), f"lost on the way to {to}"
        end.close()
    with guest.namespace.entered():
        assert open("/proc/sys/net/ipv4/conf/lagg0/rp_filter").read() == "0\n"


def test_a_second_run_changes_nothing(programs, guest):
    programs.write_rcconf(RC_CONF)
    programs.run("hyperv_vfup", "hn0")
    before = state(guest)
    assert "is the upper of hn0 already" in programs.run("hyperv_vfup", "hn0")
    assert state(guest) == before


def test_two_at_once_do_it_once(programs, guest):
    programs.write_rcconf(RC_CONF)
    runs = [programs.start("hyperv_vfup", "hn0", stderr=subprocess.PIPE, text=True)
            for _ in range(2)]
    said = [run.communicate(timeout=30)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert sum("the configuration of hn0 is on lagg0" in text for text in said) == 1
    assert sum("already" in text for text in said) == 1
    assert guest.addresses("lagg0") == WHOLE


def test_a_vf_that_is_gone_is_said(programs, guest):
    programs.write_rcconf(RC_CONF)
    guest.detach_vf()
    wait_until(lambda: guest.link("vf0") is None)
    before = state(guest)
    assert "the VF of hn0 is gone" in programs.run("hyperv_vfup", "hn0")
    assert state(guest) == before


def test_without_netvfd_it_says_that_nobody_will_switch(programs, guest):
    said = programs.run("hyperv_vfup", "hn0")
    assert "netvfd does not run" in said
    with connection(guest) as tcp:
        assert tcp.works()


def test_with_netvfd_all_happens_by_itself(start_netvfd, guest):
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n' + RC_CONF)
    with connection(guest) as tcp:
        guest.attach_vf()
        wait_until(lambda: guest.link("lagg0") and guest.addresses("lagg0") == WHOLE
                   and not guest.addresses("hn0"))
        netvfd.wait_active("vf")
        assert tcp.works()
        guest.detach_vf()
        netvfd.wait_active("hn")
        assert tcp.works()


def test_a_fault_of_the_kernel_leaves_hn0_as_it_was(programs, guest):
    """IPv6 is off for hn0 and rc.conf wants an IPv6 address."""
    programs.write_rcconf(RC_CONF)
    guest.namespace.sysctl("ipv6/conf/hn0/disable_ipv6", 1)
    before = state(guest)
    with connection(guest) as tcp:
        said = programs.run("hyperv_vfup", "hn0", status=1)
        assert tcp.works()
    assert "cannot give lagg0 the address 2001:db8::2/64" in said
    assert "hn0 is as it was before" in said
    after = state(guest)
    assert after["hn0"] == before["hn0"] and "lagg0" not in after


def test_another_interface_of_laggs_name_is_not_touched(programs, guest):
    guest.netlink.link("add", ifname="lagg0", kind="veth", peer="other0")
    before = state(guest)
    assert "there is another interface lagg0" in programs.run("hyperv_vfup", "hn0", status=1)
    assert state(guest) == before


def test_a_macvlan_on_hn0_keeps_all_where_it_is(programs, guest):
    """It could only be made anew, and who uses it would lose it."""
    guest.netlink.link("add", ifname="mv0", kind="macvlan", macvlan_mode="bridge",
                       link=guest.namespace.index("hn0"))
    before = state(guest)
    reason = "mv0 (macvlan) is stacked on hn0, and the kernel cannot move it"
    said = programs.run("hyperv_vfup", "hn0")
    assert reason in said and "netvf_vf_transparent" in said
    assert reason not in programs.run("hyperv_vfup", "hn0"), "it is told once"
    assert reason in programs.run("hyperv_vfup", "-n", "hn0", status=1)
    assert state(guest) == before and guest.link("lagg0") is None
    guest.run("ip", "link", "del", "mv0")
    programs.run("hyperv_vfup", "hn0")
    assert guest.link("lagg0") is not None


def test_transparent_mode_has_no_lagg(programs, guest):
    programs.write_rcconf('netvf_vf_transparent_hn0="YES"\n')
    assert "transparent" in programs.run("hyperv_vfup", "hn0")
    assert guest.link("lagg0") is None


@pytest.mark.parametrize("name", ["", "hn0/../x", "a-name-that-is-too-long"])
def test_wrong_use_is_said(programs, name):
    assert "usage: hyperv_vfup" in programs.run("hyperv_vfup", name, status=1)


def test_what_is_no_hn_is_said(programs):
    assert "no interface hn7" in programs.run("hyperv_vfup", "hn7", status=1)
    assert "lo is no synthetic interface" in programs.run("hyperv_vfup", "lo", status=1)


def test_root_is_needed_and_said(programs, guest):
    done = guest.run("setpriv", "--reuid=65534", "--clear-groups",
                     BUILD / "src/libexec/hyperv_vfup", "hn0", check=False)
    assert done.returncode == 1 and "must be run by root" in done.stderr


def test_the_administrators_own_program_takes_its_place(programs, guest, tmp_path):
    own = LIBEXEC / "hyperv_vfup.hn0"
    proof = tmp_path / "proof"
    own.write_text(f'#!/bin/sh\necho "$0 $#" > {proof}\nexit 7\n')
    try:
        done = guest.run(LIBEXEC / "hyperv_vfup", "hn0", check=False, env=programs.environment)
        assert done.returncode == 1 and "cannot run" in done.stderr
        own.chmod(0o755)
        done = guest.run(LIBEXEC / "hyperv_vfup", "hn0", check=False, env=programs.environment)
        assert done.returncode == 7
        assert proof.read_text() == f"{own} 0\n"
        assert guest.link("lagg0") is None
        own.write_bytes((BUILD / "src/libexec/hyperv_vfup").read_bytes())
        guest.run(own, env=programs.environment)
        assert guest.addresses("lagg0")
    finally:
        own.unlink()


def killed_at(programs, request):
    """Runs it, kills it before its Nth netlink request; False when it ended before."""
    preload = str(BUILD / "tests/libkillat.so")
    done = programs.guest.run(
        BUILD / "src/libexec/hyperv_vfup", "hn0", check=False,
        env={**programs.environment, "LD_PRELOAD": preload, "KILL_AT": str(request)})
    return done.returncode < 0


def back_to_the_start(programs, guest):
    """As before the first run: no lagg, hn0 with its address, nothing pinned."""
    guest.netlink.link("del", index=guest.namespace.index("lagg0"))
    guest.run(BUILD / "tests/netns/datapath/dptool", programs.run_dir, input="remove hn0\n")
    guest.run("umount", programs.run_dir / "bpf", check=False)
    hn = guest.namespace.index("hn0")
    guest.netlink.addr("replace", index=hn, address=GUEST_ADDRESS, prefixlen=24)
    guest.netlink.link("set", index=hn, mtu=1500)
    guest.netlink.route("replace", dst="default", gateway=HOST_ADDRESS)


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a preloaded library and ASan do not mix")
def test_killed_at_any_request_it_is_completed_by_the_next_run(programs, guest):
    """Each run takes some of them; NETVF_KILL_STRIDE=1 takes all, in a minute."""
    programs.write_rcconf(RC_CONF)
    stride = int(os.environ.get("NETVF_KILL_STRIDE", "4"))
    request = random.randint(1, stride)
    print(f"every {stride}th request from {request} on")
    while True:
        with connection(guest) as tcp:
            killed = killed_at(programs, request)
            assert tcp.works(), f"killed at request {request}"
            programs.run("hyperv_vfup", "hn0")
            assert tcp.works(), f"completed after a kill at request {request}"
        assert guest.addresses("lagg0") == WHOLE, request
        assert ("default", HOST_ADDRESS) in routes_by(guest, "lagg0"), request
        assert_bare(guest, "hn0")
        if not killed:
            break
        back_to_the_start(programs, guest)
        request += stride
    assert request > 40
