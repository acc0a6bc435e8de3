# SPDX-License-Identifier: BSD-2-Clause
"""A guest that gets the VF from its host by vfio-pci, as on a real host that itself is emulated.

    the machine (QEMU, intel-iommu)                    the guest (QEMU in the machine, with KVM)
      namespace host: switch0 10.77.0.1/24
        ├── p-hn (tap) ──────────────────────────────── hn0 (virtio-net)   10.77.0.2/24
        └── pf0 (igb) ── the card's own switch ──────── VF (vfio-pci: igbvf), the same MAC

The VF is plugged in by device_add, and taken by device_del. Neither the machine's clock nor the
guest's is the lab's, so what is told are numbers of datagrams.
"""

import shlex
import shutil
import time
from dataclasses import dataclass, field

from ..agents import DIRECTIONS, VF
from ..report import where_lost
from ..topology import GUEST_MAC
from ..traffic import Traffic
from ..vm import initramfs
from ..vm.cache import Cache, Unavailable
from ..vm.guest import Guest
from ..vm.qemu import Wires
from ..vm.qmp import Monitor
from .machine import OTHER_END_MAC, PROGRAMS, CardQemu, CardSession, Here

EMULATOR = "qemu-system-x86_64"  # in the machine: the one of where the lab runs
FIRMWARE = (
    "/usr/share/qemu/kvmvapic.bin",
    "/usr/share/qemu/linuxboot_dma.bin",
    "/usr/share/seabios/bios-256k.bin",
)
HOST_MODULES = ("igb", "bridge", "tun", "vfio_iommu_type1", "vfio_pci", "kvm_amd")
HOST_COMMAND_LINE = "intel_iommu=on iommu=pt"
KERNEL, ARCHIVE = "/guest/vmlinuz", "/guest/initrd"
PORTS = 8  # of the guest
SLOW = 20  # times as long as elsewhere: an emulated processor's guest
PREFIX = "guest-"  # of the names of the guest's serial lines in the machine
LINES = f"/dev/virtio-ports/{PREFIX}"
VF_ID = "vf"
DELETED = f"DEVICE_DELETED {VF_ID}"
TCP_INTERVAL = 100_000  # microseconds between two records
WITHIN = 300  # seconds


class HostQemu(CardQemu):
    @staticmethod
    def _network(hn, hn_options):
        del hn, hn_options  # the guest's is in the machine
        return ["-device", "intel-iommu,intremap=on", *CardQemu.card_options()]


@dataclass
class Results:
    rounds: int
    marks: list = field(default_factory=list)  # (deed, datagrams of each direction seen before it)
    by_vf: list = None  # datagrams of each direction
    carried: list = None  # of each direction, as the observer tells it
    sent: list = None
    received: list = None

    def marks_of(self, direction):
        """(deed, the number of the next datagram then)."""
        runs = sorted((first, count) for *_, first, count in self.received[direction]["lost_runs"])
        for deed, seen in self.marks:
            at = seen[direction]
            for first, count in runs:
                at += count if first <= at else 0
            yield deed, at


