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
    def __init__(self):
        self.switch = Switch()
        self.host = self.switch.host
        self.hn = self._tap("p-hn0", unicast_flood=1)
        self.vf = self._tap("p-vf0", unicast_flood=0)

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
