# SPDX-License-Identifier: BSD-2-Clause
"""netvfd is killed right before the VF goes: what is in the kernel takes the frames to hn."""

import pytest
from setting import ARCHIVE, PLACES

from netvf_lab.agents import FROM_GUEST, HN
from netvf_lab.report import Report
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.run import VmOptions, VmRun
from netvf_lab.vm.session import Session

PPS = 1000
# A frame may be between the look at the VF and its queue when the queue stops.
SPLIT_SECOND = 1
# A look does not see that e1000e's driver has begun to drop frames, some time before it closes the
# device: on a busy machine some are lost. Without the programs' help all are that the guest sends.
BUSY = 50


class Killed(Netvf):
    """Dies when the VF carries the traffic; the next VF finds another netvfd."""

    events = ()
    hooks = "auto"

    def __init__(self):
        self.handover = None

    def settle(self, guest):
        super().settle(guest)
        by_vf = "^hn0: lagg, upper lagg0, on eth"
        guest.run(f"until netvf status | grep -q '{by_vf}'; do usleep 9000; done")
        self.handover = guest.run("netvf status | grep '^handover'")
        guest.run("kill -9 $(pidof netvfd)")

    def restart(self, guest, hooks):
        guest.run(f"echo 'netvf_hooks=\"{hooks}\"' >>/etc/netvf/rc.conf")
        guest.run("netvfd -d </dev/null >/run/netvfd.log 2>&1 &")
        guest.run("until netvf status >/dev/null 2>&1; do usleep 9000; done", within=60)


def unplug(session, may_lose):
    options = VmOptions(
        rules=PLACES.rules, cycles=1, pps=PPS, detach="acpi", back="never", dwell=0.3)
    run = VmRun(options, session)
    run.run()
    assert run.failure is None, run.failure
    assert run.switches[-1].to == HN
    values = Report(run).values()
    assert values["tcp"]["survived"]
    assert values["lost"]["from_guest"] <= may_lose
    assert min(run.results["observed"]["dirs"][FROM_GUEST]["packets"]) > 100
    run.clear()


@pytest.mark.timeout(300)
def test_nothing_is_lost_at_an_unplug_without_netvfd(kernel):
    with Session(Killed(), PLACES, kernel, ARCHIVE) as session:
        unplug(session, SPLIT_SECOND)
        assert session.peer.handover.startswith("handover by hooks: ")

        session.peer.restart(session.guest, "no")
        unplug(session, BUSY)
        assert session.peer.handover.startswith("handover by looks: ")
        assert 'netvf_hooks is "no"' in session.peer.handover
