# SPDX-License-Identifier: BSD-2-Clause
"""A card with a MAC address of its own is the VF, in a real guest."""

import pytest
from setting import ARCHIVE, PLACES, long

from netvf_lab.agents import FROM_GUEST, TO_GUEST
from netvf_lab.report import Report
from netvf_lab.topology import GUEST_ADDRESS
from netvf_lab.vm.peers import NAMED, Netvf
from netvf_lab.vm.run import VmOptions, VmRun
from netvf_lab.vm.session import Session

VF_MAC = "02:15:5d:4e:56:31"


class TwoMacs(Netvf):
    """Asks for a bond, which is none for such a VF."""

    vf = {"mac": VF_MAC}
    rc_conf = (f'netvf_pairs="{NAMED}"', 'netvf_lagg="bond"')

    def settle(self, guest):
        super().settle(guest)
        assert VF_MAC in guest.run("ip -o link show")
        assert "hn0: lagg, upper lagg0" in guest.run("netvf status")
        assert "has a MAC address of its own" in guest.run("cat /run/netvfd.log")


@long
@pytest.mark.timeout(300)
def test_a_vf_with_a_mac_address_of_its_own_goes_and_comes(kernel):
    options = VmOptions(
        rules=PLACES.rules, cycles=1, pps=500, detach="acpi", dwell=0.3, packets=200)
    with Session(TwoMacs(), PLACES, kernel, ARCHIVE) as session:
        run = VmRun(options, session)
        run.run()
        assert run.failure is None, run.failure
        neighbours = session.host.host.netlink.get_neighbours(dst=GUEST_ADDRESS)
        assert [found.get_attr("NDA_LLADDR") for found in neighbours] == [VF_MAC]

    values = Report(run).values()
    assert values["tcp"]["survived"] and values["cycles"] == 1
    for way in (TO_GUEST, FROM_GUEST):
        packets = run.results["observed"]["dirs"][way]["packets"]
        assert min(packets) > 100, "both hn and the VF carried the traffic"
