# SPDX-License-Identifier: BSD-2-Clause
"""The VM lab's table and picture: every peer at every switch, medians, and what failed."""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lab"))

from netvf_lab.vm import report
from netvf_lab.vm.picture import draw


def switch(cycle, to, lost=0, gap=1.0, kind="acpi"):
    return {
        "cycle": cycle, "to": to, "kind": kind, "at_ms": 0.0,
        "first_packet_ms": {"to_guest": 1.0, "from_guest": 20.0},
        "lost": {"to_guest": lost, "from_guest": 2 * lost},
        "max_gap_ms": {"to_guest": gap, "from_guest": gap}, "max_tcp_stall_ms": gap + 1,
        "announcements": {"gratuitous_arp": 1, "unsolicited_na": 2, "group_reports": 3,
                          "first_ms": 0.4}}


def run(peer, way, switches, first=False, failure=None, back="same"):
    return {
        "options": {"peer": peer, "detach": way, "back": back, "vf": "e1000e", "pps": 1000},
        "first": first, "succeeded": failure is None, "failure": failure, "switches": switches,
        "sent": {"to_guest": 9, "from_guest": 9}, "lost": {"to_guest": 0, "from_guest": 0},
        "duplicated": {"to_guest": 0, "from_guest": 1},
        "max_gap_ms": {"to_guest": 3, "from_guest": 4},
        "tcp": {"max_stall_ms": 5}}


def document(runs):
    return {"command": "the command", "machine": "the machine", "load": [1, 1, 1], "qemu": "QEMU",
            "guest_kernel": "6", "runs": runs}


def rows(runs):
    """(block, peer) -> the row's words."""
    lines = report.table(document(runs))
    found, block = {}, None
    for line in lines[lines.index(next(line for line in lines if line.startswith("---"))) + 1:]:
        if not line:
            break
        if line.startswith("  "):
            peer, *words = line.split()
            found[block, peer] = words
        else:
            block = line
    return found


def both(peer, way, first, lost):
    return run(peer, way, [*([switch(0, "vf", 7)] if first else []),
                           switch(1, "hn", lost, 10 * lost), switch(1, "vf")], first)


def test_each_peer_has_a_row_at_each_switch():
    runs = [run("none", "acpi", [], True)]
    runs += [both("bond", way, way == "acpi", lost) for lost in (4, 6, 9)
             for way in ("acpi", "linkdown")]
    found = rows(runs)
    assert list(found) == [("hn alone", "none"), ("the first VF comes", "bond"),
                           ("ACPI unplug", "bond"), ("return after ACPI unplug", "bond"),
                           ("link down", "bond"), ("return after link down", "bond")]
    assert found["the first VF comes", "bond"][1] == "7/7"
    assert found["ACPI unplug", "bond"] == [
        "3", "6/9", "12/18", "60/90", "60/90", "61/91", "20/20", "1/2/3", "0/0"]
    assert found["hn alone", "none"][:6] == ["1", "0/0", "0/0", "3/3", "4/4", "5/5"]


def test_a_live_migration_has_a_row_of_its_own():
    def moves(*stopped):
        return [{"stopped_ms": ms, "gap_ms": {"to_guest": ms + 1, "from_guest": ms + 2}}
                for ms in stopped]

    alone = run("none", "live", [switch(1, "hn", 5, 90, "move")], True)
    bond = run("bond", "live", [switch(1, "hn", 4, 70), switch(1, "hn", 6, 90, "move"),
                                switch(1, "vf", 1)])
    found = rows([{**alone, "moves": moves(10)}, {**bond, "moves": moves(20, 30)}])
    assert list(found) == [("live migration", "bond"), ("the guest moves", "none"),
                           ("the guest moves", "bond"), ("return after live migration", "bond")]
    assert found["live migration", "bond"][1:4] == ["4/4", "8/8", "70/70"]
    assert found["the guest moves", "none"][1:5] == ["5/5", "10/10", "11/11", "12/12"]
    assert found["the guest moves", "bond"][1:5] == ["6/6", "12/12", "31/31", "32/32"]
    assert found["the guest moves", "bond"][6] == "30/30"


def test_what_no_switch_is_to_blame_for_is_told():
    quiet = both("bond", "acpi", False, 4)
    quiet["lost"] = {"to_guest": 4, "from_guest": 8}
    noisy = both("bond", "acpi", False, 4)
    noisy["lost"] = {"to_guest": 4, "from_guest": 11}
    alone = run("none", "acpi", [], True)
    alone["lost"] = {"to_guest": 5, "from_guest": 5}
    text = "\n".join(report.table(document([quiet, noisy, alone])))
    assert "came twice: 3; lost before any switch: 3" in text


def test_what_failed_is_shown():
    cut = run("netvf", "pcie", [switch(1, "hn")], failure="it never came back")
    runs = [both("netvf", "pcie", False, 0), cut]
    assert rows(runs)["PCIe unplug", "netvf"][0] == "2"
    assert rows(runs)["return after PCIe unplug", "netvf"][0] == "1/2"
    dead = {**run("bond", "pcie", [], failure="it did not boot")}
    del dead["sent"], dead["switches"]
    runs.append(dead)
    assert rows(runs)["PCIe unplug", "bond"] == ["0/1", "failed"]
    text = "\n".join(report.table(document(runs)))
    assert "netvf, PCIe unplug, back same: FAILED: it never came back" in text
    assert "bond, PCIe unplug, back same: FAILED: it did not boot" in text
    picture = draw(document(runs))
    assert picture.count(">failed<") == 4 and "1 failed" in picture


def test_the_picture_is_xml_and_shows_each_row():
    runs = [both("bond", "acpi", True, lost) for lost in (4, 6, 9)]
    picture = draw(document(runs))
    texts = [element.text for element in ElementTree.fromstring(picture).iter() if element.text]
    assert texts.count("bond") == 3
    assert "18, worst 27" in texts and "60 ms, worst 90 ms" in texts
