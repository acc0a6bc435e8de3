# SPDX-License-Identifier: BSD-2-Clause
"""hn0, and a VLAN on it, are ports of bridges, in a real guest: lagg0 takes their places, in both
of its forms, and gives them back. hn0 has no address then that would tell whose turn it is."""

import re
import subprocess

import pytest
from setting import PLACES, long
from test_above import Asker, wait

from netvf_lab.topology import GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS, PREFIX
from netvf_lab.vm import initramfs
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.qemu import SLOTS
from netvf_lab.vm.session import Session

ARCHIVE = "/run/initramfs-bridges"
VLAN, VLAN_ADDRESS = 5, "10.77.5.2"
ON_THE_WAY = 10

SHOW = (
    "for b in br0 br1; do ip -d -o link show master $b | grep -o ' [^ ]*: \\|cost [0-9]*\\|"
    "priority [0-9]*\\|isolated [a-z]*\\|flood [a-z]*\\|neigh_suppress [a-z]*';"
    " ip -o -4 address show dev $b | sed 's/^[0-9]*: //'; ip route show dev $b; done"
)


class Bridged(Netvf):
    def __init__(self, form):
        self.form = form

    def start(self, guest):
        super().start(guest)
        guest.write("/etc/netvf/rc.conf", [f'netvf_lagg="{self.form}"'])
        guest.run("kill -HUP $(pidof netvfd)")
        for command in (
            f"ip link add link hn0 name hn0.{VLAN} type vlan id {VLAN}",
            "ip link add br0 type bridge forward_delay 0 stp_state 0",
            "ip link add br1 type bridge forward_delay 0 stp_state 0",
            "ip address flush dev hn0",
            f"ip link set hn0 master br0 && ip link set hn0.{VLAN} master br1",
            "ip link set hn0 type bridge_slave cost 77 neigh_suppress on",
            f"ip link set hn0.{VLAN} type bridge_slave priority 5",
            f"ip link set hn0.{VLAN} up && ip link set br0 up && ip link set br1 up",
            f"ip address add {GUEST_ADDRESS}/{PREFIX} dev br0",
            f"ip address add {VLAN_ADDRESS}/24 dev br1",
        ):
            guest.run(command)

    def settle(self, guest):
        wait(guest, f"ip -o link show master br1 | grep -q 'lagg0\\.{VLAN}'")
        guest.run("while pidof hyperv_vfup hyperv_vfattach >/dev/null; do usleep 20000; done")


class Ping:
    """From the host to the guest, all the time."""

    def __init__(self, host):
        self._process = host.popen(["ping", "-n", "-i", "0.02", GUEST_ADDRESS],
                                   stdout=subprocess.PIPE, text=True)

    def lost(self):
        """Numbers of questions without an answer; the last ones may be on their way."""
        self._process.send_signal(2)
        text = self._process.communicate()[0]
        asked = int(re.search(r"(\d+) packets transmitted", text)[1])
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+)", text)}
        assert len(answered) > 100
        return sorted(set(range(1, asked - ON_THE_WAY)) - answered)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", ["bpf", pytest.param("bond", marks=long)])
def test_places_in_bridges_move_and_come_back(debian, form):
    kernel, busybox, _ = debian
    initramfs.build(ARCHIVE, PLACES, kernel, busybox, modules=("bridge",))
    with Session(Bridged(form), PLACES, kernel, ARCHIVE) as session:
        session.boot()
        guest = session.guest
        try:
            asker = Asker(session.host)
            before = guest.run(SHOW)
            for word in "hn0: ", "cost 77", f"hn0.{VLAN}@hn0: ", "priority 5", VLAN_ADDRESS:
                assert word in before
            ping = Ping(session.host.host)
            session.plug("e1000e", SLOTS["acpi"][0])
            session.await_link()
            session.peer.settle(guest)
            wait(guest, "netvf status | grep -q '^hn0: lagg, upper lagg0, on eth'")
            if form == "bond":
                wait(guest, "[ $(grep -c '^Slave Interface' /proc/net/bonding/lagg0) = 2 ]")
            assert guest.run(SHOW).replace("lagg0", "hn0") == before
            asker.ask("vf", GUEST_MAC, GUEST_ADDRESS)
            asker.ask("vf", GUEST_MAC, VLAN_ADDRESS, VLAN)

            guest.run("netvf release hn0", within=60)
            assert guest.run(SHOW) == before
            assert "lagg0" not in guest.run("ip link")
            wait(guest, "netvf status | grep -q 'hn0: transparent, .* on eth'")
            asker.ask("vf", GUEST_MAC, GUEST_ADDRESS)
            asker.ask("vf", GUEST_MAC, VLAN_ADDRESS, VLAN)
            lost = ping.lost()
            guest.run(f"ping -c 3 {HOST_ADDRESS}")
            asker.close()
        except BaseException:
            print("\n".join(session.log()))
            raise
    assert lost == []
