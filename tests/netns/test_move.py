# SPDX-License-Identifier: BSD-2-Clause
"""All that hangs on hn0 moves to lagg0 with the traffic."""

import contextlib
import json
import re

from moves import (
    OWN_SYSCTLS, ROUTES, all_routes, ask, assert_same, ip, lines, other_interface, settle,
    whole_state)
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS
from programs import Connection


def test_routes_move_whole(programs, guest):
    other_interface(guest)
    settle(guest)
    for route in ROUTES:
        ip(guest, *(["-6"] if "2001:" in route.split()[0] else []), "route", "add", *route.split())
    before = all_routes(guest)
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp:
        programs.run("hyperv_vfup", "hn0")
        assert tcp.works()

    # Groups of the interfaces themselves aside; hn0 keeps those, being up.
    def without_groups(lists):
        return [[line for line in lines if not re.search(r"ff00::/8|fe80::", line)]
                for lines in lists]

    assert without_groups(all_routes(guest)) == without_groups(before)
    # Not by `dev hn0`: for that iproute2 6.15 also lists multipath routes of other interfaces.
    left = [route for family in ("-4", "-6")
            for route in ask(guest, family, "route", "show", "table", "all")
            if "hn0" in {hop.get("dev") for hop in (route, *route.get("nexthops", ()))}]
    assert [route for route in left if route["dst"] != "ff00::/8"] == []


def test_routes_to_the_network_of_an_address_stay(programs, guest):
    """The first of them goes when the kernel changes an address that is for ever: anybody's."""
    settle(guest)
    for words in ("addr add 2001:db8::3/64 metric 99 dev hn0 nodad",
                  "-6 route add 2001:db8::/64 dev hn0 metric 50 mtu 1400",
                  "-6 route add 2001:db8::/64 via 2001:db8::1 dev hn0 metric 40"):
        ip(guest, *words.split())
    before = whole_state(guest, "hn0")
    assert sum("2001:db8::/64" in line for line in before["routes6"]) == 4
    programs.run("hyperv_vfup", "hn0")
    moved = whole_state(guest, "lagg0")
    assert [line for line in moved["routes6"] if "2001:db8::/64" in line] == [
        line for line in before["routes6"] if "2001:db8::/64" in line]
    programs.run("hyperv_vfup", "-r", "hn0")
    assert_same(whole_state(guest, "hn0"), before)


def test_routes_of_one_destination_keep_their_order(programs, guest):
    settle(guest)
    ip(guest, "addr", "add", "10.77.0.3/24", "dev", "hn0")
    for source in ("10.77.0.3", "10.77.0.2"):
        ip(guest, "route", "append", "198.51.100.0/24", "via", HOST_ADDRESS, "src", source)
    programs.run("hyperv_vfup", "hn0")
    found = ask(guest, "route", "show", "198.51.100.0/24")
    assert [route["prefsrc"] for route in found] == ["10.77.0.3", "10.77.0.2"]
    assert {route["dev"] for route in found} == {"lagg0"}


def test_several_next_hops_do_not_take_the_place_of_one(programs, guest):
    """Routes to the same place, of which the kernel replaces the first."""
    other_interface(guest)
    settle(guest)
    for words in (f"add default via {HOST_ADDRESS} dev hn0 table 7",
                  f"append default table 7 nexthop via {HOST_ADDRESS} dev hn0 weight 6 "
                  "nexthop via 10.99.0.1 dev eth9",
                  f"append default via {HOST_ADDRESS} dev hn0 mtu 1400 table 7"):
        ip(guest, "route", *words.split())
    before = ip(guest, "route", "show", "table", "7")
    for words, name in (["hn0"], "lagg0"), (["-r", "hn0"], "hn0"):
        programs.run("hyperv_vfup", *words)
        assert ip(guest, "route", "show", "table", "7").replace(name, "hn0") == before


def test_networks_move_as_they_are(programs, guest):
    """One that was copied to another table is there again, one that was removed is not."""
    settle(guest)
    ip(guest, "addr", "add", "10.78.0.2/24", "dev", "hn0")
    ip(guest, "addr", "add", "2001:db8:78::2/64", "dev", "hn0", "nodad")
    ip(guest, "route", "add", "10.77.0.0/24", "dev", "hn0", "proto", "kernel", "scope", "link",
       "src", GUEST_ADDRESS, "table", "100")
    ip(guest, "route", "del", "10.78.0.0/24", "dev", "hn0")
    ip(guest, "-6", "route", "del", "2001:db8:78::/64", "dev", "hn0")
    before = all_routes(guest)
    assert "meanwhile" not in programs.run("hyperv_vfup", "hn0")
    of_both = re.compile(r"ff00::/8|fe80::")
    for after, earlier in zip(all_routes(guest), before):
        assert [line for line in after if not of_both.search(line)] == [
            line for line in earlier if not of_both.search(line)]
    programs.run("hyperv_vfup", "-r", "hn0")
    assert all_routes(guest) == before


