# SPDX-License-Identifier: BSD-2-Clause
"""One QEMU process, driven by QMP. It emulates the processor, so that it runs anywhere."""

import collections
import os
import socket
import subprocess

from ..loop import Lines, Timeout
from ..topology import GUEST_MAC
from .qmp import Ended, Monitor

# By who takes a card out of them: ACPI, or PCI Express by itself, which it does where ACPI has no
# say, and that is below a host bridge of its own.
SLOTS = {"acpi": ("slot1", "slot2"), "pcie": ("slot3", "slot4")}
BRIDGES = {"acpi": "pcie.0", "pcie": "bridge"}
PORTS = 16  # serial ports for the guest's programs, each used once, besides the control port
# Of a size that is a multiple of 256 KiB, QEMU before 9.0, when it emulates the processor, misses
# what the guest writes to pages that have been sent already, and the guest arrives damaged.
MEMORY = "262136K"
DELETED = "DEVICE_DELETED nic-vf"
GONE_WITHIN = 30  # seconds, for the guest to let go of a device: PCIe's button takes 5

# The clock is one whose rate is known. The processor's (TSC) is measured at boot, wrongly when this
# machine is busy; mitigations only cost time here. A kernel that has gone wrong ends, and QEMU with
# it, so that nobody waits for what such a guest will never do.
COMMAND_LINE = " ".join(
    (
        "console=ttyS0 quiet panic=-1 oops=panic rdinit=/init",
        "clocksource=acpi_pm tsc=reliable mitigations=off",
    )
)


ACCELERATORS = {
    False: ("-accel", "tcg,thread=multi"),
    # The clock moves by a nanosecond with every instruction, of one processor.
    True: ("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"),
}


class Wires:
    """The guest's serial lines. Our ends stay what they are when another QEMU takes the guest over:
    it gets the far ends that the first one has, so what comes by them is one stream."""

    def __init__(self, ports=PORTS):
        names = ("control", *(f"port{number}" for number in range(ports)))
        pairs = {name: socket.socketpair() for name in names}
        self.ours = {name: ours for name, (ours, _) in pairs.items()}
        self.theirs = {name: theirs for name, (_, theirs) in pairs.items()}

    def cut(self):
        """From now on, who reads our ends finds that it is over, whoever has the far ends."""
        for socket_ in self.theirs.values():
            socket_.shutdown(socket.SHUT_RDWR)

    def close(self):
        for socket_ in (*self.theirs.values(), *self.ours.values()):
            socket_.close()


def _serial_card(card, ends):
    """A port for each end, and one that tells that these are all."""
    argv = ["-device", f"virtio-serial-pci,id={card},bus=pcie.0,max_ports={len(ends) + 2}"]
    chardevs = {name: f"socket,id={name},fd={end.fileno()}" for name, end in ends.items()}
    chardevs[f"last-{card}"] = f"null,id=last-{card}"
    for name, chardev in chardevs.items():
        argv += ["-chardev", chardev]
        argv += ["-device", f"virtserialport,bus={card}.0,chardev={name},name={name}"]
    return argv


