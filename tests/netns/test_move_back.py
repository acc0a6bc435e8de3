# SPDX-License-Identifier: BSD-2-Clause
"""What has moved is given back as it was, whatever happened in between."""

import contextlib
import json
import os
import random
import re

import pytest

from harness import wait_until
from moves import Ping, assert_same, furnish, ip, killed_at, lines, settle, whole_state
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS
from programs import Connection

IFF_PROMISC = 0x100


def test_what_moved_is_given_back_as_it_was(programs, guest):
    furnish(guest)
    before = whole_state(guest, "hn0")
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp:
        programs.run("hyperv_vfup", "hn0")
        assert guest.addresses("hn0") == set()
        assert tcp.works()
        assert "hn0 is as it was before" in programs.run("hyperv_vfup", "-r", "hn0")
        assert tcp.works()
    assert_same(whole_state(guest, "hn0"), before)
    assert guest.link("lagg0") is None
    assert not list(programs.run_dir.glob("*.json"))
    assert "so nothing moves back" in programs.run("hyperv_vfup", "-r", "hn0")


def test_what_rcconf_gave_is_taken_back(programs, guest):
    furnish(guest)
    before = whole_state(guest, "hn0")
    programs.write_rcconf(f"""
ifconfig_hn0="inet {GUEST_ADDRESS}/24 mtu 1400"
ifconfig_hn0_aliases="inet 10.77.0.33/24"
defaultrouter="10.77.0.33"
static_routes="a"
route_a="-net 198.51.104.0/24 {HOST_ADDRESS}"
""")
    said = programs.run("hyperv_vfup", "hn0")
    assert "the address 10.77.0.9/24 of hn0 does not move: rc.conf has another value" in said
    assert guest.addresses("lagg0") >= {f"{GUEST_ADDRESS}/24", "10.77.0.33/24"}
    assert "10.77.0.9/24" not in guest.addresses("lagg0")
    programs.run("hyperv_vfup", "-r", "hn0")
    assert_same(whole_state(guest, "hn0"), before)


def test_an_error_in_rcconf_does_not_hold_it_back(programs, guest):
    """A package that is removed leaves no lagg behind."""
    furnish(guest)
    before = whole_state(guest, "hn0")
    programs.run("hyperv_vfup", "hn0")
    programs.rcconf.write_text("ifconfig_hn0=inet 192.0.2.1/24\n")
    said = programs.run("hyperv_vfup", "-r", "hn0")
    assert "counts as empty" in said and "hn0 is as it was before" in said
    assert_same(whole_state(guest, "hn0"), before)


def test_what_has_changed_since_stays_changed(programs, guest):
    settle(guest)
    ip(guest, "route", "add", "198.51.100.0/24", "via", HOST_ADDRESS)
    ip(guest, "addr", "add", "10.77.0.9/24", "dev", "hn0")
    programs.run("hyperv_vfup", "hn0")
    ip(guest, "addr", "add", "10.77.0.10/24", "dev", "lagg0")
    ip(guest, "addr", "del", "10.77.0.9/24", "dev", "lagg0")
    ip(guest, "route", "del", "198.51.100.0/24")
    ip(guest, "route", "add", "198.51.101.0/24", "via", HOST_ADDRESS, "mtu", "1300")
    programs.run("hyperv_vfup", "-r", "hn0")
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/24", "10.77.0.10/24", "2001:db8::2/64"}
    assert lines(guest, "route", "show", "root", "198.51.0.0/16") == [
        "unicast 198.51.101.0/24 via 10.77.0.1 dev hn0 proto boot scope global mtu 1300"]


RP_FILTER = "/proc/sys/net/ipv4/conf/lagg0/rp_filter"  # furnish() has made hn0's strict


def on_one_interface(guest):
    """The interface that has the addresses, after it was found that the other has nothing."""
    laggs = guest.addresses("lagg0") if guest.link("lagg0") else set()
    owner = "lagg0" if laggs else "hn0"
    assert not laggs or not guest.addresses("hn0")
    return owner


