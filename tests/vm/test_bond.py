# SPDX-License-Identifier: BSD-2-Clause
"""laggN as the kernel's bond, in a real guest."""

import time

import pytest
import strangers
from setting import ARCHIVE, PLACES, long

from netvf_lab.agents import FROM_GUEST, TO_GUEST
from netvf_lab.report import Report
from netvf_lab.topology import GUEST_ADDRESS
from netvf_lab.vm.peers import Netvf, NetvfBond
from netvf_lab.vm.run import VmOptions, VmRun
from netvf_lab.vm.session import FIND_VF, Session

BOND = "cat /proc/net/bonding/lagg0"
OWN_BY_VF = 'netvf_port_packets_total{hn="hn0",port="vf",kind="dropped_own"}'
NEIGHBOUR = GUEST_ADDRESS.rsplit(".", 1)[0] + ".251"  # of whom an administrator told the guest
NOBODY = GUEST_ADDRESS.rsplit(".", 1)[0] + ".250"
VF_SENDS = (f"until [ $({BOND} | grep -c '^Slave Interface') = 2 ] &&"
            f" {BOND} | grep -q '^Currently Active Slave: eth'; do usleep 20000; done")


class Bonded(Netvf):
    """Keeps what the guest looked like with each VF; kills netvfd before the VF goes. A user's
    processes call themselves DHCP clients of hn0."""

    rc_conf = ('netvf_lagg="bond"', 'netvf_multicast="active"')

    def __init__(self):
        self.seen = []
        self.strangers = None

    def start(self, guest):
        super().start(guest)
        self.strangers = strangers.start(guest, "hn0")

    def settle(self, guest):
        super().settle(guest)
        guest.run(VF_SENDS)
        self.seen.append(
            {
                "bond": guest.run(BOND),
                "hn0": guest.run("ip -o link show dev hn0"),
                "addresses": guest.run("ip -o -4 address show"),
                "status": guest.run("netvf status"),
                "neighbours": guest.run("cat /proc/net/arp"),
            }
        )
        if len(self.seen) == 1:
            guest.run(f"arp -i lagg0 -s {NEIGHBOUR} 02:00:00:00:00:fb")
            self.look_at_vf_program(guest)
            guest.run("kill -9 $(pidof netvfd)")
            self.run_daemon(guest)

    def look_at_vf_program(self, guest):
        """None while the VF is active; while hn is, it drops what comes back of our own."""
        uncounted = "until netvf status | grep -q 'vf .*active.*received uncounted'; do :; done"
        guest.run(uncounted)
        guest.run("netvf switch hn0 hn")
        guest.run(
            f"until netvf metrics | grep -q '{OWN_BY_VF} [1-9]'; do"
            f" arping -q -c 1 -w 1 -I lagg0 {NOBODY}; done"
        )
        guest.run("netvf switch hn0 auto")
        guest.run(uncounted)

    def run_daemon(self, guest):
        guest.run("netvfd -d </dev/null >>/run/netvfd.log 2>&1 &")
        guest.run("until netvf status >/dev/null 2>&1; do pidof netvfd >/dev/null || break; done")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("back", [
    pytest.param("same", marks=long), pytest.param("name", marks=long), "driver"])
def test_a_bond_keeps_the_traffic_when_its_card_goes_and_comes(kernel, back):
    options = VmOptions(
        rules=PLACES.rules, cycles=1, pps=500, detach="acpi", back=back, dwell=0.3, packets=200
    )
    with Session(Bonded(), PLACES, kernel, ARCHIVE) as session:
        run = VmRun(options, session)
        run.run()
        assert run.failure is None, run.failure
        strangers.assert_ignored(session.guest, run.peer.strangers)

    for seen in run.peer.seen:
        assert "active-backup" in seen["bond"]
        assert "Slave Interface: hn0" in seen["bond"]
        assert "Slave Interface: eth" in seen["bond"]
        # hn pretends, and the bond does not mind.
        assert seen["bond"].count("MII Status: up") == 3
        assert "state DORMANT" in seen["hn0"]
        assert [
            line.split()[1] for line in seen["addresses"].splitlines() if GUEST_ADDRESS in line
        ] == ["lagg0"]
        assert "hn0: lagg as a bond, upper lagg0, on eth" in seen["status"]
    assert len(run.peer.seen) == 2
    assert NEIGHBOUR in run.peer.seen[1]["neighbours"], "a bond's switches leave neighbours alone"

    values = Report(run).values()
    assert values["tcp"]["survived"]
    assert values["cycles"] == 1
    for way in (TO_GUEST, FROM_GUEST):
        packets = run.results["observed"]["dirs"][way]["packets"]
        assert min(packets) > 100, "both hn and the VF carried the traffic"


class Stripped(NetvfBond):
    """Somebody removes netvf's programs from every interface of the pair, amid the traffic."""

    def settle(self, guest):
        super().settle(guest)
        guest.run(VF_SENDS)
        names = f"lagg0 hn0 {guest.run(FIND_VF).strip()}"
        programs = (f"for name in {names}; do for way in ingress egress; do"
                    " tc filter show dev $name $way; done; done | grep -c netvf")
        count = int(guest.run(programs))
        guest.run(f"for name in {names}; do tc qdisc del dev $name clsact; done", check=False)
        removed = time.monotonic()
        guest.run(f"until [ $({programs}) = {count} ]; do usleep 20000; done")
        print(f"{count} programs are back after {time.monotonic() - removed:.2f} s")


@long
@pytest.mark.timeout(300)
def test_programs_that_somebody_removes_from_a_bond_come_back(kernel):
    options = VmOptions(
        rules=PLACES.rules, cycles=1, pps=1000, detach="acpi", back="never", dwell=1, packets=500
    )
    with Session(Stripped(), PLACES, kernel, ARCHIVE) as session:
        run = VmRun(options, session)
        run.run()
        assert run.failure is None, run.failure
        log = session.guest.run("cat /run/netvfd.log")
        assert log.count("somebody removed netvf's programs from") == 1
    values = Report(run).values()
    assert values["tcp"]["survived"]
    assert set(values["duplicated"].values()) == {0}
    print({key: values[key] for key in ("sent", "lost", "max_gap_ms")})