class Qemu:
    """emulator: the program; hn and vf: their taps, in the namespace; hn_options: more properties
    of hn's card; incoming: it waits for a guest that comes from another one; counting: the guest's
    time is a count of instructions, and it has one of the processors; disk: an image; kept: whether
    what the guest writes is written there, and not to a copy; memory: as -m takes it; card: a
    driver, for a VF that is there from power-on; append: more words for the kernel's command line;
    lines: more serial lines, as name -> far end."""

    def __init__(
        self,
        loop,
        namespace,
        emulator,
        kernel,
        initramfs,
        wires,
        hn,
        vf,
        hn_options="",
        incoming=False,
        counting=False,
        processors=2,
        disk=None,
        kept=False,
        memory=MEMORY,
        card=None,
        append="",
        lines=None,
    ):
        self._vf = vf
        self._backed = False  # there is a back end for the VF's card
        self._plugged = False
        self.log = collections.deque(maxlen=200)
        self._loop = loop
        self._wires = wires
        self._incoming = incoming
        ours, qmp = socket.socketpair()
        # Each group is a card: of its ports after the first dozen, the guest may not
        # be told that our ends are open (findings/virtio-serial-ports.sh).
        groups = [wires.theirs, lines] if lines else [wires.theirs]
        far_ends = [end for group in groups for end in group.values()]
        argv = [
            *(*emulator.argv, "-nodefaults", "-no-user-config", "-display", "none"),
            *("-no-reboot", "-machine", "q35", *ACCELERATORS[counting]),
            *("-cpu", "max", "-smp", "1" if counting else str(processors)),
            *("-m", memory, "-kernel", kernel.image, "-initrd", initramfs),
            *("-append", f"{COMMAND_LINE} {append}".strip(), "-serial", "stdio"),
            *("-chardev", f"socket,id=qmp,fd={qmp.fileno()}", "-mon", "qmp,mode=control"),
        ]
        for number, group in enumerate(groups):
            argv += _serial_card(f"serial{number}", group)
        argv += self._network(hn, hn_options)
        if disk:
            snapshot = "off" if kept else "on"
            argv += ["-drive", f"file={disk},id=disk,format=raw,if=none,snapshot={snapshot}"]
            argv += ["-device", "virtio-blk-pci,bus=pcie.0,drive=disk"]
        if card:
            self._backed = self._plugged = True
            argv += ["-netdev", f"tap,id=vf,ifname={vf},script=no,downscript=no"]
            properties = f"id=nic-vf,netdev=vf,mac={GUEST_MAC},bus={SLOTS['acpi'][0]},romfile="
            argv += ["-device", f"{card},{properties}"]
        if incoming:
            argv += ["-incoming", "defer"]
        self.process = namespace.popen(
            argv,
            env={**os.environ, **emulator.env},
            pass_fds=[qmp.fileno(), *(socket_.fileno() for socket_ in far_ends)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        qmp.close()
        self._end = os.pidfd_open(self.process.pid)
        loop.watch(self._end, self._ended)
        self._console = Lines(loop, self.process.stdout, self.log.append)
        self._monitor = Monitor(loop, ours)
        self.events = self._monitor.events

    @staticmethod
    def _network(hn, hn_options):
        """hn's card, and slots for VFs."""
        argv = ["-device", f"pxb-pcie,id={BRIDGES['pcie']},bus=pcie.0,bus_nr=128"]
        for how, slots in SLOTS.items():
            for slot in slots:
                number = f"chassis={slot[-1]},slot={slot[-1]}"
                argv += ["-device", f"pcie-root-port,id={slot},bus={BRIDGES[how]},{number}"]
        argv += ["-netdev", f"tap,id=hn,ifname={hn},script=no,downscript=no"]
        synthetic = f"virtio-net-pci,bus=pcie.0,id=nic-hn,netdev=hn,mac={GUEST_MAC}"
        return [*argv, "-device", synthetic + hn_options]

    @property
    def running(self):
        return self.process.poll() is None

    def connect(self):
        """Before the first command."""
        self.command("qmp_capabilities")

    def _ended(self):
        """By itself, which it must not. Whoever waits for the guest is told."""
        self._loop.forget(self._end)
        os.close(self._end)
        self._end = None
        self.process.wait()
        if not self._incoming or "RESUME" in self.events:
            self._wires.cut()

    def command(self, verb, /, **arguments):
        """As Monitor's."""
        try:
            return self._monitor.command(verb, **arguments)
        except Ended as ended:
            status = self.process.wait()
            raise Timeout(f"QEMU ended with status {status}: {' '.join(self.log)}") from ended

    def plug(self, driver, slot, **properties):
        """A VF into a slot."""
        self.events.pop(DELETED, None)
        # A new back end for each card, for one keeps what the card before agreed with it.
        if self._backed:
            self.command("netdev_del", id="vf")
        self.command(
            "netdev_add", type="tap", id="vf", ifname=self._vf, script="no", downscript="no"
        )
        self._backed = self._plugged = True
        self.command(
            "device_add",
            driver=driver,
            id="nic-vf",
            netdev="vf",
            bus=slot,
            romfile="",  # a VF has none, and net_failover's migration stumbles over one
            **{"mac": GUEST_MAC, **properties},
        )

    def unplug(self):
        """Asks the guest to let go of the VF."""
        self.command("device_del", id="nic-vf")

    def await_unplugged(self):
        self._loop.wait(
            lambda: DELETED in self.events or not self._plugged,
            GONE_WITHIN,
            "the guest lets go of the VF",
        )

    def set_link(self, up, card="nic-vf"):
        self.command("set_link", name=card, up=up)

    def close(self):
        """Ends it, if it has not; the guest's wires stay."""
        if self._end is not None:
            self._loop.forget(self._end)
            os.close(self._end)
        self.process.kill()
        self.process.wait()
        for end in (self._console, self._monitor):
            end.close()
