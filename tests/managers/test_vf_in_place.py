# SPDX-License-Identifier: BSD-2-Clause
"""A guest whose VF alone is configured, with a static address. netvf's package is installed there:
the guest keeps its network, then and when it boots again."""

import subprocess

import pytest

import root
from conftest import PLACES
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS, PREFIX
from netvf_lab.vm.session import Session
from test_install import PACKAGE
from test_managers import (
    CARD, HN, LOOPBACK, NETWORKD, NO_NM, QUIET, VF, WITHIN, Managed, addresses, await_,
    to_time)

STATIC = f"{GUEST_ADDRESS}/{PREFIX}"
# Files, links, and what is done by hand.
EACH = {
    "ifupdown": (
        {"/etc/network/interfaces":
         f"{LOOPBACK}allow-hotplug {VF}\niface {VF} inet static\n    address {STATIC}\n"},
        NO_NM, "true"),
    "systemd-networkd": (
        {"/etc/systemd/network/lan.network":
         f"[Match]\nName={VF}\n\n[Network]\nAddress={STATIC}\n"},
        {**NO_NM, **NETWORKD}, "true"),
    # It sets hn up all the same.
    "NetworkManager": (
        {"/etc/NetworkManager/conf.d/lab.conf": "[main]\nno-auto-default=*\n"}, {},
        f"nmcli connection add type ethernet ifname {VF} ipv4.method manual"
        f" ipv4.addresses {STATIC} ipv6.method disabled"),
}


def check(guest):
    await_(guest, "netvf status --json | grep -q '\"form\": \"exclusive\"'")
    assert addresses(guest) == {VF: [GUEST_ADDRESS]}
    guest.run(f"ping -c 1 -W 5 {HOST_ADDRESS}")
    properties = guest.run(f"udevadm info /sys/class/net/{VF}")
    assert "netvf" not in properties and "NM_UNMANAGED" not in properties


def configure_hn(guest, name):
    """The VF serves it then, and a manager that goes on lets go of it."""
    guest.run(f"ip link set {HN} up; ip address add {STATIC} dev {HN}")
    await_(guest, "netvf status --json | grep -q '\"active\": \"vf\"'")
    await_(guest, f"! ip -4 -o address show dev {VF} | grep -q inet")
    if name != "ifupdown":
        await_(guest, f"udevadm info /sys/class/net/{VF} | grep -q ID_NET_MANAGED_BY=netvf")
    guest.run(f"ping -c 1 -W 5 {HOST_ADDRESS}")


def boot(session, name, first):
    session.boot(within=root.BOOTED_WITHIN)
    guest = session.guest
    try:
        if first:
            guest.run(EACH[name][2])
        await_(guest, f"ip -4 -o address show dev {VF} | grep -q {GUEST_ADDRESS}")
        if first:
            guest.run(f"dpkg --install {PACKAGE}", within=2 * WITHIN)
        check(guest)
        if not first:
            configure_hn(guest, name)
        guest.power_off()
    except BaseException:
        print("\n".join(session.log()))
        raise


@to_time
@pytest.mark.parametrize("name", EACH)
def test_a_vf_that_is_configured_in_place_of_hn_stays_so(tmp_path, bare, name):
    kernel, busybox, image = bare
    files, links, _ = EACH[name]
    archive, disk = str(tmp_path / "initramfs"), str(tmp_path / "disk")
    root.archive(archive, kernel, busybox, {"/etc/network/interfaces": LOOPBACK, **files},
                 {**QUIET, **links})
    subprocess.run(["cp", "--sparse=always", image, disk], check=True)
    for first in (True, False):
        with Session(Managed(str(tmp_path)), PLACES, kernel, archive, disk=disk, kept=True,
                     memory="1G", card=CARD) as session:
            boot(session, name, first)
