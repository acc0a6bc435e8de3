# SPDX-License-Identifier: BSD-2-Clause
"""One QEMU process, driven by QMP. It emulates the processor, so that it runs anywhere."""

import collections
import json
import os
import shutil
import socket
import subprocess

from ..loop import Lines, Timeout
from ..topology import GUEST_MAC
from .cache import Unavailable

PROGRAM = "qemu-system-x86_64"
# By who takes a card out of them: ACPI, or PCI Express by itself, which it does where ACPI has no
# say, and that is below a host bridge of its own.
SLOTS = {"acpi": ("slot1", "slot2"), "pcie": ("slot3", "slot4")}
BRIDGES = {"acpi": "pcie.0", "pcie": "bridge"}
PORTS = 16  # serial ports for the guest's programs, each used once, besides the control port
ANSWER_WITHIN = 30  # seconds
GONE_WITHIN = 30  # seconds, for the guest to let go of a device: PCIe's button takes 5

# The clock is one whose rate is known. The processor's (TSC) is measured at boot, wrongly when this
# machine is busy; mitigations only cost time here.
COMMAND_LINE = " ".join(
    (
        "console=ttyS0 quiet panic=-1 rdinit=/init",
        "clocksource=acpi_pm tsc=reliable mitigations=off",
    )
)


def find():
    path = shutil.which(PROGRAM)
    if not path:
        raise Unavailable(f"there is no {PROGRAM} here (Debian's qemu-system-x86)")
    return path


class Qemu:
    """hn and vf: their taps, in the namespace; hn_options: more properties of hn's card."""

    def __init__(self, loop, namespace, kernel, initramfs, hn, vf, hn_options=""):
        self._vf = vf
        self._backed = False  # there is a back end for the VF's card
        self.deleted = {}  # id -> when QEMU said so
        self.log = collections.deque(maxlen=200)
        self._loop = loop
        self._results = []
        names = ["qmp", "control", *(f"port{number}" for number in range(PORTS))]
        pairs = {name: socket.socketpair() for name in names}
        self.sockets = {name: ours for name, (ours, _) in pairs.items()}
        theirs = {name: socket_.fileno() for name, (_, socket_) in pairs.items()}
        argv = [
            *(find(), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
            *("-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"),
            *("-m", "512", "-kernel", kernel.image, "-initrd", initramfs),
            *("-append", COMMAND_LINE, "-serial", "stdio"),
            *("-chardev", f"socket,id=qmp,fd={theirs['qmp']}", "-mon", "qmp,mode=control"),
            *("-device", f"virtio-serial-pci,bus=pcie.0,max_ports={PORTS + 3}"),
        ]
        for name in names[1:]:
            argv += ["-chardev", f"socket,id={name},fd={theirs[name]}"]
            argv += ["-device", f"virtserialport,chardev={name},name={name}"]
        argv += ["-chardev", "null,id=last", "-device", "virtserialport,chardev=last,name=last"]
        argv += ["-device", f"pxb-pcie,id={BRIDGES['pcie']},bus=pcie.0,bus_nr=128"]
        for how, slots in SLOTS.items():
            for slot in slots:
                number = f"chassis={slot[-1]},slot={slot[-1]}"
                argv += ["-device", f"pcie-root-port,id={slot},bus={BRIDGES[how]},{number}"]
        argv += ["-netdev", f"tap,id=hn,ifname={hn},script=no,downscript=no"]
        card = f"virtio-net-pci,bus=pcie.0,id=nic-hn,netdev=hn,mac={GUEST_MAC}"
        argv += ["-device", card + hn_options]
        self.process = namespace.popen(
            argv,
            pass_fds=list(theirs.values()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _, socket_ in pairs.values():
            socket_.close()
        Lines(loop, self.process.stdout, self.log.append)
        self._lines = Lines(loop, self.sockets["qmp"], self._message)
        self.command("qmp_capabilities")

    def _message(self, line):
        message = json.loads(line)
        if message.get("event") == "DEVICE_DELETED" and "device" in message["data"]:
            self.deleted[message["data"]["device"]] = message["timestamp"]
        if "return" in message or "error" in message:
            self._results.append(message)

    def command(self, verb, /, **arguments):
        """Does it and returns the answer."""
        text = json.dumps({"execute": verb, "arguments": arguments})
        self.sockets["qmp"].sendall(text.encode() + b"\n")
        self._loop.wait(
            lambda: self._results or self._lines.closed, ANSWER_WITHIN, f"QEMU obeys {verb}"
        )
        if not self._results:
            raise Timeout(f"QEMU ended with status {self.process.wait()}: {' '.join(self.log)}")
        result = self._results.pop(0)
        if "error" in result:
            raise Timeout(f"QEMU refuses {verb} {arguments}: {result['error']['desc']}")
        return result["return"]

    def plug(self, driver, slot, **properties):
        """A VF into a slot."""
        self.deleted.pop("nic-vf", None)
        # A new back end for each card, for one keeps what the card before agreed with it.
        if self._backed:
            self.command("netdev_del", id="vf")
        self.command(
            "netdev_add", type="tap", id="vf", ifname=self._vf, script="no", downscript="no"
        )
        self._backed = True
        self.command(
            "device_add",
            driver=driver,
            id="nic-vf",
            netdev="vf",
            mac=GUEST_MAC,
            bus=slot,
            **properties,
        )

    def unplug(self):
        """Asks the guest to let go of the VF."""
        self.command("device_del", id="nic-vf")

    def await_unplugged(self):
        self._loop.wait(
            lambda: "nic-vf" in self.deleted, GONE_WITHIN, "the guest lets go of the VF"
        )

    def set_link(self, up):
        self.command("set_link", name="nic-vf", up=up)

    def close(self):
        self.process.kill()
        self.process.wait()
        for socket_ in self.sockets.values():
            socket_.close()
        os.set_blocking(self.process.stdout.fileno(), True)
