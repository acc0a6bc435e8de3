# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of moves have in common: a guest's configuration, and looks at it."""

import difflib
import json
import re
import signal
import subprocess
import time

from harness import BUILD, DEADLINE, wait_until
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS


def ip(guest, *words):
    done = guest.run("ip", *words, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
    return done.stdout


def ask(guest, *words):
    return json.loads(ip(guest, "-d", "-j", *words) or "[]")


def lines(guest, *words):
    """What ip shows, line by line, hn0 and lagg0 being one, without ages."""
    text = ip(guest, "-d", *words).replace("lagg0", "hn0")
    text = re.sub(r" (expires|used|ref|probes) \S+", "", text)
    return sorted(re.sub(r"\s+", " ", line).strip() for line in text.splitlines())


def other_interface(guest):
    """One that has nothing to do with the pair."""
    ip(guest, "link", "add", "eth9", "type", "veth", "peer", "name", "eth9p")
    for name in ("eth9p", "eth9"):
        ip(guest, "link", "set", name, "up")
    ip(guest, "addr", "add", "10.99.0.2/24", "dev", "eth9")
    ip(guest, "addr", "add", "2001:db8:99::2/64", "dev", "eth9", "nodad")


def settle(guest):
    """Waits until no address is tentative, and gives hn0 one of IPv6."""
    ip(guest, "addr", "add", "2001:db8::2/64", "dev", "hn0", "nodad")
    wait_until(lambda: "tentative" not in ip(guest, "addr", "show"), what="addresses are good")


ROUTES = [
    "198.51.100.0/24 via 10.77.0.1",
    "198.51.101.0/24 via 10.77.0.1 table 100 metric 7 proto 99",
    "198.51.102.0/24 via 10.77.0.1 mtu lock 1400 advmss 1300 initcwnd 20 rto_min 50ms quickack 1",
    "198.51.103.0/24 via 10.77.0.1 src 10.77.0.2 realms 5",
    "198.51.104.0/24 dev hn0 scope link",
    "198.51.105.0/24 via 192.0.2.1 dev hn0 onlink",
    "198.51.106.0/24 via inet6 2001:db8::1 dev hn0",
    "198.51.107.0/24 via 10.77.0.1 dev hn0 metric 20 congctl reno",
    "198.51.107.0/24 dev hn0 metric 21",
    "198.51.108.0/24 nexthop via 10.77.0.1 dev hn0 weight 3 nexthop via 10.99.0.1 dev eth9",
    "local 198.51.109.0/24 dev hn0",
    "198.51.110.0/24 dev hn0 tos 0x10",
    "default via 10.77.0.1 dev hn0 table 4000000 metric 4",
    "2001:db8:5::/48 via 2001:db8::1",
    "2001:db8:6::/48 via 2001:db8::1 dev hn0 metric 77 mtu 1300 table 100 pref high",
    "2001:db8:7::/48 dev hn0 proto 99",
    "2001:db8:8::/48 nexthop via 2001:db8::1 dev hn0 weight 5 "
    "nexthop via 2001:db8:99::1 dev eth9 weight 2",
    "2001:db8:9::/48 via 2001:db8::1 dev hn0 src 2001:db8::2",
]


def all_routes(guest):
    return [lines(guest, family, "route", "show", "table", "all") for family in ("-4", "-6")]


# Of the lagg itself, or of the kernel.
OWN_SYSCTLS = {"accept_dad", "dad_transmits", "addr_gen_mode", "stable_secret", "mc_forwarding"}

# What shows all that hangs on an interface, and everything that the kernel routes by.
SHOWN = {
    "link": "ip -d -j link show {}",
    "addresses": "ip -d -j addr show dev {}",
    "rules": "ip -d -j rule show",
    "rules6": "ip -d -j -6 rule show",
    "routes": "ip -d route show table all",
    "routes6": "ip -d -6 route show table all",
    "nexthops": "ip -d nexthop show",
    "neighbours": "ip -d neigh show nud permanent dev {}",
    "proxies": "ip -d neigh show proxy dev {}",
    "token": "ip token get dev {}",
    "sysctls": "cd /proc/sys/net; grep -s . ipv[46]/*/{}/*",
}
FOREVER = 2 ** 32 - 1  # of a lifetime
LINK_KEYS = ("mtu", "txqlen", "group", "ifalias", "address", "inet6_addr_gen_mode", "flags",
             "allmulti")


def whole_state(guest, name, lifetime=60):
    """What is SHOWN of an interface, called hn0 here, without ages; lifetime: their unit, in s.
    Lifetimes are as if no time had passed since the first look, however slow the machine is."""
    script = "; echo ====; ".join(SHOWN.values()).replace("{}", name) + "; true"
    parts = guest.run("sh", "-c", script).stdout.replace(name, "hn0").split("====\n")
    state = dict(zip(SHOWN, parts))
    for key, text in state.items():
        if key in ("link", "addresses", "rules", "rules6"):
            state[key] = json.loads(text or "[]")
        else:
            text = re.sub(r" (expires|used|ref|probes) \S+", "", text)
            state[key] = sorted(re.sub(r"\s+", " ", line).strip() for line in text.splitlines())
    state["link"] = {key: state["link"][0].get(key) for key in LINK_KEYS}
    state["addresses"] = state["addresses"][0]["addr_info"]
    now = time.monotonic()
    passed = int(now - vars(guest).setdefault("first_look", now))
    for address in state["addresses"]:
        for key in ("valid_life_time", "preferred_life_time"):
            left = address[key]
            if left not in (0, FOREVER):
                left += passed
            address[key] = (left + lifetime // 2) // lifetime
    state["sysctls"] = [line for line in state["sysctls"]
                        if line.split(":")[0].rsplit("/", 1)[1] not in OWN_SYSCTLS]
    return state


def assert_same(after, before):
    texts = [json.dumps(state, indent=1, sort_keys=True).splitlines() for state in (before, after)]
    difference = "\n".join(difflib.unified_diff(*texts, "before", "after", lineterm="", n=5))
    assert not difference, difference


def furnish(guest):
    """Of everything something."""
    other_interface(guest)
    guest.namespace.sysctl("ipv6/conf/hn0/accept_ra", 2)
    guest.namespace.sysctl("ipv4/conf/hn0/rp_filter", 1)
    ip(guest, "link", "set", "hn0", "txqueuelen", "321", "group", "7", "alias", "the way out")
    ip(guest, "token", "set", "::1234:5678:9abc:1", "dev", "hn0")
    ip(guest, "addr", "add", "10.77.0.9/24", "label", "hn0:9", "dev", "hn0")
    ip(guest, "addr", "add", "2001:db8:1::6/64", "dev", "hn0", "valid_lft", "900",
       "preferred_lft", "900")
    settle(guest)
    ip(guest, "nexthop", "add", "id", "7", "via", HOST_ADDRESS, "dev", "hn0")
    for route in (*ROUTES, "203.0.113.0/24 nhid 7"):
        ip(guest, *(["-6"] if "2001:" in route.split()[0] else []), "route", "add", *route.split())
    ip(guest, "rule", "add", "iif", "hn0", "lookup", "100", "pref", "100")
    ip(guest, "-6", "rule", "add", "oif", "hn0", "lookup", "100", "pref", "100")
    ip(guest, "neigh", "add", "10.77.0.70", "lladdr", "02:00:00:00:00:70", "nud", "permanent",
       "dev", "hn0")
    ip(guest, "neigh", "add", "proxy", "2001:db8::74", "dev", "hn0")


class Ping:
    """The host asks the guest all the time; every answer counts. every: seconds."""

    def __init__(self, guest, address=GUEST_ADDRESS, every=0.01):
        for name in ("hn0", "vf0"):
            # Before Linux 6.6 the kernel drops what is sent while a device gets clsact.
            guest.run("tc", "qdisc", "add", "dev", name, "clsact", check=False)
        self.process = guest.host.popen(["ping", "-i", str(every), address],
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        assert "seq=1" in self.process.stdout.readline()

    def lost(self):
        """Sequence numbers that have no answer."""
        self.process.send_signal(signal.SIGINT)
        # Not communicate(), which passes over what readline() has read beyond its line.
        text = self.process.stdout.read()
        self.process.wait(DEADLINE)
        seen = {int(number) for number in re.findall(r"seq=(\d+)", text)}
        sent = int(re.search(r"(\d+) packets transmitted", text)[1])
        return sorted(set(range(2, sent)) - seen)  # the last may be on its way

    def close(self):
        self.process.kill()
        self.process.communicate()


def killed_at(programs, step, *words, **extra):
    """Runs hyperv_vfup, kills it before its Nth step; False when it ended before."""
    preload = str(BUILD / "tests/libkillat.so")
    done = programs.guest.run(
        BUILD / "src/libexec/hyperv_vfup", *words, check=False,
        env={**programs.environment, "LD_PRELOAD": preload, "KILL_AT": str(step), **extra})
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0
