# SPDX-License-Identifier: BSD-2-Clause
"""hyperv_vfattach by hand: only a VF of ours is acted on."""

import subprocess

import pytest

from harness import OLD_LINUX, UDEV_WAIT, udev_busy, udev_tells, wait_until
from programs import Programs


@pytest.fixture
def programs(guest, tmp_path):
    guest.attach_vf()
    return Programs(guest, tmp_path)


def has_ipv6(guest, name):
    index = guest.namespace.index(name)
    return any(a["index"] == index for a in guest.netlink.get_addr(family=10))


def test_a_vf_is_set_up_bare(programs, guest):
    guest.netlink.link("set", index=guest.namespace.index("hn0"), mtu=1400)
    assert "vf0, the VF of hn0, is set up" in programs.run("hyperv_vfattach", "vf0", "0")
    vf = guest.link("vf0")
    assert vf["flags"] & 1 and vf["flags"] & 0x200  # up, all multicast groups
    assert vf.get_attr("IFLA_MTU") == 1400
    wait_until(lambda: guest.link("vf0").get_attr("IFLA_CARRIER") == 1)
    assert not has_ipv6(guest, "vf0")
    assert guest.addresses("hn0")
    programs.run("hyperv_vfattach", "vf0", "0")


def test_a_vf_that_was_up_loses_its_link_local_address(programs, guest):
    guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
    wait_until(lambda: has_ipv6(guest, "vf0"))
    programs.run("hyperv_vfattach", "vf0", "0")
    assert not has_ipv6(guest, "vf0")


@pytest.mark.parametrize("name", ["hn0", "lo", "nothing0"])
def test_what_is_no_vf_is_left_alone(programs, guest, name):
    before = guest.link(name)
    assert programs.run("hyperv_vfattach", name, "0") == ""
    after = guest.link(name)
    assert (before and before["flags"]) == (after and after["flags"])


def test_nothing_is_done_in_transparent_mode(programs, guest):
    programs.write_rcconf('netvf_vf_transparent="YES"\n')
    assert programs.run("hyperv_vfattach", "vf0", "0") == ""
    assert not guest.is_up("vf0")


def test_a_vf_of_no_pair_is_left_alone(programs, guest):
    programs.rcconf.write_text("")
    programs.run("hyperv_vfattach", "vf0", "0")
    assert not guest.is_up("vf0")


def test_the_delay_is_spent_in_the_background(programs, guest):
    programs.write_rcconf('hyperv_vf_delay="1"\n')
    said = programs.run("hyperv_vfattach", "vf0", "0")
    assert "in 1 seconds" in said
    assert not guest.is_up("vf0")
    wait_until(lambda: guest.is_up("vf0"))


def test_after_the_delay_another_interface_of_that_name_is_not_touched(programs, guest):
    with programs.start("hyperv_vfattach", "vf0", "1", stderr=subprocess.PIPE, text=True) as run:
        wait_until(lambda: "nanosleep" in open(f"/proc/{run.pid}/wchan").read(), what="it waits")
        guest.detach_vf()
        wait_until(lambda: guest.link("vf0") is None)
        guest.bring_back_vf()
        _, said = run.communicate(timeout=10)
    assert run.returncode == 0
    assert "gone after 1 seconds" in said
    assert not guest.is_up("vf0")


@pytest.mark.parametrize("argv", [(), ("vf0",), ("vf0", "-1"), ("vf0", "soon"), ("vf0", "0", "0")])
def test_wrong_use_is_said(programs, argv):
    assert "usage: hyperv_vfattach" in programs.run("hyperv_vfattach", *argv, status=1)


def test_an_rcconf_with_a_fault_is_said_with_its_place(programs, guest):
    programs.rcconf.write_text('netvf_pairs="hn0:vf0"\nhyperv_vf_delay=$(reboot)\n')
    said = programs.run("hyperv_vfattach", "vf0", "0", status=1)
    assert f"{programs.rcconf}:2:" in said
    assert not guest.is_up("vf0")


def test_a_vf_that_can_be_renamed_is_set_up_before_udev_has_named_it(programs, guest):
    with udev_busy(), programs.start("hyperv_vfattach", "vf0", "0") as attach:
        assert attach.wait(UDEV_WAIT - 1) == 0
    assert guest.is_up("vf0")


def test_udev_names_a_vf_first_where_it_cannot_be_renamed_later(programs, guest):
    """What udev is done with has a file."""
    programs.rcconf.write_text('netvf_pairs="hn0:vf0 hn0:vf7"\n')
    index = guest.namespace.index("vf0")
    with udev_busy() as names, \
            programs.start("hyperv_vfattach", "vf0", "0", under=OLD_LINUX) as attach:
        data = names / f"n{index}"
        wait_until(lambda: "nanosleep" in open(f"/proc/{attach.pid}/wchan").read(), what="it waits")
        assert not guest.is_up("vf0")
        udev_tells(data, "E:ID_RENAMING=1\nE:ID_NET_NAME=vf7\n")
        guest.netlink.link("set", index=index, ifname="vf7")
        assert attach.poll() is None
        assert not guest.is_up("vf7")
        udev_tells(data, "E:ID_NET_NAME=vf7\n")
        assert attach.wait(10) == 0
    assert guest.is_up("vf7")
