# SPDX-License-Identifier: BSD-2-Clause
"""Who keeps the guest's network up: netvf, and what else there is. Each begins in the guest with
hn0 there and down, and carries the guest's address when it is done."""

import json

from ..topology import GUEST_ADDRESS, GUEST_ADDRESS6, HOST_ADDRESS, PREFIX, PREFIX6
from . import dhcp

READY_WITHIN = 60  # seconds

# Cards that netvf takes for an hn, unless told which interface is the VF, whatever its name.
SYNTHETIC = {"vmxnet3", "virtio-net"}
NAMED = " ".join(f"hn0:eth{number}" for number in range(10))


class Peer:
    """hn and vf: more of QEMU's properties for the two cards; cards: what VFs may be; qemu_unplugs:
    QEMU takes the VF away by itself when it is to migrate the guest; events: the command that tells
    what happens, if there is one; upper: the interface that has the addresses while a VF is there;
    ipv6: it has an IPv6 address too."""

    name = ""
    cards = frozenset(("e1000e",))
    hn = ""
    vf = {}
    has_vf = True
    qemu_unplugs = False
    events = ()
    upper = "hn0"
    ipv6 = False

    def serve(self, host):
        """Starts what it needs on the host; returns things to close in the end."""
        return []

    def start(self, guest):
        """Called once, with no VF there."""

    def settle(self, guest):
        """Waits until it is done with a VF that has come."""

    def told(self, guest):
        """What it tells of itself at the end, for the report."""
        return None

    def log(self, guest):
        """What it has to say, when something went wrong."""
        return guest.run("dmesg | tail -n 12; ip -br address; ip -br link", check=False)


def configure(guest, ifname, ipv6=False):
    """As a distribution does at boot."""
    guest.run(
        f"ip address add {GUEST_ADDRESS}/{PREFIX} dev {ifname} && ip link set {ifname} up"
        f" && ip route add default via {HOST_ADDRESS}"
    )
    if ipv6:
        guest.run(f"ip address add {GUEST_ADDRESS6}/{PREFIX6} dev {ifname} nodad")


def _await_address(guest, ifname):
    guest.run(
        f"until ip -o -4 address show dev {ifname} 2>/dev/null | grep -q {GUEST_ADDRESS};"
        " do usleep 20000; done"
    )


def _on_vf(guest, command):
    """Has it run for each VF that comes from now on: on-vf hears of links when this returns."""
    guest.run(f"on-vf {command} </dev/null >/dev/null 2>&1 &")
    # The kernel's netlink sockets: of rtnetlink (0), a process's, for links' news alone.
    guest.run(
        "until grep -q ' 0 *[1-9][0-9]* *00000001 ' /proc/net/netlink; do usleep 20000; done",
        within=READY_WITHIN,
    )


class Alone(Peer):
    """hn and nothing else: what the lab and the emulation do to the traffic by themselves."""

    name = "none"
    has_vf = False

    def start(self, guest):
        configure(guest, "hn0")


class Bond(Peer):
    """The kernel's bonding, as its documentation says it for this use."""

    name = "bond"
    upper = "bond0"

    def start(self, guest):
        guest.run("ip link add bond0 type bond mode active-backup miimon 100")
        guest.run("ip link set hn0 down && ip link set hn0 master bond0")
        configure(guest, "bond0", self.ipv6)
        _on_vf(guest, "join-bond")


class HypervScripts(Peer):
    """A bond made by scripts when the first VF comes, with DHCP: FreeBSD's order, Linux's tools."""

    name = "hyperv-scripts"

    def serve(self, host):
        return [dhcp.Server(host.host)]

    def start(self, guest):
        guest.run("udhcpc -i hn0 -s /usr/sbin/on-lease -p /run/udhcpc.hn0.pid", within=READY_WITHIN)
        _on_vf(guest, "hyperv-scripts")

    def settle(self, guest):
        _await_address(guest, "bond0")


class NetFailover(Peer):
    """The kernel's own coupling of a virtio interface and a VF, where the host offers it."""

    name = "net_failover"
    hn = ",failover=on"
    vf = {"failover_pair_id": "nic-hn"}
    qemu_unplugs = True

    def start(self, guest):
        configure(guest, "hn0")


class Netvf(Peer):
    """rc_conf: more lines of it."""

    name = "netvf"
    events = ("netvf", "events")
    upper = "lagg0"
    rc_conf = ()

    def start(self, guest):
        configure(guest, "hn0", self.ipv6)
        guest.write(
            "/etc/netvf/rc.conf",
            [
                f'ifconfig_hn0="inet {GUEST_ADDRESS}/{PREFIX}"',
                f'defaultrouter="{HOST_ADDRESS}"',
                *([f'ifconfig_hn0_ipv6="inet6 {GUEST_ADDRESS6}/{PREFIX6}"'] if self.ipv6 else []),
                *([f'netvf_pairs="{NAMED}"'] if self.cards & SYNTHETIC else []),
                *self.rc_conf,
            ],
        )
        guest.run("netvfd -d </dev/null >/run/netvfd.log 2>&1 &")
        guest.run(
            "until netvf status >/dev/null 2>&1; do pidof netvfd >/dev/null || break; done;"
            " netvf status",
            within=READY_WITHIN,
        )

    @staticmethod
    def await_active(guest, port, within=READY_WITHIN):
        """Waits until netvfd sends by this port of its pair, "hn" or "vf"."""
        found = f"netvf --json status | grep -q '\"active\": *\"{port}\"'"
        guest.run(f"until {found}; do usleep 50000; done", within=within)

    def settle(self, guest):
        _await_address(guest, "lagg0")
        guest.run("while pidof hyperv_vfup hyperv_vfattach >/dev/null; do usleep 20000; done")

    def told(self, guest):
        answer = guest.run("netvf --json status 2>/dev/null", check=False)
        if not answer.startswith("{"):  # netvfd does not run any more
            return None
        status = json.loads(answer)
        filters = guest.run("tc filter show dev hn0 ingress", check=False)
        return {
            "handover": status["handover"],
            "reads": status.get("reads"),  # not told by the first versions
            "programs_at": "clsact" if "netvf" in filters else "tcx",
            "moments": status.get("moments", []),
        }

    def log(self, guest):
        return guest.run("tail -n 30 /run/netvfd.log; netvf status", check=False) + super().log(
            guest
        )


class NetvfBond(Netvf):
    """With laggN as the kernel's bond."""

    name = "netvf-bond"
    rc_conf = ('netvf_lagg="bond"',)


class NetvfTransparent(Netvf):
    """Without laggN: hn keeps the addresses."""

    name = "netvf-transparent"
    upper = "hn0"
    rc_conf = ('netvf_vf_transparent="YES"',)

    def settle(self, guest):
        guest.run("until netvf status | grep '^hn0:' | grep -qv ' on hn0 '; do usleep 20000; done")


PEERS = {
    peer.name: peer
    for peer in (Alone, Bond, HypervScripts, NetFailover, Netvf, NetvfBond, NetvfTransparent)
}
