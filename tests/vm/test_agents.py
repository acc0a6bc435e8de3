# SPDX-License-Identifier: BSD-2-Clause
"""What Hyper-V's agent in the guest tells of a pair, which it finds by the MAC address. `make
agents` prints the table of doc/hosts.md."""

import pytest
from setting import BUILD, PLACES, long
from test_kvp import DAEMONS, MODULES, Devices

from netvf_lab.topology import GUEST_ADDRESS, GUEST_MAC
from netvf_lab.vm import initramfs
from netvf_lab.vm.peers import Netvf, NetvfBond, NetvfTransparent
from netvf_lab.vm.qemu import SLOTS
from netvf_lab.vm.session import Session

ARCHIVE = "/run/initramfs-agents"
SUCCESS = "0"


def check_what_is_told(devices, mode, when):
    """It takes the first interface with the MAC address that has addresses; their order differs
    from boot to boot."""
    status, _, addresses = devices.ask(f"kvp address {GUEST_MAC.upper()}").partition(" ")
    print(f"agent | hv_kvp_daemon | {mode} | {when} | {addresses or 'no address'}")
    assert status == SUCCESS
    assert GUEST_ADDRESS in addresses.split(";")


@long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode, peer", [
    ("lagg", Netvf), ("lagg, a bond", NetvfBond), ("transparent", NetvfTransparent)])
def test_hv_kvp_daemon_tells_the_addresses(debian, mode, peer):
    kernel, busybox, package = debian
    programs = [f"{package}/usr/sbin/{daemon}" for daemon in DAEMONS]
    programs += [str(BUILD / "tests/hvcuse")]
    initramfs.build(ARCHIVE, PLACES, kernel, busybox, programs, MODULES)
    with Session(peer(), PLACES, kernel, ARCHIVE) as session:
        session.boot()
        guest, devices = session.guest, Devices(session)
        guest.run("mkdir /var/lib; syslogd -O /run/syslog")
        devices.create()
        check_what_is_told(devices, mode, "no VF yet")
        session.plug("e1000e", SLOTS["acpi"][0])
        session.await_link()
        session.peer.settle(guest)
        check_what_is_told(devices, mode, "VF active")
        session.qemu.unplug()
        session.qemu.await_unplugged()
        check_what_is_told(devices, mode, "VF away")
