# SPDX-License-Identifier: BSD-2-Clause
"""A real guest: Debian's kernel in QEMU, a real driver, real hot-plug."""

import pytest
from setting import ARCHIVE, PLACES

from netvf_lab.agents import FROM_GUEST, HN, TO_GUEST, VF
from netvf_lab.report import Report
from netvf_lab.topology import GUEST_ADDRESS
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.run import VmOptions, VmRun
from netvf_lab.vm.session import Session

VLAN_ADDRESS = "10.77.5.2"


class Watched(Netvf):
    """netvf on hn0 and a VLAN of it; keeps what the guest looked like with each VF. The time of day
    is set back and forth all the while."""

    rc_conf = ('vlans_hn0="5"', f'ifconfig_hn0_5="inet {VLAN_ADDRESS}/24"')

    def __init__(self):
        self.seen = []

    def start(self, guest):
        super().start(guest)
        guest.run("while :; do for year in 2037 2001; do date -s $year-01-02 && usleep 70000; done;"
                  " done </dev/null >/dev/null 2>&1 &")

    def settle(self, guest):
        super().settle(guest)
        self.seen.append(
            {
                "lagg": guest.run("ip -d -o link show dev lagg0"),
                "addresses": guest.run("ip -o -4 address show"),
                "status": guest.run("netvf status"),
            }
        )


def migrate(peer, kernel, **how):
    """One cycle under traffic."""
    options = VmOptions(rules=PLACES.rules, cycles=1, pps=500, dwell=0.3, packets=200, **how)
    with Session(peer, PLACES, kernel, ARCHIVE) as session:
        run = VmRun(options, session)
        run.run()
    assert run.failure is None, run.failure
    values = Report(run).values()
    assert values["tcp"]["survived"]
    assert values["cycles"] == 1
    assert [switch.to for switch in run.switches] == [VF, HN, VF]
    # How many were lost is for the bench: a busy machine drops frames before they reach the guest.
    for way in (TO_GUEST, FROM_GUEST):
        packets = run.results["observed"]["dirs"][way]["packets"]
        assert min(packets) > 100, "both hn and the VF carried the traffic"


@pytest.mark.timeout(300)
def test_a_card_is_plugged_unplugged_and_plugged_again_under_traffic(kernel):
    peer = Watched()
    migrate(peer, kernel, detach="acpi")
    for seen in peer.seen:
        assert " dummy " in seen["lagg"] and "LOWER_UP" in seen["lagg"]
        links = {line.split()[3].split("/")[0]: line.split()[1] for line in
                 seen["addresses"].splitlines()}
        assert links[GUEST_ADDRESS] == "lagg0"
        assert links[VLAN_ADDRESS] == "lagg0.5"
        assert "hn0: lagg, upper lagg0, on eth" in seen["status"]
    assert len(peer.seen) == 2


@pytest.mark.timeout(300)
def test_a_card_s_link_is_cut_and_restored_under_traffic(kernel):
    peer = Netvf()
    peer.cards = {"vmxnet3"}  # whose driver is told
    migrate(peer, kernel, detach="linkdown", vf="vmxnet3")
