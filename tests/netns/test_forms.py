# SPDX-License-Identifier: BSD-2-Clause
"""A running pair changes its form: no datagram is lost or comes twice, either way."""

import pytest
from conftest import RC_CONF, RULES
from echo import Numbered
from harness import wait_until
from netvf_lab.topology import GUEST_ADDRESS, PREFIX

TRANSPARENT = RC_CONF + 'netvf_vf_transparent="YES"\nnetvf_vf_xpnt_attwait="0"\n'
READ_AGAIN = "read the configuration again"


def configure(netvfd, rules=None, rcconf=None):
    """What an administrator does: edits the files, and has netvfd read them."""
    if rules is not None:
        netvfd.rules.write_text(rules)
    if rcconf is not None:
        netvfd.rcconf.write_text(rcconf)
    reloads = netvfd.log.count(READ_AGAIN)
    netvfd.reload()
    wait_until(lambda: netvfd.log.count(READ_AGAIN) > reloads, what="the files are read again")


def wait_form(netvfd, form):
    wait_until(lambda: netvfd.pair()["form"] == form, what=f"the pair is {form}")
    assert netvfd.pair()["active"] == "vf"


def set_address(guest, name, command):
    guest.netlink.addr(command, index=guest.namespace.index(name), address=GUEST_ADDRESS,
                       prefixlen=PREFIX)


@pytest.fixture
def in_form(guest, start_netvfd):
    """A pair in a form, with its VF active: in_form("lagg")."""

    def start(form):
        netvfd = start_netvfd(rules="" if form == "exclusive" else None,
                              rcconf=TRANSPARENT if form == "transparent" else RC_CONF)
        guest.attach_vf()
        if form == "exclusive":
            set_address(guest, "hn0", "del")
            set_address(guest, "vf0", "add")
            guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
        netvfd.wait_active("vf")
        wait_form(netvfd, form)
        if form == "lagg":
            wait_until(lambda: not guest.addresses("hn0"))
        return netvfd

    return start


@pytest.fixture
def during(guest):
    """during(change): the change happens while datagrams run both ways."""

    def run(change):
        traffic = Numbered(guest)
        traffic.wait_more()
        change()
        traffic.wait_more()
        sent, wrong = traffic.stop()
        assert wrong == {"guest": {}, "host": {}}, sent

    return run


def test_transparent_becomes_lagg(guest, in_form, during):
    netvfd = in_form("transparent")

    def change():
        configure(netvfd, rcconf=RC_CONF)
        netvfd.wait_event("subsystem=hn0 type=VF_UP")
        wait_form(netvfd, "lagg")
        wait_until(lambda: not guest.addresses("hn0"))

    during(change)
    assert guest.addresses("lagg0") == {f"{GUEST_ADDRESS}/{PREFIX}"}


def test_exclusive_becomes_lagg(guest, in_form, during):
    netvfd = in_form("exclusive")

    def change():
        since = len(netvfd.events)
        configure(netvfd, rules=RULES.read_text())
        netvfd.wait_event("subsystem=hn0 type=VF_UP", since)
        wait_form(netvfd, "lagg")
        wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
        set_address(guest, "vf0", "del")

    during(change)
    assert guest.addresses("lagg0") == {f"{GUEST_ADDRESS}/{PREFIX}"}


def test_exclusive_becomes_transparent_and_exclusive_again(guest, in_form, during):
    netvfd = in_form("exclusive")

    def change():
        set_address(guest, "hn0", "add")
        configure(netvfd, rcconf=TRANSPARENT)
        netvfd.wait_event("subsystem=hn0 type=VF_DOWN")
        wait_form(netvfd, "transparent")
        set_address(guest, "vf0", "del")

    def change_back():
        set_address(guest, "vf0", "add")
        configure(netvfd, rcconf=RC_CONF)
        wait_form(netvfd, "exclusive")
        set_address(guest, "hn0", "del")

    during(change)
    during(change_back)


def test_lagg_becomes_transparent_and_lagg_again(guest, in_form, during):
    netvfd = in_form("lagg")

    def change():
        configure(netvfd, rcconf=TRANSPARENT)
        netvfd.ask("release", "hn0")
        netvfd.wait_event("subsystem=hn0 type=VF_DOWN")
        wait_form(netvfd, "transparent")

    def change_back():
        configure(netvfd, rcconf=RC_CONF)
        wait_form(netvfd, "lagg")
        wait_until(lambda: not guest.addresses("hn0"))

    during(change)
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/{PREFIX}"}
    assert guest.link("lagg0") is None
    during(change_back)
    assert guest.addresses("lagg0") == {f"{GUEST_ADDRESS}/{PREFIX}"}


def test_lagg_becomes_exclusive(guest, in_form, during):
    netvfd = in_form("lagg")

    def change():
        configure(netvfd, rules="")
        netvfd.ask("release", "hn0")
        wait_form(netvfd, "exclusive")

    during(change)
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/{PREFIX}"}


def test_a_lagg_stays_whatever_the_files_say(guest, in_form, during):
    """Its addresses have no other path; to move them is somebody's decision."""
    netvfd = in_form("lagg")

    def change():
        for files in {"rules": ""}, {"rcconf": TRANSPARENT}, {"rules": RULES.read_text()}:
            configure(netvfd, **files)
            wait_form(netvfd, "lagg")

    during(change)
    # Its VF may leave and return: netvfd itself sets it up, for hyperv_vfattach does not now.
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    guest.bring_back_vf("unplug")
    netvfd.wait_active("vf")
    wait_form(netvfd, "lagg")
