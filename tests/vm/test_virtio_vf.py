# SPDX-License-Identifier: BSD-2-Clause
"""A virtio card's virtual function: it has the driver of an hn, and is the VF all the same."""

import pytest
from setting import PLACES, long
from test_sriov import ARCHIVE

from netvf_lab.sriov.machine import CardSession, Here
from netvf_lab.topology import GUEST_MAC, HOST_ADDRESS, PREFIX, SWITCH_MAC
from netvf_lab.vm import initramfs
from netvf_lab.vm.cache import Cache
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.qemu import Qemu

# The physical function is the host's end of the wire that all three are at.
FURNISH = f"""\
for l in /sys/class/net/*; do grep -qsx {SWITCH_MAC} $l/address && readlink -f $l/device/..
&& ip netns add host && ip link set ${{l##*/}} name pf0 netns host; done;
for l in /sys/class/net/*; do grep -qsx {GUEST_MAC} $l/address && [ ! -e /sys/class/net/hn0 ]
&& ip link set ${{l##*/}} name hn0; done;
ip -n host address add {HOST_ADDRESS}/{PREFIX} dev pf0 && ip -n host link set pf0 up
""".replace("\n", " ")
VF = "for l in /sys/class/net/*; do [ ! -e $l/device/../physfn ] || readlink $l/device/driver; done"


class VirtioQemu(Qemu):
    @staticmethod
    def _network(hn, hn_options):
        del hn, hn_options
        argv = ["-device", "pcie-root-port,id=slot1,bus=pcie.0,chassis=1,slot=1"]
        for name, mac, place in (
            ("hn", GUEST_MAC, "bus=pcie.0"),
            ("vf", GUEST_MAC, "bus=slot1,addr=0x0.0x1,sriov-pf=nic-pf"),
            ("pf", SWITCH_MAC, "bus=slot1,addr=0x0.0x0"),
        ):
            argv += ["-netdev", f"hubport,id={name},hubid=1"]
            argv += ["-device",
                     f"virtio-net-pci,{place},id=nic-{name},netdev={name},mac={mac},romfile="]
        return argv


class VirtioHost:
    guest = host = None

    def close(self):
        """It goes with the machine."""


class VirtioSession(CardSession):
    def _make_host(self):
        return VirtioHost()

    def _start_first_qemu(self):
        return VirtioQemu(
            self.loop, Here, Cache(self.places).qemu(), self.kernel, self._initramfs, self.wires,
            hn=None, vf=None,
        )

    def _furnish(self):
        self.card = self.guest.run(FURNISH).split()[0]


@long
@pytest.mark.timeout(300)
def test_it_is_the_vf_of_the_hn_that_has_its_address(debian, newest_places):
    kernel, busybox, _ = debian
    initramfs.build(ARCHIVE, PLACES, kernel, busybox)
    with VirtioSession(Netvf(), newest_places, kernel, ARCHIVE) as session:
        session.boot()
        session.guest.run(f"echo 1 >{session.card}/sriov_numvfs")
        session.peer.await_active(session.guest, "vf")
        session.peer.settle(session.guest)
        assert session.guest.run(VF).strip().endswith("/virtio_net")
        session.guest.run(f"ping -c 3 {HOST_ADDRESS}")
        session.guest.run(f"echo 0 >{session.card}/sriov_numvfs && ping -c 3 {HOST_ADDRESS}")
