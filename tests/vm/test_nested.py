# SPDX-License-Identifier: BSD-2-Clause
"""A guest whose host gives it a real virtual function by vfio-pci, and takes it again."""

import pytest
from setting import long

from netvf_lab.agents import FROM_GUEST, TO_GUEST
from netvf_lab.sriov import nested
from netvf_lab.vm.peers import Netvf

ARCHIVE = "/run/initramfs-nested"
PPS, SIZE = 50, 256
DWELL = 3  # seconds on each path


@long
@pytest.mark.timeout(3600)
def test_a_vf_that_the_host_plugs_in_and_takes_loses_nothing(debian, newest_places):
    kernel, busybox, _ = debian
    nested.build(ARCHIVE, newest_places, kernel, kernel, busybox)
    with nested.NestedSession(Netvf(), newest_places, kernel, ARCHIVE) as session:
        session.boot()
        results = nested.run(session, 1, PPS, SIZE, DWELL)
    for direction in (TO_GUEST, FROM_GUEST):
        assert results.by_vf[direction] > PPS * DWELL / 2
        assert results.received[direction]["lost_runs"] == [], list(nested.table(results))
        assert results.received[direction]["duplicates"] == 0
