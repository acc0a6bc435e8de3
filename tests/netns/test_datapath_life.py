# SPDX-License-Identifier: BSD-2-Clause
"""The data path while processes come, die, change version and work at it at once."""

import ctypes
import itertools
import os
import pathlib
import re
import socket
import subprocess

import pytest

from pairnet import MAC, Pair, PairNet, Refused, Tool, in_netns, udp_frame, wait_until


@pytest.fixture
def net():
    with PairNet() as net:
        yield net


PPS = 20000
FORMS = ["transparent", "lagg"]
PLACES = ["this", "compiled"]  # at tcx, where the kernel has that; as a filter in clsact


class Traffic:
    """Numbered frames both ways under way; to the guest through both doors in turn."""

    def __init__(self, pair):
        self.pair = pair
        doors = [pair.taps["hn"], pair.taps["vf"]]
        self.to_guest = pair.net.load(lambda n: doors[n % 2].send(udp_frame(n)), PPS)
        self.from_guest = pair.net.load(pair.receiver.send_to_host, PPS)

    def progress(self, count=200):
        """Waits until so many more were sent each way."""
        loads = self.to_guest, self.from_guest
        goals = [load.sent + count for load in loads]
        wait_until(lambda: all(load.sent >= goal for load, goal in zip(loads, goals)), "traffic")

    def stop(self):
        """All arrived, once. Returns how many each port took of those from the guest."""
        to_guest, from_guest = self.to_guest.stop(), self.from_guest.stop()
        arrived = self.pair.receiver.expect(to_guest)
        assert sorted(arrived) == list(to_guest)
        ports = {}
        seen = []

        def complete():
            for port, tap in self.pair.taps.items():
                new = tap.sequences()
                ports[port] = ports.get(port, 0) + len(new)
                seen.extend(new)
            return len(seen) >= len(from_guest)

        wait_until(complete, "the frames from the guest")
        assert sorted(seen) == list(from_guest)
        return ports


@pytest.mark.parametrize("form", FORMS)
def test_thousand_switches_under_load_lose_nothing(net, form):
    pair = Pair(net, form)
    traffic = Traffic(pair)
    for flip in range(1000):
        pair.tool("activate", "hn0", "vf" if flip % 2 else "hn")
        traffic.progress(10)
    ports = traffic.stop()
    assert min(ports.values()) > 1000


@pytest.mark.parametrize("form", FORMS)
def test_vf_comes_and_goes_under_load(net, form):
    """The port that leaves is not the active one any more: nothing is lost on the way out or in."""
    pair = Pair(net, form)
    traffic = Traffic(pair)
    for _ in range(20):
        traffic.progress()
        pair.tool("activate", "hn0", "hn")
        pair.tool("edit", "hn0", "active=hn", "form=" + form)
        traffic.progress()
        pair.tool("activate", "hn0", "vf")
    traffic.stop()


def test_each_vf_is_seen_anew(net):
    """Also one that the kernel has put where another has been in its memory."""
    pair = Pair(net, "lagg")
    for number in range(100):
        pair.tool("edit", "hn0", "vf=0", "active=hn")
        net.ip.link("del", index=net.vf)
        net.vf = net.add_port("vf")
        pair.tool("edit", "hn0", "vf=vf0", "active=vf")
        door = net.tap("vf0h")
        pair.receiver.send_to_host(number)
        assert door.expect([number]) == [number]
        door.socket.close()


@pytest.mark.parametrize("form", FORMS)
def test_death_of_the_loader_is_not_felt(net, form):
    pair = Pair(net, form)
    before = pair.tool("get", "hn0")
    assert pair.tool("adopted") is False
    traffic = Traffic(pair)
    traffic.progress()
    pair.tool.kill()
    traffic.progress()
    second = net.tool()
    assert second("adopted") is True
    assert second("each") == [before]
    traffic.progress()
    second("activate", "hn0", "hn")
    traffic.progress()
    ports = traffic.stop()
    assert min(ports.values()) > 0


INTERFACES = ["hn0", "vf0", "lagg0"]


@pytest.mark.parametrize("version", PLACES)
def test_adoption_changes_nothing(net, version):
    pair = Pair(net, "lagg", version=version)
    before = [pair.tool("programs", interface) for interface in INTERFACES]
    ingress, egress = before[0]
    assert before == [[ingress, egress], [ingress, 0], [0, egress]]
    assert ingress and egress
    pair.tool.close()
    again = net.tool(version)
    again("edit", "hn0", "active=hn")
    assert [again("programs", interface) for interface in INTERFACES] == before


