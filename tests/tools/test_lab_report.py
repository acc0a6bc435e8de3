# SPDX-License-Identifier: BSD-2-Clause
"""The lab's sums: where losses were last seen, when they happened, what a stall is."""

import pathlib
import sys
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lab"))

from netvf_lab import report
from netvf_lab.agents import FROM_GUEST, HN, TO_GUEST, VF, Observer
from netvf_lab.sriov import report as sriov
from netvf_lab.timeline import draw

MS = 1_000_000
START = 1_000 * MS  # when the story begins; the traffic begins 100 ms later
TRAFFIC = START + 100 * MS
SENT = 10_000  # numbers, one a millisecond: 10 s


def received(lost_runs=(), gaps=()):
    lost = sum(run[3] for run in lost_runs)
    return {
        "received": SENT - lost, "lost": lost, "duplicates": 0, "reordered": 0, "corrupt": 0,
        "overflow": 0, "longest_gap": max([gap[1] for gap in gaps], default=MS),
        "gaps": list(gaps), "lost_runs": list(lost_runs)}


def stream(**what):
    return {"sent": 500, "received": 500, "intact": True, "ended": True, "error": "",
            "retransmits": 1, "longest_stall": MS, "stalls": [], "longest_pause": 0, "pauses": [],
            **what}


def switch(cycle, to, at_ms, after_ms):
    at = START + at_ms * MS
    return SimpleNamespace(cycle=cycle, to=to, kind="unplug", at=at, dropped=0,
                           first=[at + 2 * MS, at + after_ms * MS])


def migration(lost_runs=(), gaps=(), pauses=(), streams=None, failure=None, command=None,
              announcements=()):
    sent = {"sent": SENT, "failed": 0, "start": TRAFFIC, "errors": {}, "longest_pause": 0,
            "pauses": list(pauses)}
    way = {"packets": [6000, 4000], "turns": 3, "buckets": [[10] * 600, [0] * 600 + [10] * 400],
           "carried": [[0, 6000, 1], [6000, 10, 0], [6010, 3990, 2]]}
    return SimpleNamespace(
        failure=failure, command=command,
        options=SimpleNamespace(rules="r", cycles=1, pps=1000, size=64, detach="unplug",
                                planned=False, kill=False, dwell=1,
                                command=["true"]),
        places=SimpleNamespace(version="1"),
        story=SimpleNamespace(start=START, events=[]),
        traffic=SimpleNamespace(interval=MS),
        switches=[switch(0, VF, 1000, 8), switch(1, HN, 3000, 4), switch(1, VF, 6100, 6)],
        results={
            "sent": [sent, sent], "received": [received(), received(lost_runs, gaps)],
            "streams": streams or [stream(), stream()],
            "observed": {"start": TRAFFIC, "bucket": 10 * MS, "missed": 0, "dirs": [way, way],
                         "announcements": list(announcements)}})


def values(**what):
    return report.Report(migration(**what)).values()


def test_a_run_without_fault():
    made = values()
    assert made["cycles"] == 1 and made["done"]
    assert made["lost"] == {"to_guest": 0, "from_guest": 0}
    assert made["sent"] == {"to_guest": SENT, "from_guest": SENT}
    assert made["path_packets"] == {"hn": 12000, "vf": 8000}
    assert made["attach_to_first_vf_packet_ms"] == {"median": 7.0, "max": 8.0}
    assert made["detach_to_first_hn_packet_ms"] == {"median": 4.0, "max": 4.0}
    assert made["tcp"]["survived"] and made["tcp"]["max_stall_ms"] == 1.0
    assert report.Report(migration()).succeeded()


@pytest.mark.parametrize("end", [
    {"error": "Connection reset by peer"}, {"intact": False}, {"ended": False}, {"received": 499}])
def test_tcp_survives_only_if_both_sides_read_all_of_it_unharmed(end):
    for streams in ([stream(**end), stream()], [stream(), stream(**end)]):
        run = migration(streams=streams)
        assert not report.Report(run).values()["tcp"]["survived"]
        assert not report.Report(run).succeeded()


def test_a_failure_or_a_failed_command_is_no_success():
    assert not report.Report(migration(failure="nothing came")).succeeded()
    assert not report.Report(migration(command=SimpleNamespace(returncode=3))).succeeded()
    assert report.Report(migration(command=SimpleNamespace(returncode=0))).succeeded()


def test_losses_belong_to_the_switch_before_them():
    made = values(lost_runs=[[0, 0, 2901, 3], [0, 0, 6005, 15]])
    assert [s["lost"]["from_guest"] for s in made["switches"]] == [0, 3, 15]
    assert made["losses"]["from_guest"] == [
        {"at_ms": 3001.0, "count": 3, "last_seen": {"hn": 3}},
        {"at_ms": 6105.0, "count": 15, "last_seen": {"nowhere": 5, "vf": 10}}]


