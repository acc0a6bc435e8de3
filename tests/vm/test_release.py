# SPDX-License-Identifier: BSD-2-Clause
"""A configuration moves to laggN and comes back, in a real guest with Debian's kernel."""

import pytest
import strangers
from setting import PLACES, long

from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS
from netvf_lab.vm import initramfs
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.qemu import SLOTS
from netvf_lab.vm.session import Session

ARCHIVE = "/run/initramfs-release"
VLAN_ADDRESS = "10.77.5.2"

# What is on hn0, without its index, and what is routed by it; hn0.5 is there before and after.
SHOW = (
    "ip rule; ip route show table 100; ip route;"
    " for l in hn0 hn0.5; do ip -o -4 address show dev $l | sed 's/^[0-9]*: //'; done;"
    " cat /sys/class/net/hn0/mtu /proc/sys/net/ipv4/neigh/hn0.5/gc_stale_time;"
    " sed -n 's/ dev->priv_flags.*//; /VID/p; /priority/p' /proc/net/vlan/hn0.5;"
    # There is room for another VLAN 5 only beside one of another protocol.
    " ip link add link hn0 name probe type vlan id 5 && ip link del probe && echo 802.1ad"
)


class WithVlan(Netvf):
    """The configuration is live, and rc.conf says nothing of it."""

    def __init__(self, rcconf):
        self.rcconf = rcconf

    def start(self, guest):
        super().start(guest)
        guest.write("/etc/netvf/rc.conf", self.rcconf)
        guest.run("kill -HUP $(pidof netvfd)")
        for command in (
            "ip link add link hn0 name hn0.5 type vlan protocol 802.1ad id 5 reorder_hdr off",
            "vconfig set_egress_map hn0.5 3 4", "vconfig set_ingress_map hn0.5 2 1",
            "ip link set hn0.5 up",
            f"ip addr add {VLAN_ADDRESS}/24 dev hn0.5",
            "echo 77 >/proc/sys/net/ipv4/neigh/hn0.5/gc_stale_time",
            f"ip route add 198.51.100.0/24 via {HOST_ADDRESS} table 100 metric 7",
            "ip rule add iif hn0 table 100 pref 100", "ip rule add iif hn0.5 table 100 pref 101",
        ):
            guest.run(command)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", ["bpf", pytest.param("bond", marks=long)])
def test_what_is_live_moves_and_comes_back(debian, form):
    kernel, busybox, _ = debian
    initramfs.build(ARCHIVE, PLACES, kernel, busybox, programs=(strangers.PROGRAM,))
    peer = WithVlan([f'netvf_lagg="{form}"'])
    with Session(peer, PLACES, kernel, ARCHIVE) as session:
        session.boot()
        guest = session.guest
        before = guest.run(SHOW)
        assert VLAN_ADDRESS in before and GUEST_ADDRESS in before and "iif hn0.5" in before
        for word in "REORDER_HDR: 0", "3:4", "1:2", "802.1ad":
            assert word in before
        # Who uses the VLAN itself would hear nothing on a new one.
        guest.run("arping -I hn0.5 10.77.5.99 >/dev/null 2>&1 & echo $! >/run/user.pid")
        user = "sockets are bound to hn0.5 (packet protocol 0x0806"
        guest.run(f"until netvf plan hn0 2>&1 | grep -qF '{user}'; do usleep 50000; done")
        guest.run(f"kill $(cat /run/user.pid); ! netvf plan hn0 2>&1 | grep -F '{user}'")
        session.plug("e1000e", SLOTS["acpi"][0])
        session.await_link()
        session.peer.settle(guest)
        moved = guest.run(SHOW.replace("hn0", "lagg0"))
        assert moved.replace("lagg0", "hn0") == before
        users = strangers.start(guest, "lagg0")
        guest.run("netvf release hn0", within=60)
        assert guest.run(SHOW) == before, guest.run("cat /run/netvfd.log")
        strangers.assert_ignored(guest, users)
        # The VF, which a bond has closed, is used again, and nothing moves.
        used = "netvf status | grep -q 'hn0: transparent, .* on eth'"
        guest.run(f"until {used}; do usleep 50000; done", within=60)
        guest.run(f"ping -c 3 {HOST_ADDRESS}")
        assert guest.run(SHOW) == before, guest.run("cat /run/netvfd.log")
        assert "lagg0" not in guest.run("ip link")
