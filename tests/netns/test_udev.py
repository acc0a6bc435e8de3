# SPDX-License-Identifier: BSD-2-Clause
"""netvf_udev: what the managers of networks are to keep off."""

import pytest

from harness import BUILD
from programs import Programs

LEFT_ALONE = "NM_UNMANAGED=1\nID_NET_MANAGED_BY=netvf\n"


@pytest.fixture
def programs(guest, tmp_path):
    guest.attach_vf()
    return Programs(guest, tmp_path)


def properties(guest, programs, *words):
    done = guest.run(BUILD / "src/libexec/netvf_udev", *words, env=programs.environment)
    assert done.stderr == ""
    return done.stdout


def test_vf_and_lagg_are_left_alone_and_nothing_else(guest, programs):
    found = {name: properties(guest, programs, name)
             for name in ("vf0", "lagg0", "hn0", "lo", "lagg1", "none")}
    assert found == {
        "vf0": LEFT_ALONE, "lagg0": LEFT_ALONE, "hn0": "", "lo": "", "lagg1": "", "none": ""}


def test_two_vfs_of_one_hn_are_nobodys(guest, programs):
    programs.rcconf.write_text('netvf_pairs="hn0:vf0 hn0:vf1"\n')
    guest.topology.attach("vf1")
    assert properties(guest, programs, "vf1") == ""


def test_a_vf_does_not_take_a_name_that_is_taken(guest, programs):
    """As a rule that goes by the MAC address would give it."""
    keeps = "NETVF_KEEPS_NAME=1\n"
    found = {name: properties(guest, programs, "vf0", name) for name in ("hn0", "vf0", "free0")}
    assert found == {"hn0": LEFT_ALONE + keeps, "vf0": LEFT_ALONE, "free0": LEFT_ALONE}
    assert properties(guest, programs, "hn0", "vf0") == ""