# NETVF_KILL_STRIDE=1 kills at every step, in some minutes; else each run takes others of them.
@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a preloaded library and ASan do not mix")
@pytest.mark.parametrize("way", ["there", "back", "back and there"])
def test_killed_at_any_step_the_next_run_completes_it(programs, guest, way):
    furnish(guest)
    before = whole_state(guest, "hn0")
    stride = int(os.environ.get("NETVF_KILL_STRIDE", "4"))
    step = random.randrange(stride)
    killed = True
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp, \
            contextlib.closing(Ping(guest)) as ping:
        while killed:
            print("killed before step", step := step + stride)
            if way == "there":
                killed = killed_at(programs, step, "hn0")
            else:
                programs.run("hyperv_vfup", "hn0")
                killed = killed_at(programs, step, "-r", "hn0")
            assert tcp.works(), f"killed at step {step}"
            if way != "back":
                programs.run("hyperv_vfup", "hn0")
                assert on_one_interface(guest) == "lagg0", step
                if way == "there":
                    assert guest.run("cat", RP_FILTER).stdout == "1\n", step
                assert tcp.works(), f"completed after a kill at step {step}"
            programs.run("hyperv_vfup", "-r", "hn0")
            assert on_one_interface(guest) == "hn0", step
            assert_same(whole_state(guest, "hn0"), before)
        assert tcp.works()
        assert ping.lost() == []
    assert step > 40


def test_netvf_release_gives_back_under_netvfd(start_netvfd, guest):
    """And the next VF takes it away again."""
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n')
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp:
        guest.attach_vf()
        netvfd.wait_active("vf")
        wait_until(lambda: guest.link("lagg0") and not guest.addresses("hn0"))
        wait_until(lambda: (netvfd.pair() or {}).get("form") == "lagg")
        netvfd.ask("release", "hn0")
        assert tcp.works()
        assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/24"} and guest.link("lagg0") is None
        wait_until(lambda: netvfd.pair()["form"] == "transparent")
        wait_until(lambda: guest.link("hn0").get_attr("IFLA_OPERSTATE") == "UP",
                   what="hn0 pretends no longer")
        assert netvfd.pair()["active"] == "vf" and tcp.works()
        guest.detach_vf()
        netvfd.wait_active("hn")
        assert tcp.works()
        guest.bring_back_vf()
        wait_until(lambda: guest.link("lagg0") and not guest.addresses("hn0"))
        assert tcp.works()


def test_hn_is_promiscuous_no_longer_than_its_lagg(start_netvfd, guest):
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n')
    guest.attach_vf()
    netvfd.wait_active("vf")
    wait_until(lambda: guest.link("lagg0") and not guest.addresses("hn0"))
    ip(guest, "link", "set", "lagg0", "promisc", "on")
    wait_until(lambda: guest.link("hn0")["flags"] & IFF_PROMISC, what="hn0 is promiscuous too")
    netvfd.ask("release", "hn0")
    assert not guest.link("hn0")["flags"] & IFF_PROMISC


def test_a_damaged_record_is_said_and_does_no_harm(programs, guest):
    settle(guest)
    addresses = guest.addresses("hn0")
    programs.run("hyperv_vfup", "hn0")
    record, = programs.run_dir.glob("*.json")
    whole = record.read_text()
    for damage in ("", "[]", whole[:len(whole) // 2],
                   whole.replace('"request": "', '"request": "zz'),
                   re.sub(r'"request": "[^"]*"', '"request": 7', whole)):
        record.write_text(damage)
        said = programs.run("hyperv_vfup", "-r", "hn0")
        assert "cannot read the journal" in said and "as it was before" not in said
        assert guest.addresses("hn0") == addresses and guest.link("lagg0") is None
        record.write_text(damage)
        assert "cannot read the journal" in programs.run("hyperv_vfup", "hn0")
        assert guest.addresses("lagg0") == addresses
        assert json.loads(record.read_text())["hn"] == "hn0"


def test_without_room_for_a_record_nothing_is_changed(programs, guest):
    furnish(guest)
    before = whole_state(guest, "hn0")
    programs.run_dir.mkdir()
    guest.run("mount", "-t", "tmpfs", "-o", "size=4k,mode=755", "none", programs.run_dir)
    guest.run("sh", "-c", f"head -c 4096 /dev/zero > {programs.run_dir}/full")
    said = programs.run("hyperv_vfup", "hn0", status=1)
    assert "which is needed to move back: No space left on device; nothing is changed" in said
    assert_same(whole_state(guest, "hn0"), before)
    assert guest.link("lagg0") is None
