# SPDX-License-Identifier: BSD-2-Clause
"""A real virtual function, of a card whose host is in the same guest, goes and returns."""

import pytest
from setting import PLACES, long

from netvf_lab.report import Report
from netvf_lab.sriov.machine import MODULES, PROGRAMS, CardSession
from netvf_lab.sriov.run import SriovOptions, SriovRun
from netvf_lab.vm import initramfs
from netvf_lab.vm.peers import Netvf

ARCHIVE = "/run/initramfs-sriov"


class Watched(Netvf):
    """Keeps what netvf used as a VF."""

    ipv6 = True

    def __init__(self):
        self.drivers = []

    def settle(self, guest):
        super().settle(guest)
        self.drivers.append(guest.run(
            "for l in /sys/class/net/*; do [ ! -e $l/device/physfn ] ||"
            " readlink -f $l/device/driver; done").strip())


@long
@pytest.mark.timeout(900)
def test_a_virtual_function_is_unbound_and_removed_and_returns(debian, card_places):
    kernel, busybox, _ = debian
    initramfs.build(ARCHIVE, PLACES, kernel, busybox, PROGRAMS, MODULES)
    options = SriovOptions(
        rules=PLACES.rules, cycles=1, pps=200, dwell=0.3, ways=["unbind", "numvfs"], checks=False
    )
    with CardSession(Watched(), card_places, kernel, ARCHIVE) as session:
        run = SriovRun(options, session)
        run.run()
        assert run.failure is None, run.failure
        assert run.peer.drivers == ["/sys/bus/pci/drivers/igbvf"] * 3
    values = Report(run).values()
    assert values["tcp"]["survived"]
    assert [(switch["to"], switch["kind"]) for switch in values["switches"]] == [
        ("vf", "unbind"), ("hn", "unbind"), ("vf", "unbind"), ("hn", "numvfs"), ("vf", "numvfs"),
    ]
    assert all(None not in switch["first_packet_ms"].values() for switch in values["switches"])
    # Nothing stays of a VF that has gone.
    before, after = run.held
    assert after == before