def test_a_neighbour_that_was_set_takes_the_place_of_a_learnt_one(programs, guest):
    settle(guest)
    programs.run("hyperv_vfup", "hn0")
    ip(guest, "neigh", "replace", "10.77.0.70", "lladdr", "02:00:00:00:00:71", "nud", "stale",
       "dev", "lagg0")
    ip(guest, "neigh", "add", "10.77.0.70", "lladdr", "02:00:00:00:00:70", "nud", "permanent",
       "dev", "hn0")
    ip(guest, "addr", "add", "10.77.0.9/24", "dev", "hn0")
    programs.run("hyperv_vfup", "hn0")
    known, = ask(guest, "neigh", "show", "10.77.0.70")
    assert (known["dev"], known["lladdr"], known["state"]) == (
        "lagg0", "02:00:00:00:00:70", ["PERMANENT"])


def test_rules_move(programs, guest):
    rules = ["iif hn0 lookup 100 pref 100", "oif hn0 fwmark 7/0xff lookup 101 pref 101",
             "not iif hn0 from 10.1.0.0/16 tos 0x10 lookup 102 pref 102",
             "iif hn0 uidrange 5-10 ipproto 6 dport 80-90 lookup 103 pref 103",
             "iif hn0 suppress_prefixlength 0 lookup 104 pref 104", "iif hn0 prohibit pref 105",
             "iif hn0 oif lo lookup 4000000 pref 106"]
    for family in ("-4", "-6"):
        for rule in rules:
            if family == "-4" or "10.1" not in rule:
                ip(guest, family, "rule", "add", *rule.split())
    ip(guest, "rule", "add", "iif", "eth7", "lookup", "100", "pref", "90")
    before = [ask(guest, family, "rule", "show") for family in ("-4", "-6")]
    programs.run("hyperv_vfup", "hn0")
    after = [ask(guest, family, "rule", "show") for family in ("-4", "-6")]
    assert json.loads(json.dumps(after).replace("lagg0", "hn0")) == before
    assert "hn0" not in ip(guest, "rule", "show") + ip(guest, "-6", "rule", "show")


def test_neighbours_and_proxies_move(programs, guest):
    settle(guest)
    for words in ("10.77.0.70 lladdr 02:00:00:00:00:70 nud permanent",
                  "2001:db8::70 lladdr 02:00:00:00:00:70 nud permanent router",
                  "10.77.0.71 lladdr 02:00:00:00:00:71 nud noarp",
                  "10.77.0.72 lladdr 02:00:00:00:00:72 nud stale",
                  "10.77.0.73 lladdr 02:00:00:00:00:73 nud permanent extern_learn",
                  "proxy 10.77.0.74", "proxy 2001:db8::74"):
        ip(guest, "neigh", "add", *words.split(), "dev", "hn0")

    def known(name):
        own = {line for line in lines(guest, "neigh", "show", "nud", "all", "dev", name)
               if re.match(r"(10\.77\.0|2001:db8::)7|(10\.77\.0\.|2001:db8::)7", line)}
        return own | set(lines(guest, "neigh", "show", "proxy", "dev", name))

    before = known("hn0")
    assert len(before) == 7
    programs.run("hyperv_vfup", "hn0")
    assert known("lagg0") == before
    assert {line for line in known("hn0") if "STALE" not in line} == set()


def test_next_hops_by_id_move_with_their_routes(programs, guest):
    settle(guest)
    ip(guest, "nexthop", "add", "id", "7", "via", HOST_ADDRESS, "dev", "hn0")
    ip(guest, "nexthop", "add", "id", "8", "via", "2001:db8::1", "dev", "hn0")
    ip(guest, "nexthop", "add", "id", "9", "group", "7")
    ip(guest, "route", "add", "198.51.100.0/24", "nhid", "7")
    ip(guest, "route", "add", "198.51.101.0/24", "nhid", "9")
    ip(guest, "-6", "route", "add", "2001:db8:5::/48", "nhid", "8")

    def all_of_it():
        return [lines(guest, "nexthop", "show"),
                lines(guest, "route", "show", "root", "198.51.0.0/16"),
                lines(guest, "-6", "route", "show", "2001:db8:5::/48")]

    before = all_of_it()
    programs.run("hyperv_vfup", "hn0")
    assert all_of_it() == before
    assert "hn0" not in ip(guest, "nexthop", "show")


def sysctls(guest, name):
    """All that is set for an interface, by its place."""
    done = guest.run("sh", "-c", f"cd /proc/sys/net; grep -s . ipv[46]/*/{name}/*", check=False)
    values = dict(line.split(":", 1) for line in done.stdout.replace(name, "hn0").splitlines())
    return {place: value for place, value in values.items()
            if place.rsplit("/", 1)[1] not in OWN_SYSCTLS}


