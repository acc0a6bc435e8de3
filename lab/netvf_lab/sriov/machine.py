# SPDX-License-Identifier: BSD-2-Clause
"""The machine: QEMU's igb, whose virtual functions Linux drives with igbvf.

    namespace host                                    the root namespace is the guest
      switch0 10.77.0.1/24 (bridge)
        ├── p-hn (virtio-net) ──── QEMU's hub ──────── hn0 (virtio-net)   10.77.0.2/24
        └── pf0 (igb) ──── the card's own switch ───── VF (igbvf)         the same MAC

Everything that the host does to a VF is done as on a real host: sriov_numvfs, `ip link set PF vf`.
"""

import os
import subprocess
from dataclasses import dataclass

from ..topology import GUEST_MAC, HOST_ADDRESS, HOST_ADDRESS6, PREFIX, PREFIX6
from ..topology import SWITCH_MAC
from ..vm.cache import Cache
from ..vm.qemu import Qemu
from ..vm.session import Session

OTHER_END_MAC = "02:15:5d:4e:56:fd"
OTHER_MAC = "02:15:5d:4e:56:77"  # that the host gives a VF that has one
HOST_VLAN_ADDRESS, GUEST_VLAN_ADDRESS = "10.78.0.1", "10.78.0.2"
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sriov-host.sh")
PROGRAMS = (SCRIPT, "/sbin/bridge")
MODULES = ("igb", "igbvf", "bridge", "macvlan")
CARD = "nic-pf"
VF_WITHIN = 30  # seconds, for a VF to have a carrier


class CardQemu(Qemu):
    @staticmethod
    def _network(hn, hn_options):
        del hn, hn_options  # both of its ends are in the machine
        argv = []
        for name, mac in (("hn", GUEST_MAC), ("host", OTHER_END_MAC)):
            argv += ["-netdev", f"hubport,id={name},hubid=1"]
            argv += ["-device",
                     f"virtio-net-pci,bus=pcie.0,id=nic-{name},netdev={name},mac={mac},romfile="]
        return [*argv, *CardQemu.card_options()]

    @staticmethod
    def card_options():
        argv = ["-device", "pcie-root-port,id=slot1,bus=pcie.0,chassis=1,slot=1"]
        argv += ["-netdev", "hubport,id=pf,hubid=2"]
        return [*argv, "-device", f"igb,id={CARD},netdev=pf,mac={SWITCH_MAC},bus=slot1,romfile="]


@dataclass
class Port:
    host_index: int


class Here:
    """Where QEMU runs."""

    popen = staticmethod(subprocess.Popen)


class HostInside:
    """What namespace.Namespace is to a simulated host."""

    name = "host"

    def __init__(self, guest):
        self._guest = guest

    def popen(self, argv, **_):
        program = os.path.basename(argv[0])
        return self._guest.popen(["ip", "netns", "exec", "host", program, *argv[1:]])


class CardHost:
    """The host inside. trust and spoofchk: what it sets for each VF."""

    def __init__(self, trust, spoofchk):
        self._settings = f"trust {trust} spoofchk {spoofchk}"
        self.guest = self.host = self.hn = self.switch = None
        self.card = None  # its directory below /sys
        self._machine = None  # a guest.Guest

    def furnish(self, machine):
        self._machine = machine
        macs = f"{GUEST_MAC} {OTHER_END_MAC} {SWITCH_MAC}"
        addresses = f"{HOST_ADDRESS}/{PREFIX} {HOST_ADDRESS6}/{PREFIX6} {HOST_VLAN_ADDRESS}/24"
        told = machine.run(f"sriov-host.sh {macs} {addresses}").split()
        self.card = told[-3]
        self.host = HostInside(machine)
        self.switch, self.hn = PlainSwitch(int(told[-2])), Port(int(told[-1]))

    @property
    def hns(self):
        return [self.hn]

    def close(self):
        """It goes with the machine."""

    def point_to_hn(self):
        """From now on it sends by hn, while the PF still takes what comes."""
        self._machine.run("bridge -n host link set dev pf0 learning off;"
                          f" bridge -n host fdb replace {GUEST_MAC} dev p-hn master dynamic")

    def follow_guest(self):
        self._machine.run("bridge -n host link set dev pf0 learning on")

    def tell_card(self, words):
        """`ip link set PF WORDS`."""
        self._machine.run(f"ip -n host link set pf0 {words}")

    def add_vf(self):
        """A VF that has the guest's address from the start, and its driver."""
        self.add_vfs_without_driver(1)
        self.bind()

    def add_vfs_without_driver(self, count):
        self._machine.run(f"echo 0 >{self.card}/sriov_drivers_autoprobe;"
                          f" echo {count} >{self.card}/sriov_numvfs")
        for number in range(count):
            self.tell_card(f"vf {number} mac {GUEST_MAC} {self._settings}")
        self._machine.run(f"echo 1 >{self.card}/sriov_drivers_autoprobe")

    def add_strange_vf(self):
        """A VF that is probed before the host has given it an address, so it makes one up."""
        self._machine.run(f"echo 1 >{self.card}/sriov_drivers_autoprobe;"
                          f" echo 1 >{self.card}/sriov_numvfs")

    def remove_vf(self):
        self._machine.run(f"echo 0 >{self.card}/sriov_numvfs")

    def bind(self, number=0):
        self._drive("bind", number)

    def unbind(self, number=0):
        self._drive("unbind", number)

    def reset_vf(self):
        """A function-level reset, of which its driver knows nothing."""
        self._machine.run(f"echo 1 >{self.card}/virtfn0/reset")

    def _drive(self, verb, number):
        self._machine.run(f"basename $(readlink -f {self.card}/virtfn{number})"
                          f" >/sys/bus/pci/drivers/igbvf/{verb}")


@dataclass
class PlainSwitch:
    index: int


class CardSession(Session):
    """trust, spoofchk: CardHost's."""

    slow = 4  # both ends of the traffic and the host are in it

    def __init__(self, peer, places, kernel, initramfs, trust="off", spoofchk="on", story=None):
        self._conditions = trust, spoofchk
        super().__init__(peer, places, kernel, initramfs, story)

    def _make_host(self):
        return CardHost(*self._conditions)

    def _start_first_qemu(self):
        return CardQemu(
            self.loop, Here, Cache(self.places).qemu(), self.kernel, self._initramfs, self.wires,
            hn=None, vf=None,
        )

    def _furnish(self):
        self.host.furnish(self.guest)
