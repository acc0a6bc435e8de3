# SPDX-License-Identifier: BSD-2-Clause
"""A VF that does not come back as it went: under another name, as another card, or never."""

import json
import time

import pytest
from setting import ARCHIVE, PLACES, long

from netvf_lab.agents import HN
from netvf_lab.report import Report
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.run import VmOptions, VmRun
from netvf_lab.vm.session import Session


def pair(guest):
    (found,) = json.loads(guest.run("netvf status --json"))["pairs"]
    return found


class Watched(Netvf):
    """Keeps what netvf says of each VF."""

    def __init__(self):
        self.seen = []

    def settle(self, guest):
        super().settle(guest)
        self.seen.append(pair(guest))


def scenario(session, back):
    """Runs it; returns it, and what was seen of the VF before and after."""
    session.peer.seen.clear()
    options = VmOptions(rules=PLACES.rules, cycles=1, pps=500, back=back, detach="acpi", dwell=0.2)
    run = VmRun(options, session)
    run.run()
    assert run.failure is None, run.failure
    values = Report(run).values()
    assert values["tcp"]["survived"]
    # The guest's first datagram on each path was awaited at each switch.
    assert all(switch["first_packet_ms"]["from_guest"] for switch in values["switches"])
    return run, session.peer.seen


@long
@pytest.mark.timeout(300)
def test_a_vf_returns_under_another_name_as_another_card_and_never(kernel):
    with Session(Watched(), PLACES, kernel, ARCHIVE) as session:
        run, seen = scenario(session, "name")
        assert [one["vf_port"]["name"] for one in seen] == ["eth0", "eth1"]
        assert [one["vf_port"]["driver"] for one in seen] == ["e1000e", "e1000e"]
        run.clear()

        run, seen = scenario(session, "driver")
        assert [one["vf_port"]["driver"] for one in seen] == ["e1000e", "e1000"]
        assert all(one["form"] == "lagg" and one["active"] == "vf" for one in seen)
        run.clear()

        run, seen = scenario(session, "never")
        went = run.switches[-1]
        assert went.to == HN
        left = pair(session.guest)
        assert (left["form"], left["active"], left["vf_port"]) == ("lagg", "hn", None)
        assert left["last_vf"] == seen[-1]["vf_port"]["name"]
        # Since when: it left after it was told to go, and the time goes on.
        assert 0 < left["seconds"] < (time.monotonic_ns() - went.at) / 1e9
        assert pair(session.guest)["seconds"] > left["seconds"]
        text = session.guest.run("netvf status")
        assert "hn0: lagg, upper lagg0, on hn0 for " in text
        assert f"vf {left['last_vf']}" in text and "gone" in text