@pytest.mark.parametrize(
    "first, version", [("this", "compiled"), ("this", "layout"), ("compiled", "this")])
@pytest.mark.parametrize("form", FORMS)
def test_another_version_takes_over_under_load(net, form, first, version):
    pair = Pair(net, form, version=first)
    before = pair.tool("get", "hn0")
    programs = pair.tool("programs", "hn0")
    traffic = Traffic(pair)
    traffic.progress(1000)
    rx = pair.packets("hn")["rx"]
    second = net.tool(version)
    assert second("adopted") is True
    assert second("get", "hn0") == before
    assert not set(second("programs", "hn0")) & set(programs)
    assert pair.packets("hn")["rx"] >= rx, "the counters are kept, and the first process finds them"
    traffic.progress()

    # Both versions' processes work at what is in force now.
    pair.tool("activate", "hn0", "hn")
    assert second("get", "hn0")["active"] == "hn"
    traffic.progress()
    second("activate", "hn0", "vf")
    assert pair.tool("get", "hn0")["active"] == "vf"
    pair.tool("edit", "hn0", "active=hn")
    assert second("get", "hn0")["active"] == "hn"
    traffic.progress()

    third = net.tool(first)  # and back
    assert third("get", "hn0")["active"] == "hn"
    third("activate", "hn0", "vf")
    traffic.progress()
    assert min(traffic.stop().values()) > 0
    if version != "layout":
        assert third("counters", "hn0")["rx"][0] == (traffic.to_guest.sent + 1) // 2


@pytest.mark.parametrize(
    "first, version", [("this", "compiled"), ("this", "layout"), ("layout", "this")])
def test_another_version_keeps_the_limits_of_a_vf(net, first, version):
    pair = Pair(net, "lagg", version=first)
    pair.tool("limit", "hn0", "vf0", "02:00:00:00:00:77")  # the guest has another address
    pair.receiver.send_to_host(1)
    pair.taps["hn"].expect([1])
    second = net.tool(version)
    pair.receiver.send_to_host(2)
    pair.taps["hn"].expect([2])
    second("limit", "hn0", "vf0", MAC)
    pair.receiver.send_to_host(3)
    pair.taps["vf"].expect([3])