def test_every_setting_moves(programs, guest):
    """Each is set to something else first, one up or one down, where the kernel lets it."""
    settle(guest)
    for place, value in sysctls(guest, "hn0").items():
        if place.rsplit("/", 1)[1] in ("disable_ipv6", "mtu", "forwarding", "rp_filter"):
            continue
        for other in (int(value) + 1, int(value) - 1):
            path = f"/proc/sys/net/{place}"
            if not guest.run("sh", "-c", f"echo {other} > {path}", check=False).returncode:
                break
    guest.namespace.sysctl("ipv6/conf/hn0/mtu", 1400)
    guest.namespace.sysctl("ipv4/conf/hn0/rp_filter", 1)
    guest.namespace.sysctl("ipv4/conf/hn0/forwarding", 1)
    before = sysctls(guest, "hn0")
    changed = {place for place, value in sysctls(guest, "vf0").items() if before[place] != value}
    assert len(changed) > 60
    programs.run("hyperv_vfup", "hn0")
    assert sysctls(guest, "lagg0") == before


def test_attributes_of_the_link_move(programs, guest):
    guest.namespace.sysctl("ipv6/conf/hn0/accept_ra", 2)
    ip(guest, "link", "set", "hn0", "txqueuelen", "321", "group", "7", "alias", "the way out")
    ip(guest, "token", "set", "::1234:5678:9abc:1", "dev", "hn0")
    programs.run("hyperv_vfup", "hn0")
    link = ask(guest, "link", "show", "lagg0")[0]
    assert (link["txqlen"], link["group"], link["ifalias"]) == (321, "7", "the way out")
    assert "token ::1234:5678:9abc:1 dev lagg0" in ip(guest, "token", "show")


def test_addresses_move_with_all_that_is_said_of_them(programs, guest):
    for words in ("10.77.0.9/24 label hn0:9 metric 50", "10.77.0.10 peer 10.78.0.1/32 scope link",
                  "10.77.0.10 peer 10.78.0.2/32 scope link", "10.80.0.4/24", "10.80.0.4/23",
                  "10.79.0.1/24 broadcast 10.79.0.254 noprefixroute valid_lft 900 preferred_lft 0",
                  "2001:db8::3/64 nodad", "2001:db8::4/64 noprefixroute home",
                  "2001:db8:1::5/128 preferred_lft 0", "2001:db8:1::6/64 metric 99"):
        ip(guest, "addr", "add", *words.split(), "dev", "hn0")
    settle(guest)

    def shown(name):
        found = ask(guest, "addr", "show", "dev", name)[0]["addr_info"]
        for address in found:
            for key in ("valid_life_time", "preferred_life_time"):
                address[key] = (address[key] + 30) // 60
        # In the kernel's order where that tells the primary address; else in any.
        found.sort(key=lambda address: (address["family"], address["family"] == "inet6"
                                        and address["local"]))
        return json.loads(json.dumps(found).replace("lagg0", "hn0"))

    before = shown("hn0")
    assert len(before) == 13
    programs.run("hyperv_vfup", "hn0")
    assert shown("lagg0") == before
    assert ask(guest, "addr", "show", "dev", "hn0")[0]["addr_info"] == []
    programs.run("hyperv_vfup", "-r", "hn0")
    assert shown("hn0") == before


def test_what_cannot_move_takes_all_back(programs, guest):
    """A route that was possible once, and is not any more: hn0 stays as it was."""
    other_interface(guest)
    settle(guest)
    ip(guest, "rule", "add", "iif", "hn0", "lookup", "100", "pref", "100")
    ip(guest, "nexthop", "add", "id", "7", "via", HOST_ADDRESS, "dev", "hn0")
    for route in (*ROUTES, "203.0.113.0/24 nhid 7"):
        ip(guest, *(["-6"] if "2001:" in route.split()[0] else []), "route", "add", *route.split())
    ip(guest, "route", "add", "192.0.2.77", "dev", "hn0")
    ip(guest, "route", "add", "203.0.113.77", "via", "192.0.2.77", "dev", "hn0")
    ip(guest, "route", "del", "192.0.2.77", "dev", "hn0")
    before = [*all_routes(guest), ask(guest, "rule"), lines(guest, "nexthop", "show"),
              lines(guest, "addr", "show", "dev", "hn0")]
    with contextlib.closing(Connection(guest, GUEST_ADDRESS, HOST_ADDRESS)) as tcp:
        said = programs.run("hyperv_vfup", "hn0", status=1)
        assert tcp.works()
    assert "cannot move the route to 203.0.113.77/32 via 192.0.2.77" in said
    assert "hn0 is as it was before" in said
    assert [*all_routes(guest), ask(guest, "rule"), lines(guest, "nexthop", "show"),
            lines(guest, "addr", "show", "dev", "hn0")] == before
    assert guest.link("lagg0") is None
