# SPDX-License-Identifier: BSD-2-Clause
"""A guest that has no VF, and may never get one, has netvfd and nothing else of netvf's."""

import pathlib
import select
import socket
import time

import pytest
from conftest import RC_CONF
from harness import BUILD, dptool, wait_until

TRANSPARENT = RC_CONF + 'netvf_vf_transparent="YES"\n'
RCCONF = {"lagg": RC_CONF, "transparent": TRANSPARENT}
INTERFACES = {"lagg": ["hn0", "vf0", "lagg0"], "transparent": ["hn0", "vf0"]}
CLSACT = BUILD / "tests/netns/datapath/compiled/netvfd-clsact"
QUIET = 2  # seconds for which nothing may happen


def programs(guest):
    return {link.get_attr("IFLA_IFNAME"): dptool(guest, "programs", link.get_attr("IFLA_IFNAME"))
            for link in guest.netlink.get_links()}


def wakeups(process):
    """How often a process has begun to wait for something: it was woken after each but the last."""
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("\nvoluntary_ctxt_switches:")[1].split()[0])


@pytest.mark.parametrize("mode", RCCONF)
def test_without_a_vf_no_interface_has_a_program(guest, start_netvfd, mode):
    netvfd = start_netvfd(rcconf=RCCONF[mode])
    netvfd.reload()
    assert netvfd.pair()["verdict"] == "managed"
    assert set(map(tuple, programs(guest).values())) == {(0, 0)}
    assert "clsact" not in guest.run("tc", "qdisc", "show", check=True).stdout
    guest.attach_vf()
    netvfd.wait_active("vf")
    for name in INTERFACES[mode]:
        wait_until(lambda: any(dptool(guest, "programs", name)), what=f"a program at {name}")
    assert "removed netvf's programs" not in netvfd.log
    guest.detach_vf()
    netvfd.wait_active("hn")
    assert any(dptool(guest, "programs", "hn0")), "the VF is expected back"


def test_an_earlier_kernel_has_its_programs_before_the_vf_comes(guest, start_netvfd):
    """clsact stops what an interface sends as it is added: not when a VF is there to be used."""
    start_netvfd(program=CLSACT)
    wait_until(lambda: all(dptool(guest, "programs", "hn0")), what="programs at hn0")


def test_a_netvfd_that_is_started_beside_a_vf_has_all_programs(guest, start_netvfd):
    guest.attach_vf()
    netvfd = start_netvfd(rcconf=TRANSPARENT)
    netvfd.wait_active("vf")
    assert all(dptool(guest, "programs", "hn0")) and dptool(guest, "programs", "vf0")[0]


def test_without_a_vf_nothing_wakes_it(guest, start_netvfd, monkeypatch):
    """Nor does systemd's watchdog, which guards the traffic of a VF."""
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    netvfd = start_netvfd()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        before, since = wakeups(netvfd.process), time.monotonic()
        while wakeups(netvfd.process) == before and time.monotonic() < since + QUIET:
            select.select([], [], [], 0.05)
        if wakeups(netvfd.process) == before:
            return
    pytest.fail("netvfd is never quiet")


def test_systemds_watchdog_begins_with_the_first_vf(guest, start_netvfd, tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "20000000")
        start_netvfd()
        assert [systemd.recv(100) for _ in range(2)] == [b"WATCHDOG_USEC=0", b"READY=1"]
        guest.attach_vf()
        assert systemd.recv(100) == b"WATCHDOG_USEC=20000000"
        assert systemd.recv(100) == b"WATCHDOG=1"
