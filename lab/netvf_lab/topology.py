# SPDX-License-Identifier: BSD-2-Clause
"""A host with a switch, a guest with an hn, and VFs that come and go.

    host namespace                          guest namespace
      switch0 10.77.0.1/24 (bridge)
        ├── p-hn0 ────────── veth ────────── hn0   10.77.0.2/24
        └── p-vf0 ────────── veth ────────── vf0   the same MAC

Which of the two ports the switch uses for the guest is as on real hosts, and loses nothing by the
lab's own fault:

* The switch learns, as switches do: it sends by the port on which it last heard the guest. So
  reception follows the guest's transmission to the VF, as it does on Hyper-V, where the guest
  tells the host to switch over.
* Before the host takes a VF away or cuts its link, it points the guest's address at hn's port and
  stops learning on the VF's, as a host must that manages a VF (Hyper-V does; for net_failover the
  administrator's script does). What the guest still sends by the VF is taken until the last moment.
* When the guest closes the VF, its port has hn's as backup, so the switch sends by that the moment
  the carrier goes.
* Unknown addresses are not sent to both ports: that would be the guest's every datagram twice. They
  go to hn's alone; so a VF's port that vanishes leaves no hole.
* The host raises its end of a VF when the guest opens the VF (agent/ports.c says why).

And a VF goes as a card does, where a veth would do otherwise:

* When a card is unplugged, its driver closes the device before it lets go of the hardware, and the
  host hears all that was sent until then. veth cuts the wire first when it is deleted, and what
  the guest sends in between is lost in it, as is what waits for the host's processor. So the
  guest's end is taken to the host's namespace, which closes it in a card's order, and lies there
  until another VF comes.
* A card's driver receives by NAPI, and delivers what it has received until the card is stopped.
  veth does so when GRO is on, and its peer leaves segmentation (TSO) to its sender; else the kernel
  drops what the host sends from the moment on at which the guest begins to close the VF.
"""

import os
import subprocess
from dataclasses import dataclass
from functools import cached_property

from .loop import Loop
from .namespace import Namespace

HOST_ADDRESS = "10.77.0.1"
GUEST_ADDRESS = "10.77.0.2"
PREFIX = 24
HOST_ADDRESS6 = "fd77::1"
GUEST_ADDRESS6 = "fd77::2"
PREFIX6 = 64
GUEST_MAC = "02:15:5d:4e:56:01"
SWITCH_MAC = "02:15:5d:4e:56:fe"

# The ends of a veth must not have the same index: the kernel takes a link whose lower link has its
# own index for one without, and holds back its carrier events for up to a second.
FIRST_PORT_INDEX = 1000

BR_STATE_FORWARDING = 3
FORWARDS_WITHIN = 5  # seconds after the guest has opened its end
NUD_REACHABLE = 0x02
NUD_NOARP = 0x40
NTF_MASTER = 0x04

ETHTOOL_STSO = 0x1F
ETHTOOL_SGRO = 0x2C

KINDS = ("unplug", "linkdown", "admindown")


@dataclass
class Port:
    """A veth: the host's end and the guest's."""

    guest_name: str
    host_index: int
    guest_index: int

    @property
    def host_name(self):
        return f"p-{self.guest_name}"


class Switch:
    """The host: a namespace with a bridge that behaves as said above."""

    def __init__(self):
        self.host = Namespace("host")
        netlink = self.host.netlink
        netlink.link(
            "add",
            ifname="switch0",
            kind="bridge",
            address=SWITCH_MAC,
            br_forward_delay=0,
            br_stp_state=0,
            br_mcast_snooping=0,
        )
        self.index = self.host.index("switch0")
        netlink.addr("add", index=self.index, address=HOST_ADDRESS, prefixlen=PREFIX)
        netlink.link("set", index=self.index, state="up")

    def close(self):
        self.host.close()

    @cached_property
    def nowhere(self):
        """The index of a port that takes what is sent to it nowhere."""
        ends = {"ifname": "nowhere", "peer": "nowhere-end"}
        self.host.netlink.link("add", kind="veth", master=self.index, **ends)
        return self.host.index("nowhere")

    def set_port(self, port, **what):
        self.host.netlink.brport("set", index=port, **what)

    def point(self, to, away, state=NUD_REACHABLE):
        """From now on the guest's frames leave by `to`; the port `away` still takes what comes.

        A port that does not forward yet takes only a static entry, NUD_NOARP; for another this
        waits until it does.
        """
        if state != NUD_NOARP:
            what = "the switch forwards by the port, whose end the guest has opened"
            Loop().wait(lambda: self._forwards(to), FORWARDS_WITHIN, what)
        self.set_port(away, learning=0)
        self.host.netlink.fdb(
            "replace",
            ifindex=to,
            lladdr=GUEST_MAC,
            state=state,
            flags=NTF_MASTER,
        )

    def _forwards(self, port):
        (link,) = self.host.netlink.get_links(port)
        path = ("IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA", "IFLA_BRPORT_STATE")
        return link.get_nested(*path) == BR_STATE_FORWARDING