def test_a_loss_over_a_switch_is_parted_there():
    made = values(lost_runs=[[0, 0, 2890, 100]])
    assert [s["lost"]["from_guest"] for s in made["switches"]] == [9, 91, 0]
    assert [(one["at_ms"], one["count"]) for one in made["losses"]["from_guest"]] == [
        (2990.0, 9), (2999.0, 91)]


def test_each_loss_of_a_virtual_function_is_told_with_its_time_and_place():
    made = values(lost_runs=[[0, 0, 2901, 3], [0, 0, 6005, 15]])
    made["options"]["name"] = "netvf"
    for one in made["switches"]:
        one["kind"] = "numvfs"
    assert sriov.losses([made]) == [
        "netvf, sriov_numvfs 0, round 1, to hn: 3 from guest sent after 1 ms, last seen hn 3",
        "netvf, sriov_numvfs 0, round 1, to vf: 15 from guest sent after 5 ms,"
        " last seen nowhere 5, vf 10"]


def test_a_datagram_that_a_pause_delayed_was_sent_after_the_pause():
    pause = [TRAFFIC + 2880 * MS, 40 * MS, 2880, 0]
    made = values(lost_runs=[[0, 0, 2890, 3]], pauses=[pause])
    assert [(one["at_ms"], one["count"]) for one in made["losses"]["from_guest"]] == [(3020.0, 3)]
    assert [s["lost"]["from_guest"] for s in made["switches"]] == [0, 3, 0]


def test_gaps_and_announcements_belong_to_the_switch_before_them():
    gaps = [[START + 2999 * MS, 7 * MS, 0, 0], [START + 6200 * MS, 9 * MS, 0, 0]]
    heard = [[START + 900 * MS, 0, 0], [START + 3010 * MS, 0, 0], [START + 3006 * MS, 2, 0],
             [START + 3011 * MS, 0, 1], [START + 11105 * MS, 1, 1], [START + 11107 * MS, 1, 1]]
    made = values(gaps=gaps, announcements=heard)
    assert [s["max_gap_ms"]["from_guest"] for s in made["switches"]] == [7.0, 7.0, 9.0]
    none = {"gratuitous_arp": 0, "unsolicited_na": 0, "group_reports": 0, "first_ms": None}
    assert [s["announcements"] for s in made["switches"]] == [
        none, {**none, "gratuitous_arp": 1, "group_reports": 1, "first_ms": 2.0},
        {**none, "unsolicited_na": 1, "first_ms": 4999.0}]


def test_where_the_lost_were_last_seen():
    made = values(lost_runs=[[0, 0, 10, 2], [0, 0, 5998, 20], [0, 0, 9999, 5]])
    assert made["lost_last_seen"] == {
        "to_guest": {}, "from_guest": {"nowhere": 14, "hn": 4, "vf": 9}}


def test_what_was_lost_is_told_by_how_the_vf_went():
    run = migration(lost_runs=[[0, 0, 2905, 3], [0, 0, 6600, 5]])
    run.switches += [switch(2, HN, 6500, 4), switch(2, VF, 7000, 4)]
    for one in run.switches[3:]:
        one.kind = "linkdown"
    run.switches[3].dropped = 4
    made = report.Report(run).values()
    assert made["dropped_by_host"] == 4
    assert [s["dropped_by_host"] for s in made["switches"]] == [0, 0, 0, 4, 0]
    rows = [line.split() for line in report.table(made)]
    assert "lost from unplug to the return 0 3".split() in rows
    assert "lost from linkdown to the return 0 5".split() in rows
    assert "frames that the host dropped 4".split() in rows


def test_what_the_sender_paused_is_no_stall():
    stalled = stream(stalls=[[START, 90 * MS, 0, 0]], longest_stall=90 * MS)
    paused = stream(pauses=[[START + 10 * MS, 70 * MS, 0, 0]])
    assert values(streams=[stalled, stream()])["tcp"]["max_stall_ms"] == 90.0
    assert values(streams=[stalled, paused])["tcp"]["max_stall_ms"] == 20.0


def test_the_table_and_the_timeline_show_it():
    run = migration(lost_runs=[[0, 0, 6000, 10]], gaps=[[TRAFFIC + 5999 * MS, 11 * MS, 6000, 10]])
    made = report.Report(run)
    table = "\n".join(report.table(made.values()))
    assert "survived" in table and "0.1000 %" in table and "11.0 ms" in table
    picture = draw(made)
    assert picture.count("detach 1") == 1 and ">11.0 ms<" in picture and "10 lost" in picture
    assert picture.count("<path") == 2 * 2 + len(run.switches)


def test_a_path_that_was_left_before_the_vf_goes_counts_at_once():
    observer = Observer.__new__(Observer)
    observer.turns = ([(10, HN), (20, VF), (30, HN)], [(10, HN), (20, VF), (50, HN)])
    assert observer.first(TO_GUEST, HN, 40) == 40
    assert observer.first(FROM_GUEST, HN, 40) == 50
    assert observer.first(TO_GUEST, VF, 40) is None
    assert observer.first(TO_GUEST, VF, 15) == 20
    assert observer.first(TO_GUEST, HN, 5) == 10
