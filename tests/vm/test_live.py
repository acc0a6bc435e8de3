# SPDX-License-Identifier: BSD-2-Clause
"""A guest migrates live from one QEMU to another, and its VF with it."""

import pytest
from setting import ARCHIVE, PLACES

from netvf_lab.agents import FROM_GUEST, HN, TO_GUEST, VF
from netvf_lab.report import Report
from netvf_lab.vm.live import LiveRun
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.run import VmOptions
from netvf_lab.vm.session import Session

DWELL = 300_000_000  # nanoseconds


class Watched(Netvf):
    """Keeps what the guest says of its pair with each VF."""

    def __init__(self):
        self.status = []

    def settle(self, guest):
        super().settle(guest)
        self.status.append(guest.run("netvf status"))


def carried(run, way, path, since, until):
    """Datagrams that a path carried between two times of the host's clock."""
    observed = run.results["observed"]
    buckets = observed["dirs"][way]["buckets"][path]
    first, end = ((at - observed["start"]) // observed["bucket"] for at in (since, until))
    return sum(buckets[(first + 1):end])


@pytest.mark.timeout(300)
def test_a_guest_migrates_live_under_traffic(kernel):
    options = VmOptions(rules=PLACES.rules, cycles=1, pps=500, detach="live", dwell=DWELL / 1e9)
    with Session(Watched(), PLACES, kernel, ARCHIVE) as session:
        run = LiveRun(options, session)
        run.run()
        assert run.failure is None, run.failure
        assert session.host.hn.name == "p-hn1", "it is on the other machine"

    values = Report(run).values()
    assert values["tcp"]["survived"]
    assert "hn0: lagg, upper lagg0, on eth" in run.peer.status[-1]

    (move,), (_, gone, _, back) = run.moves, run.switches
    assert gone.at < move.stopped < move.resumed < back.at
    for way in (TO_GUEST, FROM_GUEST):
        assert carried(run, way, HN, move.resumed, back.at) > 50
        assert carried(run, way, VF, back.first[way], back.first[way] + DWELL) > 50
    (moved,) = run.more(Report(run))["moves"]
    assert moved["downtime_ms"] <= moved["total_ms"] and moved["stopped_ms"] > 0

    # The guest's clock stood while it was stopped, and its serial lines carried each byte once.
    (_, before), (since, after) = session.clocks
    assert before < after and since == move.stopped
    told = [event.text for event in session.story.events if "HYPERV_NIC_VF" in event.text]
    assert [text.rsplit("=", 1)[1] for text in told] == ["VF_UP", "VF_DOWN", "VF_UP"]