class Topology:
    """The host's and the guest's namespaces, joined by hn. Use it in a `with`."""

    def __init__(self, agent):
        self.agent = agent
        self.vf = None
        self.vf_mac = GUEST_MAC  # of VFs that are plugged in from now on
        self._unplugged = None  # the index of its host's end
        self._ports = None
        self._next_index = FIRST_PORT_INDEX
        self.switch = Switch()
        self.host = self.switch.host
        self.guest = Namespace("guest")
        self._start_ports_driver()
        self.hn = self.plug_hn()

    @property
    def hns(self):
        return [self.hn]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._ports:
            self._ports.stdin.close()
            self._ports.wait()
            self._ports.stdout.close()
            self._ports = None
        self.guest.close()
        self.switch.close()

    def _start_ports_driver(self):
        argv = [self.agent, "ports", f"/proc/{os.getpid()}/fd/{self.guest.net}"]
        self._ports = self.host.popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if not self._ports.stdout.readline():
            raise RuntimeError("the host's driver of the ports did not start")

    def _plug(self, name, mac=GUEST_MAC, **what):
        """A veth whose guest end has this MAC; both ends down."""
        port = Port(name, self._plug_ends(name, mac), self.guest.index(name))
        self._set_port(port, **what)
        return port

    def _plug_ends(self, name, mac):
        """Returns the index of the host's end.

        One request makes both ends and the host's a port of the switch, so that the guest, which
        is quick to use what it gets, cannot be the first.
        """
        index, self._next_index = self._next_index, self._next_index + 1
        peer = {"ifname": name, "address": mac, "net_ns_fd": self.guest.net}
        self.host.netlink.link(
            "add", ifname=f"p-{name}", index=index, kind="veth", master=self.switch.index, peer=peer
        )
        return index

    def _set_port(self, port, **what):
        self.switch.set_port(port.host_index, **what)

    def boot(self, address=GUEST_ADDRESS, prefix=PREFIX, router=HOST_ADDRESS):
        """What the distribution does at boot: hn0 up with its address and default route."""
        netlink = self.guest.netlink
        netlink.addr("add", index=self.hn.guest_index, address=address, prefixlen=prefix)
        netlink.link("set", index=self.hn.guest_index, state="up")
        netlink.route("add", dst="default", gateway=router)

    def plug_hn(self):
        return self._plug("hn0", learning=1, unicast_flood=1)

    def _clear_slot(self):
        if self._unplugged:
            self.host.netlink.link("del", index=self._unplugged)
            self._unplugged = None

    def attach(self, name="vf0"):
        """Plugs a VF in. It has no carrier until the guest opens it."""
        self._clear_slot()
        self.vf = self._plug(
            name, self.vf_mac, learning=1, unicast_flood=0, backup_port=self.hn.host_index
        )
        self.host.ethtool(self.vf.host_name, ETHTOOL_STSO, 0)
        self.guest.ethtool(name, ETHTOOL_SGRO, 1)
        return self.vf

    def attach_steered(self, name="vf0"):
        """Plugs a VF in, to which the switch sends all that is for the guest from then on.

        Hosts do so that steer by MAC address. What comes before the guest has opened the VF is
        lost.
        """
        self._clear_slot()
        self.switch.point(self.switch.nowhere, self.hn.host_index, NUD_NOARP)
        index = self._plug_ends(name, self.vf_mac)
        self.switch.point(index, self.hn.host_index, NUD_NOARP)
        self.vf = Port(name, index, self.guest.index(name))
        return self.vf

    def _unplug(self):
        """The guest's end is closed and gone from the guest; the wire is not cut yet."""
        self.guest.netlink.link("set", index=self.vf.guest_index, net_ns_fd=self.host.net)
        self._unplugged = self.vf.host_index
        self.vf = None

    def point_to_hn(self):
        """From now on the host sends by hn, while the VF's port still takes what comes."""
        self.switch.point(self.hn.host_index, self.vf.host_index)

    def detach(self, kind):
        """Takes the VF away: `unplug`, `linkdown`, or the guest itself closes it (`admindown`).

        A port that stays drops what comes when the host has begun to close it and the guest cannot
        know yet: then a function is returned that tells how many of the guest's frames that were.
        """
        if kind == "admindown":
            self.guest.netlink.link("set", index=self.vf.guest_index, state="down")
            return None
        self.point_to_hn()
        if kind == "unplug":
            self._unplug()
            return None
        before = self._dropped()
        self.host.netlink.link("set", index=self.vf.host_index, state="down")
        return lambda: self._dropped() - before

    def _dropped(self):
        (port,) = self.host.netlink.get_links(self.vf.host_index)
        return port.get_attr("IFLA_STATS64")["rx_dropped"]

    def bring_back(self, kind, name="vf0"):
        """Undoes detach(kind)."""
        if kind == "unplug":
            self.attach(name)
        elif kind == "linkdown":
            self._set_port(self.vf, learning=1)
            self.host.netlink.link("set", index=self.vf.host_index, state="up")
        else:
            self.guest.netlink.link("set", index=self.vf.guest_index, state="up")
