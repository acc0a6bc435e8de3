# SPDX-License-Identifier: BSD-2-Clause
"""A VF whose driver refuses to set it up, and accepts it later. It is a macvlan whose MAC address
another one of the host's has: the kernel refuses it with EADDRINUSE as long as that one is up."""

import pytest
from conftest import RC_CONF

from harness import wait_until
from netvf_lab.topology import GUEST_MAC

MODES = {"lagg": "", "transparent": 'netvf_vf_transparent="YES"\n'}


@pytest.fixture
def twin(guest):
    """The other one; vf0 is in the guest."""
    run = guest.host.run
    run(["ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1"])
    run(["ip", "link", "set", "up1", "master", "switch0", "up"])
    run(["ip", "link", "set", "up0", "up"])
    for name in "twin", "vf0":
        run(["ip", "link", "add", "link", "up0", "name", name, "address", GUEST_MAC,
             "type", "macvlan", "mode", "private"])
    run(["ip", "link", "set", "twin", "up"])
    guest.host.netlink.link("set", index=guest.host.index("vf0"),
                            net_ns_fd=guest.namespace.net)
    return "twin"


@pytest.mark.parametrize("mode", MODES)
def test_a_vf_that_is_refused_is_used_when_it_becomes_possible(guest, start_netvfd, twin, mode):
    netvfd = start_netvfd(rcconf=RC_CONF + MODES[mode])
    wait_until(lambda: "Address already in use" in netvfd.log)
    netvfd.wait_active("hn")
    guest.host.run(["ip", "link", "set", twin, "down"])
    netvfd.wait_active("vf")
    told = [line for line in netvfd.log.splitlines() if "Address already in use" in line]
    assert len(told) == len(set(told)), "each program tells it once"
