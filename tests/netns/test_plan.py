# SPDX-License-Identifier: BSD-2-Clause
"""A plan is shown before it is carried out, and rc.conf decides what is in it."""

import contextlib
import json

from harness import BUILD
from moves import ask, assert_same, furnish, ip, whole_state
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS
from programs import Connection


def test_a_plan_is_shown_and_nothing_done(programs, guest):
    furnish(guest)
    programs.write_rcconf('static_routes="a"\nroute_a="-net 198.51.104.0/24 10.77.0.1"\n'
                          f'ifconfig_hn0="inet {GUEST_ADDRESS}/24"\n')
    before = whole_state(guest, "hn0")
    done = guest.run(BUILD / "src/netvf/netvf", "plan", "--json", "hn0", env=programs.environment)
    steps = [(step["do"], step["interface"], step["what"]) for step in json.loads(done.stdout)]
    assert_same(whole_state(guest, "hn0"), before)
    assert guest.link("lagg0") is None and not programs.run_dir.exists()
    verbs = [verb for verb, _, _ in steps]
    switch = verbs.index("switch")
    assert "remove" not in verbs[:switch] and "replace" not in verbs[switch:]
    assert ("leave", "hn0", "address 10.77.0.9/24") in steps
    for expected in ("address 10.77.0.2/24 of rc.conf", "route to 198.51.104.0/24 via 10.77.0.1",
                     "route to 198.51.101.0/24 via 10.77.0.1, metric 7, table 100",
                     "rule 100, table 100", "neighbour 10.77.0.70", "proxy for 2001:db8::74"):
        assert any(step[:2] == ("add", "lagg0") and expected in step[2]
                   for step in steps[:switch]), expected
    assert ("replace", "lagg0", "next hop 7") in steps[:switch]
    assert ("replace", "lagg0", "route to 2001:db8:8::/48 with 2 next hops, metric 1024") in \
        steps[:switch]
    assert ("add", "lagg0", "route to 198.51.108.0/24 with 2 next hops") in steps[:switch]
    assert ("remove", "hn0", "route to 198.51.108.0/24 with 2 next hops") in steps[switch:]
    assert ("remove", "hn0", "rule 100, table 100") in steps[switch:]
    text = guest.run(BUILD / "src/netvf/netvf", "plan", "hn0", env=programs.environment).stdout
    assert [line.split()[0] for line in text.splitlines()] == verbs
    programs.run("hyperv_vfup", "hn0")
    assert guest.addresses("lagg0") >= {f"{GUEST_ADDRESS}/24"}


def test_rcconf_alone_decides_where_nothing_is_inherited(programs, guest):
    furnish(guest)
    before = whole_state(guest, "hn0")
    programs.write_rcconf(f"""
netvf_inherit="NO"
ifconfig_hn0="inet {GUEST_ADDRESS}/24"
defaultrouter="{HOST_ADDRESS}"
""")
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp:
        said = programs.run("hyperv_vfup", "hn0")
        assert "the address 2001:db8::2/64 of hn0 does not move" in said
        assert guest.addresses("lagg0") == {f"{GUEST_ADDRESS}/24"}
        # From iproute2 6.15 on, those with several next hops are shown, too.
        assert {route["dst"] for route in ask(guest, "-4", "route", "show", "dev", "lagg0")
                if not {"nhid", "nexthops"} & route.keys()} == {"default", "10.77.0.0/24"}
        assert "hn0" not in ip(guest, "rule", "show") and guest.addresses("hn0") == set()
        programs.run("hyperv_vfup", "-r", "hn0")
        assert tcp.works()
    assert_same(whole_state(guest, "hn0"), before)
