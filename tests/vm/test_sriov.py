# SPDX-License-Identifier: BSD-2-Clause
"""A real virtual function, of a card whose host is in the same guest, goes and returns."""

import pytest
from setting import PLACES, long

from netvf_lab.report import Report
from netvf_lab.sriov.checks import CHECKS
from netvf_lab.sriov.machine import MODULES, PROGRAMS, CardSession
from netvf_lab.sriov.run import SriovOptions, SriovRun
from netvf_lab.vm import initramfs
from netvf_lab.vm.peers import Netvf, NetvfBond, NetvfTransparent

ARCHIVE = "/run/initramfs-sriov"


class Watching:
    """Keeps what netvf used as a VF."""

    ipv6 = True

    def __init__(self):
        self.drivers = []

    def settle(self, guest):
        super().settle(guest)
        self.drivers.append(guest.run(
            "for l in /sys/class/net/*; do [ ! -e $l/device/physfn ] ||"
            " readlink -f $l/device/driver; done").strip())


PEERS = {peer.name: type("Watched", (Watching, peer), {})
         for peer in (Netvf, NetvfBond, NetvfTransparent)}
WAYS = ["unbind", "numvfs", "portvlan"]


@pytest.fixture
def boot(debian, card_places):
    """Call it for a session with a peer."""
    kernel, busybox, _ = debian
    initramfs.build(ARCHIVE, PLACES, kernel, busybox, PROGRAMS, MODULES)
    return lambda peer: CardSession(peer, card_places, kernel, ARCHIVE)


@long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("peer", PEERS)
def test_a_virtual_function_goes_and_returns(boot, peer):
    """Its driver is unbound, the host removes it, the host puts it into a VLAN; and whichever path
    is used, neighbours, groups, VLANs and macvlans work."""
    options = SriovOptions(rules=PLACES.rules, cycles=1, pps=200, dwell=0.3, ways=WAYS)
    with boot(PEERS[peer]()) as session:
        run = SriovRun(options, session)
        run.run()
        assert run.failure is None, run.failure
        assert run.peer.drivers == ["/sys/bus/pci/drivers/igbvf"] * (1 + len(WAYS))
    values = Report(run).values()
    assert values["tcp"]["survived"]
    assert [(switch["to"], switch["kind"]) for switch in values["switches"]] == [
        ("vf", WAYS[0]), *((to, way) for way in WAYS for to in ("hn", "vf"))]
    assert all(None not in switch["first_packet_ms"].values() for switch in values["switches"])
    assert len(run.checked) == 2 * len(WAYS) * len(CHECKS)
    assert not [one for one in run.checked if one["came"] < one["of"] or one["twice"]]
    # Nothing stays of a VF that has gone; memory is kept for the next one.
    before, after = run.held
    assert {**after, "KiB": None} == {**before, "KiB": None}