class NestedSession(CardSession):
    def __init__(self, peer, places, kernel, archive, story=None):
        super().__init__(peer, places, kernel, archive, story=story)
        self.machine = None
        self.monitor = None  # of the guest's QEMU
        self._guest_wires = Wires(PORTS)
        self._monitor_wire = Wires(0)

    def __exit__(self, *error):
        super().__exit__(*error)
        self._guest_wires.close()
        self._monitor_wire.close()

    def _start_first_qemu(self):
        lines = {PREFIX + name: end for name, end in self._guest_wires.theirs.items()}
        lines[f"{PREFIX}monitor"] = self._monitor_wire.theirs["control"]
        return HostQemu(
            self.loop, Here, Cache(self.places).qemu(), self.kernel, self._initramfs, self.wires,
            hn=None, vf=None, memory="1572856K", append=HOST_COMMAND_LINE, lines=lines,
        )

    def boot(self, within=None):
        self.qemu = self._start_first_qemu()
        self.qemu.connect()
        self.machine = Guest(self.loop, self.wires, self.slow)
        self.machine.await_boot(within)
        self.story.tell("host", f"boots Linux {self.kernel.release}")
        self.machine.run("ip tuntap add dev tap0 mode tap"
                         f" && ip link set tap0 address {OTHER_END_MAC}")
        self.host.furnish(self.machine)
        self._give_vf_to_vfio()
        self._boot_guest()
        self.peer.start(self.guest)
        self.story.tell("guest", f"{self.peer.name} is ready")

    def _give_vf_to_vfio(self):
        self.host.add_vfs_without_driver(1)
        self._vf = self.machine.run(f"basename $(readlink -f {self.host.card}/virtfn0)").strip()
        self.machine.run(
            f"echo vfio-pci >/sys/bus/pci/devices/{self._vf}/driver_override"
            f" && echo {self._vf} >/sys/bus/pci/drivers/vfio-pci/bind"
        )

    def _boot_guest(self):
        argv = [
            *(EMULATOR, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
            *("-machine", "q35,accel=kvm", "-cpu", "host", "-m", "384M"),
            *("-kernel", KERNEL, "-initrd", ARCHIVE),
            *("-append", "console=ttyS0 quiet panic=-1 rdinit=/init mitigations=off"),
            *("-serial", "file:/run/guest.console"),
            *("-device", f"virtio-serial-pci,bus=pcie.0,max_ports={PORTS + 3}"),
        ]
        for name in self._guest_wires.ours:
            argv += ["-chardev", f"pipe,id={name},path={LINES}{name}"]
            argv += ["-device", f"virtserialport,chardev={name},name={name}"]
        argv += ["-chardev", "null,id=last", "-device", "virtserialport,chardev=last,name=last"]
        argv += ["-chardev", f"pipe,id=monitor,path={LINES}monitor", "-mon", "monitor,mode=control"]
        argv += ["-netdev", "tap,id=hn,ifname=p-hn,script=no,downscript=no"]
        argv += ["-device", f"virtio-net-pci,bus=pcie.0,netdev=hn,mac={GUEST_MAC},romfile="]
        argv += ["-device", "pcie-root-port,id=slot1,bus=pcie.0,chassis=1,slot=1"]
        self.machine.run(f"ip netns exec host {shlex.join(argv)} </dev/null >/run/guest.log 2>&1 &")
        self.monitor = Monitor(self.loop, self._monitor_wire.ours["control"], SLOW)
        self.monitor.command("qmp_capabilities")
        guest = Guest(self.loop, self._guest_wires, SLOW)
        guest.await_boot(WITHIN)
        self.guest = self.host.guest = guest
        self.story.tell("guest", f"boots in it, Linux {guest.run('uname -r').strip()}")

    def plug_vf(self):
        self.host.follow_guest()
        self.monitor.events.pop(DELETED, None)
        self.monitor.command("device_add", driver="vfio-pci", host=self._vf, id=VF_ID, bus="slot1")

    def unplug_vf(self):
        """The host sends by hn first, as a host that manages VFs does."""
        self.host.point_to_hn()
        self.monitor.command("device_del", id=VF_ID)

    def await_unplugged(self):
        self.loop.wait(lambda: DELETED in self.monitor.events, WITHIN, "the guest lets go of it")

    def log(self):
        said = self.machine.run("tail -n 20 /run/guest.log /run/guest.console", check=False)
        return [*super().log(), *said.splitlines()]


def build(path, places, kernel, guest_kernel, busybox):
    """The machine's file system, and in it the guest's."""
    emulator = shutil.which(EMULATOR)
    if not emulator:
        raise Unavailable(f"there is no {EMULATOR} here for the machine in the machine")
    inner = f"{path}.guest"
    initramfs.build(inner, places, guest_kernel, busybox, modules=("igbvf",))
    more = {KERNEL: guest_kernel.image, ARCHIVE: inner, **{name: name for name in FIRMWARE}}
    initramfs.build(path, places, kernel, busybox, (*PROGRAMS, emulator), HOST_MODULES, more)


def _await_active(session, port):
    """Seconds until netvfd uses it."""
    began = time.monotonic()
    session.peer.await_active(session.guest, port, WITHIN / SLOW)
    return time.monotonic() - began


def run(session, rounds, pps, size, dwell):
    """device_add and device_del, so many times, under traffic."""
    traffic = Traffic(session.loop, session.host, session.places.agent, pps, size, TCP_INTERVAL)
    traffic.start()
    results = Results(rounds)

    def mark(deed):
        seen = [sum(paths) for paths in traffic.observer.packets()]
        results.marks.append((deed, seen))

    mark("the start")
    session.dwell(dwell)
    for number in range(1, rounds + 1):
        mark(f"device_add {number}")
        session.plug_vf()
        came = _await_active(session, "vf")
        mark(f"the switch to the VF {number}")
        session.peer.settle(session.guest)
        session.dwell(dwell)
        mark(f"device_del {number}")
        session.unplug_vf()
        went = _await_active(session, "hn")
        mark(f"the switch to hn {number}")
        session.await_unplugged()
        session.dwell(dwell)
        session.story.tell("lab", f"[{number} of {rounds}] by the VF {came:.1f} s after"
                           f" device_add, by hn {went:.1f} s after device_del")
    results.by_vf = [one[VF] for one in traffic.observer.packets()]
    told = traffic.stop()
    results.sent, results.received = told["sent"], told["received"]
    results.carried = [one["carried"] for one in told["observed"]["dirs"]]
    traffic.close()
    return results


def _loss(results, direction, run):
    *_, first, count = run
    deed, since = max((mark for mark in results.marks_of(direction) if mark[1] <= first),
                      key=lambda mark: mark[1])
    places = ", ".join(where_lost([run], results.carried[direction]))
    return f"    {count} lost, the first {first - since} after {deed}; the host saw them: {places}"


def table(results):
    yield f"{results.rounds} times device_add and device_del"
    for direction, name in enumerate(DIRECTIONS):
        sent, received = results.sent[direction]["sent"], results.received[direction]
        lost = sum(count for *_, count in received["lost_runs"])
        yield (f"  {name.replace('_', ' ')}: {sent} datagrams, {results.by_vf[direction]} of them"
               f" by the VF, {lost} lost, {received['duplicates']} twice")
        for run in received["lost_runs"]:
            yield _loss(results, direction, run)