def test_switch_during_a_change_of_layout_is_not_lost(net):
    """The one process switches to and fro while others replace the table under it."""
    pair = Pair(net, "transparent")
    ports = itertools.cycle(["hn", "vf"])
    for turn in range(20):
        opening = subprocess.Popen(
            Tool.command(net.guest, net.run_dir, "layout" if turn % 2 else "this"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while opening.poll() is None:
            port = next(ports)
            pair.tool("activate", "hn0", port)
            assert pair.tool("get", "hn0")["active"] == port
        port = next(ports)
        pair.tool("activate", "hn0", port)
        pair.receiver.send_to_host(turn)
        assert pair.taps[port].expect([turn]) == [turn]


def test_listing_during_a_change_of_layout_is_whole(net):
    pair = Pair(net, "transparent")
    for turn in range(20):
        opening = subprocess.Popen(
            Tool.command(net.guest, net.run_dir, "layout" if turn % 2 else "this"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while opening.poll() is None:
            assert len(pair.tool("each")) == 1
            pair.tool("counters", "hn0")


@pytest.mark.parametrize("version", ["this", "compiled", "layout"])
def test_lost_pins_are_found_again(net, version):
    """The mount went with a mount namespace; the filters still lead to the maps."""
    pair = Pair(net, "lagg")
    before = pair.tool("each")
    traffic = Traffic(pair)
    traffic.progress()
    pair.tool.kill()
    net.unmount()
    second = net.tool(version)
    assert second("adopted") is True
    assert second("each") == before
    traffic.progress()
    second("activate", "hn0", "hn")
    traffic.progress()
    assert min(traffic.stop().values()) > 0
    assert net.tool(version)("each") == [before[0] | {"active": "hn"}]


def test_pins_that_nothing_runs_give_way_to_the_filters(net):
    """Another mount namespace has pins of its own, from another time."""
    net.tool().close()
    net.hide()
    pair = Pair(net, "transparent")
    before = pair.tool("each")
    pair.tool.close()
    net.unhide()
    assert net.tool()("each") == before


def test_half_made_pins_are_no_pins(net):
    pair = Pair(net, "transparent")
    before = pair.tool("each")
    pair.tool.close()
    os.unlink(f"{net.run_dir}/bpf/egress")
    assert net.tool()("each") == before
    assert os.path.exists(f"{net.run_dir}/bpf/egress")


def test_death_while_pinning_is_mended_by_who_comes_by(net):
    pair = Pair(net, "transparent")
    before = pair.tool("each")
    pin = f"{net.run_dir}/bpf/egress"
    os.rename(pin, pin + "-old")
    net.tool("layout").kill()
    os.unlink(pin)
    os.rename(pin + "-old", pin)
    assert pair.tool("each") == before
    pair.tool("edit", "hn0", "active=hn")
    pair.receiver.send_to_host(1)
    assert pair.taps["hn"].expect([1]) == [1]
    assert pair.packets("hn")["tx"] == 1


@pytest.mark.parametrize("version", PLACES)
def test_programs_that_somebody_removed_come_back(net, version):
    pair = Pair(net, "transparent", version=version)
    pair.tool("strip", "hn0")
    pair.tool("strip", "vf0")
    assert pair.tool("programs", "hn0") == [0, 0]
    pair.tool("edit", "hn0", "active=vf")
    pair.receiver.send_to_host(1)
    assert pair.taps["vf"].expect([1]) == [1]
    pair.tool("strip", "vf0")
    net.tool(version)
    pair.taps["vf"].send(udp_frame(2))
    assert pair.receiver.expect([2]) == [2]


@pytest.mark.parametrize("version", PLACES)
def test_the_program_of_a_vf_that_is_down_is_a_filter_first(net, version):
    """At tcx, where its place is, it would run only after an RCU grace period."""
    def has_filter(name):
        return "netvf_ingress" in net.tc("filter", "show", "dev", name, "ingress")

    net.ip.link("set", index=net.vf, state="down")
    tool = net.tool(version)
    tool("edit", "hn0", f"mac={MAC}", "vf=vf0")
    assert has_filter("vf0")
    program = tool("programs", "vf0")
    net.give_address("hn0")
    net.ip.link("set", index=net.vf, state="up")
    for ip, end in (net.ip, "vf0"), (net.host_ip, "vf0h"):
        wait_until(lambda: net.takes_frames(ip, end), f"{end} takes frames")
    receiver, door = net.receiver(), net.tap("vf0h")
    load = net.load(lambda n: door.send(udp_frame(n)), PPS)
    wait_until(lambda: load.sent > 200, "traffic")
    tool("edit", "hn0")
    assert has_filter("vf0") == has_filter("hn0")
    wait_until(lambda goal=load.sent + 200: load.sent > goal, "traffic")
    sent = load.stop()
    assert sorted(receiver.expect(sent)) == list(sent)
    assert tool("programs", "vf0") == program
    assert tool("counters", "vf0")["rx"][0] == len(sent)
    tool("remove", "hn0")
    assert tool("programs", "vf0") == [0, 0]
    assert "clsact" not in net.tc("qdisc", "show", "dev", "vf0")


def test_two_processes_change_pairs_at_once(net):
    """Each keeps its own pair right, and both join and leave thousands of times."""
    for name in "hn1", "hn2":
        net.add_port("hn", name)
    for name in "vf1", "vf2":
        net.add_port("vf", name)
    tools = [net.tool(), net.tool()]
    for tool, unit in zip(tools, "12"):
        tool("edit", f"hn{unit}", f"mac={MAC}")
        tool.begin("churn", f"hn{unit}", 300, f"vf=vf{unit}", "active=vf", "form=exclusive",
                   "--", "vf=0")
    for tool in tools:
        tool.answer()
    for tool, unit in zip(tools, "12"):
        tool("edit", f"hn{unit}", f"vf=vf{unit}", "active=vf")
    want = [{"hn": net.index(f"hn{unit}"), "vf": net.index(f"vf{unit}"), "lagg": 0,
             "form": "transparent", "active": "vf", "mac": MAC} for unit in "12"]
    assert sorted(tools[0]("each"), key=lambda pair: pair["hn"]) == want
    assert tools[1]("each") == tools[0]("each")


def test_two_processes_change_one_pair_at_once(net):
    """One switches, the other joins and leaves the lagg: neither undoes the other's work."""
    pair = Pair(net, "lagg")
    second = net.tool()
    second.begin("churn", "hn0", 300, "form=transparent", "--", "form=lagg")
    for flip in range(2000):
        port = "hn" if flip % 2 else "vf"
        pair.tool("activate", "hn0", port)
        assert pair.tool("get", "hn0")["active"] == port
    second.answer()
    assert second("get", "hn0")["form"] == "lagg"


def test_held_lock_is_an_error_in_the_end(net):
    tool = net.tool()
    holder = subprocess.Popen(["flock", f"{net.run_dir}/lock", "cat"], stdin=subprocess.PIPE)
    try:
        probe = ["flock", "-n", f"{net.run_dir}/lock", "true"]
        wait_until(lambda: subprocess.run(probe).returncode, "the lock to be held")
        with pytest.raises(Refused) as refused:
            tool("edit", "hn0", f"mac={MAC}")
        assert refused.value.errno == 16  # EBUSY
    finally:
        holder.stdin.close()
        holder.wait()
    tool("edit", "hn0", f"mac={MAC}")


def add_user_filter(net, side, priority=100):
    """A filter of the user's: it mirrors every frame into a link that leads nowhere."""
    if not net.index("sink0"):
        net.ip.link("add", ifname="sink0", kind="veth", peer="sink1")
    net.tc("filter", "add", "dev", "hn0", side, "protocol", "all", "prio", str(priority), "u32",
           "match", "u8", "0", "0", "action", "mirred", "egress", "mirror", "dev", "sink0")


def users_filters_saw(net):
    """Frames by all of them: u32 lists those of both sides at either."""
    text = net.tc("-s", "filter", "show", "dev", "hn0", "ingress")
    return sum(int(packets) for packets in re.findall(r"(\d+) pkt ", text))


@pytest.mark.parametrize("version", PLACES)
def test_remove_takes_everything_of_ours_and_no_more(net, version):
    net.tc("qdisc", "add", "dev", "hn0", "clsact")
    add_user_filter(net, "ingress")
    pair = Pair(net, "lagg", version=version)
    pair.tool("remove", "hn0")
    pair.tool("remove", "hn0")
    assert pair.tool("each") == []
    assert [pair.tool("programs", interface) for interface in INTERFACES] == [[0, 0]] * 3
    assert "clsact" in net.tc("qdisc", "show", "dev", "hn0")
    assert "clsact" not in net.tc("qdisc", "show", "dev", "vf0")
    assert "clsact" not in net.tc("qdisc", "show", "dev", "lagg0")
    left = net.tc("filter", "show", "dev", "hn0", "ingress")
    assert "u32" in left and "netvf" not in left
    assert net.tc("filter", "show", "dev", "hn0", "egress") == ""
    pair.taps["hn"].send(udp_frame(1))
    wait_until(lambda: users_filters_saw(net) == 1, "the user's filter")
    for tool in pair.tool, net.tool():
        refuse(2, tool, "get", "hn0")


@pytest.mark.parametrize("version", PLACES)
def test_users_later_filters_still_run(net, version):
    net.tc("qdisc", "add", "dev", "hn0", "clsact")
    pair = Pair(net, "transparent", active="hn", version=version)
    add_user_filter(net, "ingress")
    add_user_filter(net, "egress")
    for count, door in enumerate(["hn", "vf"], 1):
        pair.taps[door].send(udp_frame(1))
        pair.receiver.expect([1])
        assert users_filters_saw(net) == count
    pair.receiver.send_to_host(2)
    pair.taps["hn"].expect([2])
    assert users_filters_saw(net) == 3


def refuse(errno, tool, *words):
    with pytest.raises(Refused) as refused:
        tool(*words)
    assert refused.value.errno == errno


def test_what_is_in_other_hands_is_refused_and_nothing_left_behind(net):
    tool = net.tool("compiled")  # with filters
    net.tc("qdisc", "add", "dev", "vf0", "ingress")
    tool("edit", "hn0", f"mac={MAC}")  # a VF needs no more than that
    tool("edit", "hn0", "vf=vf0")
    tool("remove", "hn0")
    assert "ingress" in net.tc("qdisc", "show", "dev", "vf0")

    net.tc("qdisc", "add", "dev", "hn0", "ingress")
    refuse(16, tool, "edit", "hn0", f"mac={MAC}", "vf=vf0")
    assert tool("each") == []
    assert net.tc("filter", "show", "dev", "hn0", "ingress") == ""
    assert net.tc("filter", "show", "dev", "vf0", "ingress") == ""
    net.tc("qdisc", "del", "dev", "hn0", "ingress")

    net.tc("qdisc", "add", "dev", "hn0", "clsact")
    add_user_filter(net, "egress", priority=1)
    refuse(16, tool, "edit", "hn0", f"mac={MAC}", "vf=vf0")
    assert "netvf" not in net.tc("filter", "show", "dev", "hn0", "ingress")
    assert "u32" in net.tc("filter", "show", "dev", "hn0", "egress")
    assert tool("each") == []


def test_a_pair_gets_another_hn(net):
    tool = net.tool()
    tool("edit", "hn0", f"mac={MAC}", "vf=vf0", "active=vf")
    before = tool("get", "hn0")
    other = net.add_port("hn", "hn1")
    tool("edit", "hn0", "hn=hn1")
    refuse(2, tool, "get", "hn0")
    assert tool("get", "hn1") == {**before, "hn": other}
    assert [pair["hn"] for pair in tool("each")] == [other]


def test_nonsense_is_refused(net):
    tool = net.tool()
    tool("edit", "hn0", f"mac={MAC}", "vf=vf0", "active=vf")
    before = tool("each")
    net.add_port("hn", "hn1")
    refuse(22, tool, "edit", "hn0", "hn=0")
    refuse(22, tool, "edit", "hn0", "hn=vf0")
    refuse(22, tool, "edit", "hn0", "vf=hn0")
    refuse(22, tool, "edit", "hn0", "lagg=vf0")
    refuse(22, tool, "edit", "0", "vf=vf0")
    refuse(16, tool, "edit", "hn1", "vf=vf0")
    refuse(16, tool, "edit", "hn1", "vf=hn0")
    refuse(16, tool, "edit", "vf0", "lagg=0")
    refuse(19, tool, "edit", "hn0", "lagg=99999")
    refuse(19, tool, "edit", "99999", f"mac={MAC}")
    refuse(42, tool, "edit", "hn0", "vf=0", "return=42")
    refuse(2, tool, "activate", "hn1", "hn")
    refuse(2, tool, "counters", "hn1")
    assert tool("each") == before
    tool("edit", "hn1", f"mac={MAC}", "form=exclusive", "active=vf")
    assert tool("get", "hn1") == {"hn": net.index("hn1"), "vf": 0, "lagg": 0, "mac": MAC,
                                  "form": "transparent", "active": "hn"}
    refuse(19, tool, "activate", "hn1", "vf")
    tool("edit", "hn1", "form=lagg")
    assert tool("get", "hn1")["form"] == "transparent"


def test_hn_that_is_gone_is_listed_and_can_be_removed(net):
    tool = net.tool()
    tool("edit", "hn0", f"mac={MAC}", "vf=vf0")
    net.ip.link("del", index=net.hn)
    assert [pair["hn"] for pair in tool("each")] == [net.hn]
    assert [pair["hn"] for pair in net.tool()("each")] == [net.hn]
    tool("remove", net.hn)
    assert tool("each") == []
    assert "clsact" not in net.tc("qdisc", "show", "dev", "vf0")


@pytest.mark.timeout(300)
@pytest.mark.skipif("NETVF_LONG" not in os.environ, reason="takes a minute: NETVF_LONG=1")
def test_limit_of_pairs(net):
    limit = 1024
    tool = net.tool()
    names = [f"{end}{n}" for n in range(limit // 2 + 1) for end in "ab"]
    for n in range(limit // 2 + 1):
        net.ip.link("add", ifname=f"a{n}", kind="veth", peer=f"b{n}")
    for name in names[:limit]:
        tool("edit", name, f"mac={MAC}")
    refuse(28, tool, "edit", names[limit], f"mac={MAC}")  # ENOSPC
    assert len(tool("each")) == limit
    tool("remove", names[100])
    tool("edit", names[limit + 1], f"mac={MAC}")
    assert len(net.tool()("each")) == limit


def test_reports_are_heard_when_another_version_has_replaced_the_maps(net):
    groups = 1  # NV_DP_REPORT_GROUPS
    pair = Pair(net, "lagg")
    report = bytearray(udp_frame(1, dst="01:00:5e:00:00:16", src=MAC))
    report[23] = socket.IPPROTO_IGMP
    pair.tool("reports")
    net.tool("layout").close()
    pair.tool("edit", "hn0", "active=vf")
    net.tap("lagg0").send(report)
    assert pair.tool("reports") & groups


def test_what_arrived_before_hn_had_its_program_is_sent_by_the_vf(net):
    """A router: as the pair begins, or after somebody has removed that program."""
    pair = Pair(net, "transparent")
    ingress, _ = pair.tool("programs", "hn0")
    bpf, tcx_ingress = ctypes.CDLL("libbpf.so.1"), 46
    program = bpf.bpf_prog_get_fd_by_id(ingress)
    if in_netns(net.guest, lambda: bpf.bpf_prog_detach2(program, net.hn, tcx_ingress)):
        pytest.skip("this kernel has no tcx")
    os.close(program)
    in_netns(net.guest, lambda: pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1"))
    net.ip.neigh("add", dst="10.9.0.77", lladdr="02:00:00:00:00:77", ifindex=net.hn)
    pair.taps["vf"].send(udp_frame(7, to="10.9.0.77"))
    assert pair.taps["vf"].expect([7]) == [7]
