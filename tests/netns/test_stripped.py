# SPDX-License-Identifier: BSD-2-Clause
"""Somebody takes netvf's programs off the interfaces of a pair: netvfd attaches them again."""

import ctypes
import re
import socket
import threading
import time

import pytest

from conftest import RC_CONF
from harness import BUILD, bounded, dptool, wait_until
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS, PREFIX
from pairnet import kernel_has

TRANSPARENT = RC_CONF + 'netvf_vf_transparent="YES"\nnetvf_vf_xpnt_attwait="0"\n'
RCCONF = {"lagg": RC_CONF, "bond": RC_CONF + 'netvf_lagg="bond"\n', "transparent": TRANSPARENT,
          "exclusive": 'netvf_pairs="hn0:vf0"\n'}
INTERFACES = {"lagg": ["hn0", "vf0", "lagg0"], "bond": ["hn0", "vf0", "lagg0"],
              "transparent": ["hn0", "vf0"], "exclusive": ["hn0", "vf0"]}
PROGRAM = {"tcx": "src/netvfd/netvfd", "clsact": "tests/netns/datapath/compiled/netvfd-clsact"}
UPPER = {"lagg": "lagg0", "bond": "lagg0", "transparent": "hn0", "exclusive": "vf0"}
SO_BINDTODEVICE, SO_RCVBUFFORCE = 25, 33
PORT = 7004
PAUSE = 0.001  # seconds between two datagrams of one way


