# SPDX-License-Identifier: BSD-2-Clause
"""The oldest and the newest kernel boot, take the hooks, and lose nothing when a card goes."""

import pytest
from setting import PLACES

from netvf_lab.report import Report
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.run import VmOptions, VmRun
from netvf_lab.vm.session import Session

# A frame may be between the look at the VF and its queue when the queue stops.
SPLIT_SECOND = 1

# QEMU 7.2's emulation lets Linux 6.18 and later die now and then while they boot, before netvfd.
BOOTS = 3
DIED_AS_IT_BOOTED = "the guest ended before it was done: boots"


@pytest.mark.timeout(300)
def test_a_card_goes_and_returns(end):
    kernel, archive = end
    options = VmOptions(rules=PLACES.rules, cycles=1, pps=500, dwell=0.3, detach="acpi")
    for _ in range(BOOTS):
        with Session(Netvf(), PLACES, kernel, archive) as session:
            run = VmRun(options, session)
            run.run()
        if run.failure != DIED_AS_IT_BOOTED:
            break
    assert run.failure is None, run.failure
    values = Report(run).values()
    assert values["tcp"]["survived"] and values["cycles"] == 1
    assert values["switches"][1]["lost"]["from_guest"] <= SPLIT_SECOND
    for moment in run.told["moments"]:
        assert moment["by"] == "hook", moment
        # No card of these has a driver that declares it absent.
        assert moment["runs"] or moment["moment"] == "detached", moment
