# SPDX-License-Identifier: BSD-2-Clause
"""netvf-lab migrate as a person runs it: the whole job, with the rules unchanged."""

import json
import os
import subprocess

import pytest
from harness import BUILD, TOP

SEED = TOP.parent / "shared/seed/hyperv.conf"


def migrate(tmp_path, *options, timeout=100):
    done = subprocess.run(
        [BUILD / "lab/netvf-lab", "migrate", "--dwell", "600", "--json", tmp_path / "report.json",
         "--svg", tmp_path / "timeline.svg", *options],
        capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((tmp_path / "report.json").read_text())


@pytest.mark.parametrize("rules", [TOP / "etc/devd/hyperv.conf", SEED], ids=["ours", "seed"])
def test_traffic_survives_each_way_in_which_a_vf_goes(tmp_path, rules):
    if not rules.exists():
        pytest.skip("the seed's rules file is not beside this checkout")
    report = migrate(tmp_path, "--detach", "mixed", "--cycles", "3", "--rules", rules)
    assert report["cycles"] == 3 and report["tcp"]["survived"]
    assert report["duplicated"] == {"to_guest": 0, "from_guest": 0}
    assert report["path_packets"]["hn"] > 1000 and report["path_packets"]["vf"] > 1000
    events = [event["what"] for event in report["events"]]
    assert sum("type=VF_UP" in event for event in events) >= 3
    assert "</svg>" in (tmp_path / "timeline.svg").read_text()


def test_planned_migrations_lose_nothing(tmp_path):
    report = migrate(tmp_path, "--detach", "mixed", "--cycles", "3", "--planned")
    for way in ("to_guest", "from_guest"):
        assert report["lost"][way] == report["lab"]["socket_overflow"][way]
        assert report["duplicated"][way] == 0
    assert report["tcp"]["survived"]


@pytest.mark.timeout(620)
def test_deaths_of_netvfd_cost_nothing(tmp_path):
    """With NETVF_LONG set, 200 migrations under hundreds of deaths."""
    cycles = 200 if os.environ.get("NETVF_LONG") else 6
    report = migrate(tmp_path, "--detach", "mixed", "--cycles", str(cycles), "--kill",
                     "--dwell", "150", timeout=600)
    assert report["cycles"] == cycles and report["kills"] >= cycles
    assert report["tcp"]["survived"]
    for switch in report["switches"]:
        # A cut link drops what the guest cannot know of yet.
        if switch["kind"] != "linkdown":
            assert switch["lost"] == {"to_guest": 0, "from_guest": 0}, switch


def test_a_command_runs_in_the_guest_meanwhile(tmp_path):
    report = migrate(tmp_path, "--cycles", "1", "--rcconf", 'netvf_vf_xpnt_attwait="7"', "--",
                     "sh", "-c", f"netvf sysctl > {tmp_path}/sysctl")
    assert report["tcp"]["survived"]
    assert "hw.hn.vf_xpnt_attwait: 7\n" in (tmp_path / "sysctl").read_text()
