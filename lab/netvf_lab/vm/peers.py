# SPDX-License-Identifier: BSD-2-Clause
"""Who keeps the guest's network up: netvf, and what else there is. Each begins in the guest with
hn0 there and down, and carries the guest's address when it is done."""

from ..topology import GUEST_ADDRESS, HOST_ADDRESS, PREFIX

READY_WITHIN = 60  # seconds


class Peer:
    """hn and vf: more of QEMU's properties for the two cards; events: the command that tells what
    happens, if there is one."""

    name = ""
    hn = ""
    vf = {}
    has_vf = True
    events = ()

    def serve(self, host):
        """Starts what it needs on the host; returns things to close in the end."""
        return []

    def start(self, guest):
        """Called once, with no VF there."""

    def settle(self, guest):
        """Waits until it is done with a VF that has come."""

    def log(self, guest):
        """What it has to say, when something went wrong."""
        return guest.run("dmesg | tail -n 12; ip -br address; ip -br link", check=False)


def configure(guest, ifname):
    """As a distribution does at boot."""
    guest.run(
        f"ip address add {GUEST_ADDRESS}/{PREFIX} dev {ifname} && ip link set {ifname} up"
        f" && ip route add default via {HOST_ADDRESS}"
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

    def start(self, guest):
        guest.run("ip link add bond0 type bond mode active-backup miimon 100")
        guest.run("ip link set hn0 down && ip link set hn0 master bond0")
        configure(guest, "bond0")
        guest.run("join-bond </dev/null >/dev/null 2>&1 &")


class NetFailover(Peer):
    """The kernel's own coupling of a virtio interface and a VF, where the host offers it."""

    name = "net_failover"
    hn = ",failover=on"
    vf = {"failover_pair_id": "nic-hn"}

    def start(self, guest):
        configure(guest, "hn0")


class Netvf(Peer):
    name = "netvf"
    events = ("netvf", "events")
    rc_conf = ()  # more lines

    def start(self, guest):
        configure(guest, "hn0")
        guest.write(
            "/etc/netvf/rc.conf",
            [
                f'ifconfig_hn0="inet {GUEST_ADDRESS}/{PREFIX}"',
                f'defaultrouter="{HOST_ADDRESS}"',
                *self.rc_conf,
            ],
        )
        guest.run("netvfd -d </dev/null >/run/netvfd.log 2>&1 &")
        guest.run(
            "until netvf status >/dev/null 2>&1; do pidof netvfd >/dev/null || break; done;"
            " netvf status",
            within=READY_WITHIN,
        )

    def settle(self, guest):
        guest.run(
            f"until ip -o -4 address show dev lagg0 2>/dev/null | grep -q {GUEST_ADDRESS}"
            " && ! pidof hyperv_vfup hyperv_vfattach >/dev/null; do usleep 20000; done"
        )

    def log(self, guest):
        return guest.run("tail -n 30 /run/netvfd.log; netvf status", check=False) + super().log(
            guest
        )


PEERS = {peer.name: peer for peer in (Alone, Bond, NetFailover, Netvf)}