class Way:
    """Numbered datagrams from one namespace to another, and the time at which each was sent."""

    def __init__(self, sender, receiver, to, bound_to=""):
        with sender.entered():
            self.outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with receiver.entered():
            self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.to = to, PORT
        self.inside.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.inside.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, bound_to.encode())
        self.inside.bind(("", PORT))
        self.sent = []
        self.arrived = {}
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=run, daemon=True)
                        for run in (self._send, self._receive)]
        for thread in self.threads:
            thread.start()

    def _send(self):
        while not self.stopping.wait(PAUSE):
            self.sent.append(time.monotonic())
            self.outside.sendto(b"%d" % (len(self.sent) - 1), self.to)

    def _receive(self):
        self.inside.settimeout(0.3)
        while not self.stopping.is_set() or self.threads[0].is_alive():
            try:
                while True:
                    number = int(self.inside.recv(100))
                    self.arrived[number] = self.arrived.get(number, 0) + 1
            except TimeoutError:
                pass

    def wait_whole(self, count=100):
        """Until so many datagrams in a row, sent from now on, have arrived."""
        def whole():
            arrived = set(self.arrived)
            numbers = range(begin, len(self.sent) - count)
            return any(arrived.issuperset(range(n, n + count)) for n in numbers[::count // 2])

        begin = len(self.sent)
        wait_until(whole, what="datagrams arrive")

    def stop(self):
        """The numbers of those that did not arrive once."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        self.inside.close()
        self.outside.close()
        return [n for n in range(len(self.sent)) if self.arrived.get(n) != 1]


class Traffic:
    """Both ways; in the guest a socket hears that is bound to the upper."""

    def __init__(self, guest, upper):
        self.guest = guest
        self.ways = {"from the guest": Way(guest.namespace, guest.host, HOST_ADDRESS),
                     "to the guest": Way(guest.host, guest.namespace, GUEST_ADDRESS, upper)}

    def took(self, port):
        """How many frames the host has got from a port of the guest's."""
        (link,) = self.guest.host.netlink.get_links(port.host_index)
        return link.get_attr("IFLA_STATS64")["rx_packets"]

    def wait_right(self):
        """Until datagrams arrive both ways, and those from the guest leave by the VF."""
        def by_vf():
            before = self.took(self.guest.topology.vf)
            for way in self.ways.values():
                way.wait_whole()
            return self.took(self.guest.topology.vf) - before >= 100

        wait_until(by_vf, what="the guest sends by the VF")

    def stop(self, since, removed, until):
        """All losses are between the first and the last time. Says how many, and the time from
        the last removal to the last loss."""
        for name, way in self.ways.items():
            wrong = way.stop()
            lost = [way.sent[number] for number in wrong]
            print(f"{name}: {len(way.sent)} sent, {len(wrong)} lost", end="")
            print(f", the last after {(max(lost) - removed) * 1000:.0f} ms" if lost else "")
            assert all(since - 0.1 < when < until for when in lost)
            assert not any(number in way.arrived for number in wrong), "none comes twice"


def configure_vf(guest):
    """As without netvf: the VF has the address."""
    hn, vf = (guest.namespace.index(name) for name in ("hn0", "vf0"))
    guest.netlink.flush_addr(index=hn)
    guest.netlink.link("set", index=vf, state="up")
    guest.netlink.addr("add", index=vf, address=GUEST_ADDRESS, prefixlen=PREFIX)


@pytest.fixture
def start_pair(guest, start_netvfd):
    """A pair of this form, whose VF transmits, with its programs at this place."""

    def start(form, place="tcx", **options):
        if form == "bond" and not kernel_has("bond"):
            pytest.skip("this kernel has no bonding")
        if form == "exclusive":
            options["rules"] = ""
        netvfd = start_netvfd(rcconf=RCCONF[form], program=BUILD / PROGRAM[place], **options)
        guest.attach_vf()
        if form == "exclusive":
            configure_vf(guest)
        is_lagg = UPPER[form] == "lagg0"
        wait_until(lambda: netvfd.pair()["form"] == ("lagg" if is_lagg else form),
                   what=f"the pair is {form}")
        netvfd.wait_active("vf")
        wait_until(lambda: not is_lagg or not guest.addresses("hn0"), what="all has moved")
        return netvfd

    return start


def strip(guest, form, place):
    """What `bpftool net detach` or `tc qdisc del` does."""
    for name in INTERFACES[form]:
        if place == "clsact":
            guest.run("tc", "qdisc", "del", "dev", name, "clsact")
        else:
            dptool(guest, "strip", name)


def whole(guest, form):
    """Whether all programs are attached."""
    attached = {name: dptool(guest, "programs", name) for name in INTERFACES[form]}
    egress = "lagg0" if "lagg0" in attached else "hn0"
    return all(attached[name][0] for name in attached if name != "lagg0") and attached[egress][1]


@pytest.mark.parametrize("place", PROGRAM)
@pytest.mark.parametrize("form", RCCONF)
def test_programs_that_somebody_removes_come_back_under_load(guest, start_pair, form, place):
    netvfd = start_pair(form, place)
    if place == "clsact" and "lagg0" in INTERFACES[form]:  # hyperv_vfup has attached some at tcx
        strip(guest, form, "tcx")
        wait_until(lambda: whole(guest, form), what="the programs are back")
    traffic = Traffic(guest, UPPER[form])
    traffic.wait_right()
    since = time.monotonic()
    strip(guest, form, place)
    removed = time.monotonic()
    if form == "exclusive":  # needs no programs, but may lose a frame as they are attached
        wait_until(lambda: whole(guest, form), what="the programs are back")
    traffic.wait_right()
    until = time.monotonic()
    wait_until(lambda: whole(guest, form), what="the programs are back")
    traffic.stop(since, removed, until)
    assert netvfd.pair()["active"] == "vf"
    assert netvfd.log.count("somebody removed netvf's programs from") == 1


def attach_others(guest, name, side="ingress", before=False, returns=-1):
    """A program of somebody else's at tcx, which returns this (TCX_NEXT); the kernel keeps it."""
    sched_cls, place, before_all = 3, {"ingress": 46, "egress": 47}[side], 1 << 3
    words = (ctypes.c_uint64 * 2)(0xB7 | (returns & 0xFFFFFFFF) << 32, 0x95)  # r0 = that; exit
    bpf = ctypes.CDLL("libbpf.so.1")
    program = bpf.bpf_prog_load(sched_cls, b"others", b"GPL", words, ctypes.c_size_t(2), None)
    assert program >= 0
    with guest.namespace.entered():
        assert not bpf.bpf_prog_attach(program, socket.if_nametoindex(name), place,
                                       before_all if before else 0)


def test_those_of_others_are_not_taken_for_ours(guest, start_pair, tmp_path):
    """By a netvfd that may not read their names."""
    mount_point = tmp_path / "netvfd0/run/bpf"
    mount_point.mkdir(parents=True)
    guest.run("mount", "-t", "bpf", "-o", "mode=0700", "bpf", mount_point)
    start_pair("transparent", under=bounded(["net_admin", "net_raw", "bpf", "perfmon"]))
    for name in INTERFACES["transparent"]:
        attach_others(guest, name)
    strip(guest, "transparent", "tcx")
    wait_until(lambda: whole(guest, "transparent"), what="the programs are back")


def test_status_knows_that_an_hn_sends_by_itself(guest, start_pair):
    """Something stands where netvf's programs were."""
    netvfd = start_pair("transparent", "clsact")
    guest.run("tc", "qdisc", "del", "dev", "hn0", "clsact")
    guest.run("tc", "qdisc", "add", "dev", "hn0", "ingress")
    assert netvfd.pair()["active"] == "hn"
    wait_until(lambda: "cannot be attached again" in netvfd.log, what="netvfd says so")
    assert netvfd.pair()["active"] == "hn"
    assert re.search(r"on hn0 for .*\n.*hn hn0 .* active", netvfd.ask("status"))
    assert "hn0 has lost netvf's program" in netvfd.ask("doctor", check=False)
    guest.run("tc", "qdisc", "del", "dev", "hn0", "ingress")
    netvfd.wait_active("vf")


def test_status_knows_that_a_lagg_sends_nothing(guest, start_pair):
    netvfd = start_pair("lagg", "clsact")
    guest.run("tc", "qdisc", "add", "dev", "lagg0", "ingress")
    dptool(guest, "strip", "lagg0")
    assert netvfd.pair()["active"] == "none"
    assert "on no port" in netvfd.ask("status")
    guest.run("tc", "qdisc", "del", "dev", "lagg0", "ingress")
    netvfd.wait_active("vf")


@pytest.mark.parametrize("before", [True, False], ids=["before", "behind"])
def test_the_doctor_tells_programs_of_others(guest, start_pair, before):
    netvfd = start_pair("lagg")
    assert "of others" not in netvfd.ask("doctor", check=False)
    tc_act_ok = 0
    attach_others(guest, "lagg0", "egress", before, tc_act_ok)
    place = "before" if before else "behind"
    assert f"lagg0 has 1 tc program of others {place} netvf's" in \
        netvfd.ask("doctor", check=False)


def test_the_doctor_tells_filters_of_others(guest, start_pair):
    """In clsact: behind netvf's program at tcx, they see no frame that leaves."""
    netvfd = start_pair("transparent")
    guest.run("tc", "qdisc", "add", "dev", "hn0", "clsact", check=True)
    guest.run("tc", "filter", "add", "dev", "hn0", "egress", "protocol", "ip",
              "u32", "match", "u32", "0", "0", "flowid", "1:1", check=True)
    assert "hn0 has 1 tc program of others behind netvf's" in netvfd.ask("doctor", check=False)
