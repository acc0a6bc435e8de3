# SPDX-License-Identifier: BSD-2-Clause
"""Pairs that the kernel, or an administrator, couples: netvfd looks on and touches nothing."""

import json

import pytest
from setting import ARCHIVE, PLACES, long

from netvf_lab.vm.peers import Bond, NetFailover
from netvf_lab.vm.qemu import SLOTS
from netvf_lab.vm.session import Session

CARD = "e1000e"
VOLATILE = {"ifindex", "link_index", "valid_life_time", "preferred_life_time", "tentative",
            "dadfailed"}
LOOK = (
    "ip -d -j link; ip -j address;"
    " for l in $(ls /sys/class/net); do for hook in ingress egress; do"
    " tc filter show dev $l $hook; done; tc qdisc show dev $l; done"
)


def steady(value):
    """Without what is new with each card, or changes with time."""
    if isinstance(value, dict):
        return {key: steady(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [steady(item) for item in value]
    return value


def look(guest):
    """All links, addresses, filters and queueing disciplines, as lines."""
    links, addresses, rest = guest.run(LOOK).split("\n", 2)
    found = [steady(link) for link in json.loads(links) + json.loads(addresses)]
    return sorted(
        [f"{link['ifname']} {json.dumps(link, sort_keys=True)}" for link in found]
        + rest.splitlines()
    )


def settled(session):
    """What the guest looks like when the kernel has done all that it does by itself."""
    seen = [None, None]

    def quiet():
        seen[:] = [seen[1], look(session.guest)]
        return seen[0] == seen[1]

    session.loop.wait(quiet, 30, "the guest's interfaces are at rest")
    return seen[1]


def plug(session, joined):
    session.plug(CARD, SLOTS["acpi"][0])
    session.await_link()
    session.guest.run(f"until {joined}; do usleep 20000; done")


def unplug(session):
    session.host.point_to_hn()
    session.qemu.unplug()
    session.qemu.await_unplugged()


def await_quiet(guest):
    """What netvfd ran has ended; what it was told before, it has handled. Returns its status."""
    guest.run("while pidof hyperv_vfattach hyperv_vfup >/dev/null; do usleep 20000; done")
    return guest.run("netvf status")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("peer, joined, observed", [
    pytest.param(
        NetFailover, "ip -o link show master hn0 | grep -q ' eth0: .*state UP'",
        "hn0: observed: hn0 and eth1 have the same MAC address and a master", marks=long),
    (Bond, "grep -q 'Active Slave: eth0' /proc/net/bonding/bond0",
     "hn0: observed: "),
], ids=["net_failover", "bond"])
def test_a_coupled_pair_is_observed_and_left_as_it_is(kernel, peer, joined, observed):
    with Session(peer(), PLACES, kernel, ARCHIVE) as session:
        session.boot()
        guest = session.guest
        # Without netvfd first: nothing but the kernel has been at work.
        plug(session, joined)
        unplug(session)
        alone = settled(session)
        plug(session, joined)
        coupled = settled(session)

        guest.run("netvfd -d </dev/null >/run/netvfd.log 2>&1 &")
        guest.run("until netvf status >/dev/null 2>&1; do pidof netvfd >/dev/null || break; done")
        assert observed in await_quiet(guest)
        assert settled(session) == coupled

        unplug(session)
        assert settled(session) == alone
        assert observed in await_quiet(guest)

        plug(session, joined)
        assert observed in await_quiet(guest)
        assert settled(session) == coupled

        guest.run("kill $(pidof netvfd); while pidof netvfd >/dev/null; do usleep 20000; done")
        assert settled(session) == coupled
