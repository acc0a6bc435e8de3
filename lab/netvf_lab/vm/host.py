# SPDX-License-Identifier: BSD-2-Clause
"""The simulated host around a real guest: the same switch, with QEMU's taps as its ports."""

from dataclasses import dataclass

from ..topology import Switch

TAP_QUEUE = 10000  # frames


@dataclass
class Tap:
    name: str
    host_index: int


class Host:
    """Two machines at one switch, each with a tap for hn and one for a VF. hn and vf: those of the
    machine that the guest is on."""

    def __init__(self):
        self.switch = Switch()
        self.host = self.switch.host
        self.hns, self.vfs = (
            [self._tap(f"p-{name}{machine}", unicast_flood=0) for machine in (0, 1)]
            for name in ("hn", "vf")
        )
        self.arrive(0)

    def arrive(self, machine):
        """The guest is on this machine from now on: what is sent to nobody known goes there."""
        self.hn, self.vf = self.hns[machine], self.vfs[machine]
        for hn in self.hns:
            self.switch.set_port(hn.host_index, unicast_flood=int(hn is self.hn))

    def _tap(self, name, **flags):
        self.host.run(["ip", "tuntap", "add", "dev", name, "mode", "tap", "vnet_hdr"])
        index = self.host.index(name)
        self.host.netlink.link("set", index=index, master=self.switch.index)
        self.switch.set_port(index, learning=1, **flags)
        # Room for what comes while QEMU is not let run: its lack is not the guest's loss.
        self.host.netlink.link("set", index=index, txqlen=TAP_QUEUE, state="up")
        return Tap(name, index)

    def close(self):
        self.switch.close()

    def point_to_hn(self):
        self.switch.point(self.hn.host_index, self.vf.host_index)

    def follow_guest(self):
        """The VF is there: the switch sends by whichever port the guest was last heard on."""
        self.switch.set_port(self.vf.host_index, learning=1)
