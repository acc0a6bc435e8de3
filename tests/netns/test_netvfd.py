# SPDX-License-Identifier: BSD-2-Clause
"""netvfd as a whole, on a real kernel: events, pairs, the data path, restarts."""

import fcntl
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest
from conftest import RC_CONF, RULES
from echo import Numbered
from harness import BUILD, UDEV_WAIT, dptool, send_uevent, udev_busy, wait_until
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS

LOCK = "netvfd.lock"  # in the run directory

NETVF = BUILD / "src/netvf/netvf"
NETVFD = BUILD / "src/netvfd/netvfd"
TRANSPARENT = 'netvf_vf_transparent="YES"\nnetvf_vf_xpnt_attwait="0"\n'


def wait_lagg(netvfd):
    wait_until(lambda: netvfd.pair()["form"] == "lagg", what="lagg0 is the upper")
    netvfd.wait_active("vf")


def test_what_the_start_took_is_given_back(netvfd):
    """libbpf reads the kernel's BTF: some 10 MB, also when the configuration is read again."""
    def memory():
        rollup = pathlib.Path(f"/proc/{netvfd.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"Anonymous: *(\d+) kB", rollup)[1])

    assert memory() < 4096
    netvfd.reload()
    wait_until(lambda: "configuration again" in netvfd.log)
    wait_until(lambda: memory() < 4096)


def test_vf_makes_lagg0_and_traffic_takes_the_vf(guest, netvfd, echo):
    assert echo.ask(10) == 10
    guest.attach_vf()
    netvfd.wait_event("system=HYPERV_NIC_VF subsystem=hn0 type=VF_UP")
    wait_lagg(netvfd)
    wait_until(lambda: guest.addresses("hn0") == set())
    assert guest.addresses("lagg0") == {f"{GUEST_ADDRESS}/24"}
    assert guest.routes() >= {("default", HOST_ADDRESS, "lagg0")}
    before = netvfd.pair()["vf_port"]["counters"]["tx"]["packets"]
    assert echo.ask(100) == 100
    pair = netvfd.pair()
    assert pair["vf_port"]["counters"]["tx"]["packets"] >= before + 100
    assert pair["upper"] == "lagg0"


@pytest.mark.parametrize("kind", ["unplug", "linkdown", "admindown"])
def test_traffic_goes_on_by_hn_and_returns_to_the_vf(guest, netvfd, echo, kind):
    guest.attach_vf()
    wait_lagg(netvfd)
    for _ in range(3):
        guest.detach_vf(kind)
        netvfd.wait_active("hn")
        assert echo.ask(20) == 20
        guest.bring_back_vf(kind)
        netvfd.wait_active("vf")
        assert echo.ask(20) == 20
    assert echo.returned == echo.sent


def test_events_come_in_freebsds_order(guest, netvfd):
    guest.attach_vf()
    wait_lagg(netvfd)
    guest.detach_vf("unplug")
    netvfd.wait_event("subsystem=vf0 type=DETACH")
    order = [
        "!system=IFNET subsystem=vf0 type=ATTACH",
        "!system=ETHERNET subsystem=vf0 type=IFATTACH",
        "!system=HYPERV_NIC_VF subsystem=hn0 type=VF_UP",
        "!system=HYPERV_NIC_VF subsystem=hn0 type=VF_DOWN",
        "!system=IFNET subsystem=vf0 type=DETACH",
    ]
    assert [line for line in netvfd.events if line in order] == order


def test_vf_may_return_under_another_name(guest, start_netvfd, echo):
    netvfd = start_netvfd(rcconf=RC_CONF.replace('"hn0:vf0"', '"hn0:vf0 hn0:vf7"'))
    guest.attach_vf()
    wait_lagg(netvfd)
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    guest.bring_back_vf("unplug", "vf7")
    netvfd.wait_active("vf")
    assert netvfd.pair()["vf_port"]["name"] == "vf7"
    assert echo.ask(10) == 10


def test_killed_while_traffic_flows_then_adopts(guest, netvfd, echo):
    guest.attach_vf()
    wait_lagg(netvfd)
    wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
    assert echo.ask(100) == 100
    netvfd.kill()
    assert echo.ask(200) == 200
    links = [link["index"] for link in guest.netlink.get_links()]
    netvfd.start()
    assert netvfd.status()["adopted"] is True
    pair = netvfd.pair()
    assert (pair["form"], pair["active"], pair["switches"]) == ("lagg", "vf", 0)
    assert echo.ask(200) == 200
    assert [link["index"] for link in guest.netlink.get_links()] == links
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    assert echo.ask(20) == 20
    guest.bring_back_vf("unplug")
    netvfd.wait_active("vf")
    assert echo.ask(20) == 20


def test_a_link_that_returns_is_used_when_its_queues_work(guest, netvfd):
    """The programs lead the traffic alone: netvfd is late. A link whose carrier has just come
    drops all frames until the kernel has activated its queues."""
    guest.attach_vf()
    wait_lagg(netvfd)
    wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
    os.kill(netvfd.process.pid, signal.SIGSTOP)
    traffic = Numbered(guest)
    traffic.PAUSE = 0.0001
    dropped = 0  # by the host, of what was in the link as it was cut
    for _ in range(50):
        count_dropped = guest.topology.detach("linkdown")
        traffic.wait_more()
        dropped += count_dropped()
        guest.bring_back_vf("linkdown")
        traffic.wait_more()
    os.kill(netvfd.process.pid, signal.SIGCONT)
    sent, wrong = traffic.stop()
    assert len(wrong["guest"]) <= dropped and not wrong["host"], sent


def test_killed_right_before_the_vf_goes(guest, netvfd):
    guest.attach_vf()
    wait_lagg(netvfd)
    wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
    traffic = Numbered(guest)
    traffic.wait_more()
    netvfd.kill()
    guest.detach_vf("unplug")
    traffic.wait_more(200)
    netvfd.start()
    assert netvfd.pair()["active"] == "hn"
    traffic.wait_more()
    assert traffic.stop()[1] == {"guest": {}, "host": {}}


@pytest.mark.parametrize("rcconf", [RC_CONF, RC_CONF + TRANSPARENT], ids=["lagg", "transparent"])
def test_a_restart_leaves_a_vf_down_that_somebody_set_down(guest, start_netvfd, echo, rcconf):
    netvfd = start_netvfd(rcconf=rcconf)
    guest.attach_vf()
    netvfd.wait_active("vf")
    guest.detach_vf("admindown")
    netvfd.wait_active("hn")
    netvfd.kill()
    netvfd.log_path.write_text("")
    netvfd.start()
    # What there is at the start is acted on in this order: the hn stands for all.
    wait_until(lambda: "subsystem=hn0 type=IFATTACH': not a VF" in netvfd.log)
    assert "subsystem=vf0 type=ATTACH" in netvfd.log
    assert "subsystem=vf0 type=IFATTACH" not in netvfd.log
    assert not guest.is_up("vf0")
    assert echo.ask(20) == 20
    guest.bring_back_vf("admindown")
    netvfd.wait_active("vf")
    assert echo.ask(20) == 20


def test_a_restart_sets_up_what_nobody_has_set_up(guest, start_netvfd, echo):
    """The VF has joined, and the death of netvfd came before its action."""
    rules = RULES.read_text()
    netvfd = start_netvfd(rules=rules.replace("IFATTACH", "NEVER"))
    guest.attach_vf()
    wait_until(lambda: (netvfd.pair()["vf_port"] or {}).get("counters"), what="vf0 has joined")
    netvfd.kill()
    netvfd.rules.write_text(rules)
    netvfd.start()
    netvfd.wait_active("vf")
    assert echo.ask(20) == 20


def test_vf_gone_while_no_daemon_ran(guest, netvfd, echo):
    guest.attach_vf()
    wait_lagg(netvfd)
    wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
    netvfd.kill()
    guest.detach_vf("unplug")
    assert echo.ask(20) == 20, "the programs send by hn"
    netvfd.start()
    netvfd.wait_active("hn")
    assert echo.ask(20) == 20


def test_vf_for_itself_when_no_rule_answers(guest, start_netvfd):
    netvfd = start_netvfd(rules="")
    guest.attach_vf()
    guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
    netvfd.wait_active("vf")
    pair = netvfd.pair()
    assert (pair["form"], pair["upper"]) == ("exclusive", "vf0")
    assert guest.link("lagg0") is None
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")


def test_transparent_hn_keeps_its_configuration(guest, start_netvfd, echo):
    netvfd = start_netvfd(rcconf=RC_CONF + 'netvf_vf_transparent="YES"\n')
    guest.attach_vf()
    netvfd.wait_active("vf")
    assert netvfd.pair()["form"] == "transparent"
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/24"}
    assert echo.ask(50) == 50
    assert netvfd.pair()["vf_port"]["counters"]["tx"]["packets"] >= 50
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    assert echo.ask(20) == 20
    assert not [line for line in netvfd.events if "HYPERV_NIC_VF" in line]
    assert netvfd.ask("sysctl", "-n", "hw.hn.vf_transparent") == "1\n"


def test_vf_with_a_master_is_only_observed(guest, netvfd):
    guest.netlink.link("add", ifname="other", kind="bridge")
    guest.attach_vf()
    wait_lagg(netvfd)
    guest.netlink.link("set", index=guest.namespace.index("vf0"),
                       master=guest.namespace.index("other"))
    wait_until(lambda: netvfd.pair()["verdict"] == "observed")
    assert netvfd.pair()["active"] == "hn"
    assert "other" in netvfd.pair()["why"]
    assert dptool(guest, "programs", "vf0") == [0, 0]


SAMPLE = re.compile(r'(netvf_[a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+)\})? (\d+(?:\.\d+)?)')


def metrics(netvfd):
    """Samples by name and labels; each family has its HELP and TYPE first, and stands together."""
    found, families = {}, []
    for line in netvfd.ask("metrics").splitlines():
        if line.startswith("# HELP "):
            families.append(line.split()[2])
        elif line.startswith("# TYPE "):
            assert line.split()[2] == families[-1]
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert name == families[-1]
            found[f"{name}{{{labels or ''}}}"] = float(value)
    assert len(families) == len(set(families))
    return found


def test_metrics(guest, netvfd, echo):
    guest.attach_vf()
    wait_lagg(netvfd)
    before = metrics(netvfd)
    assert before['netvf_pair_info{hn="hn0",verdict="managed",form="lagg",upper="lagg0",'
                  'wish="auto"}'] == 1
    assert before['netvf_pair_active{hn="hn0",port="vf"}'] == 1
    assert before['netvf_pair_active{hn="hn0",port="hn"}'] == 0
    assert echo.ask(20) == 20
    sent = 'netvf_port_packets_total{hn="hn0",port="vf",kind="tx"}'
    wait_until(lambda: metrics(netvfd)[sent] >= before[sent] + 20)
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    after = metrics(netvfd)
    assert after['netvf_port_usable{hn="hn0",port="vf"}'] == 0
    assert after['netvf_port_usable{hn="hn0",port="hn"}'] == 1
    assert after['netvf_pair_switches_total{hn="hn0"}'] > \
        before['netvf_pair_switches_total{hn="hn0"}']
    assert not [name for name in after if "packets" in name and 'port="vf"' in name]


def test_hn_gone_after_its_vf_is_forgotten_with_its_lagg(guest, netvfd):
    guest.attach_vf()
    wait_lagg(netvfd)
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    guest.netlink.link("del", index=guest.namespace.index("hn0"))
    wait_until(lambda: "so is its VF" in netvfd.pair()["why"])
    guest.netlink.link("del", index=guest.namespace.index("lagg0"))
    wait_until(lambda: netvfd.pair() is None)


def test_planned_switch_leaves_an_idle_port_to_unplug(guest, netvfd, echo):
    guest.attach_vf()
    wait_lagg(netvfd)
    netvfd.ask("switch", "hn0", "hn")
    assert netvfd.pair()["active"] == "hn"
    sent = netvfd.pair()["vf_port"]["counters"]["tx"]["packets"]
    assert echo.ask(20) == 20
    assert netvfd.pair()["vf_port"]["counters"]["tx"]["packets"] == sent
    guest.detach_vf("unplug")
    assert echo.ask(20) == 20
    guest.bring_back_vf("unplug")
    netvfd.wait_event("type=VF_UP", since=len(netvfd.events) // 2)
    assert netvfd.pair()["active"] == "hn"
    netvfd.ask("switch", "hn0", "auto")
    assert netvfd.pair()["active"] == "vf"
    assert echo.ask(20) == 20
    for words in (("switch", "hn7", "hn"), ("switch", "hn0", "up"), ("switch", "hn0")):
        with pytest.raises(subprocess.CalledProcessError):
            netvfd.ask(*words)
    assert netvfd.pair()["active"] == "vf"


def test_only_root_may_switch(guest, netvfd):
    nobody = guest.run("setpriv", "--reuid=65534", "--clear-groups", BUILD / "src/netvf/netvf",
                       "--run-dir", netvfd.run_dir, "switch", "hn0", "hn", check=False)
    assert nobody.returncode == 1
    assert "root" in nobody.stderr or "permit" in nobody.stderr


def holdings(guest, netvfd):
    """What a leak would add to: descriptors, filters, pins."""
    pins = [sorted(files) for _, _, files in os.walk(f"{netvfd.run_dir}/bpf")]
    filters = [
        [message.get_attr("TCA_KIND") for message in guest.netlink.get_filters(
            index=guest.namespace.index(name), parent=parent)]
        for name in ("hn0", "vf0", "lagg0") for parent in (0xFFFFFFF2, 0xFFFFFFF3)
    ]
    return len(os.listdir(f"/proc/{netvfd.process.pid}/fd")), filters, pins


def told(netvfd):
    """How many lines a person sees; that an event came, and what was told, is for who debugs."""
    debugging = ("netvfd: event ", "frames sent to tell the network")
    return sum(not any(part in line for part in debugging) for line in netvfd.log.splitlines())


def memory(netvfd):
    """The bytes that are its own."""
    rollup = open(f"/proc/{netvfd.process.pid}/smaps_rollup", encoding="ascii").read()
    return int(rollup.split("Private_Dirty:")[1].split()[0]) * 1024


@pytest.mark.timeout(300)
def test_a_vf_is_used_before_udev_has_named_it(guest, start_netvfd, echo):
    netvfd = start_netvfd(rcconf=RC_CONF.replace("hn0:vf0", "hn0:vf0 hn0:vf7"))
    with udev_busy():
        guest.attach_vf()
        netvfd.wait_active("vf", deadline=UDEV_WAIT - 1)
        guest.netlink.link("set", index=guest.namespace.index("vf0"), ifname="vf7")
        wait_lagg(netvfd)
        wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
        assert echo.ask(20) == 20
    assert netvfd.pair()["vf_port"]["name"] == "vf7"
    assert netvfd.pair()["active"] == "vf"


def test_a_vf_carries_before_its_rule_has_run(guest, start_netvfd, echo):
    netvfd = start_netvfd(actions=True)
    netvfd.actions.kill()
    netvfd.actions.wait()
    guest.attach_vf()
    netvfd.wait_active("vf")
    assert netvfd.pair()["form"] == "transparent"
    assert echo.ask(20) == 20
    netvfd.start_actions()
    wait_lagg(netvfd)
    assert echo.ask(20) == 20


def test_flapping_vf_is_held_down_and_returned_to(guest, start_netvfd, echo):
    """By the guest's hand and by the host's, in turn."""
    flaps = 10000
    netvfd = start_netvfd(rcconf=RC_CONF + 'netvf_holddown="5"\n')
    guest.attach_vf()
    wait_lagg(netvfd)
    wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
    switches, held = netvfd.pair()["switches"], holdings(guest, netvfd)
    began, lines, bytes_before = time.monotonic(), told(netvfd), memory(netvfd)
    for flap in range(flaps):
        kind = ("admindown", "linkdown")[flap % 2]
        for deed in guest.detach_vf, guest.bring_back_vf:
            deed(kind)
            echo.ask()
    seconds = time.monotonic() - began
    lines = told(netvfd) - lines
    lost = echo.sent - echo.returned
    seen = sum("subsystem=vf0 type=LINK_DOWN" in event for event in netvfd.events)
    assert echo.ask(20) == 20
    netvfd.wait_active("vf")
    assert echo.ask(20) == 20
    switches = netvfd.pair()["switches"] - switches
    grown = memory(netvfd) - bytes_before
    print(f"{flaps} flaps in {seconds:.1f} s, {seen} seen: {switches} switches, {lost} lost of"
          f" {echo.sent}, {lines} lines, {grown} bytes")
    assert seen > flaps / 2
    assert lost <= switches < 40
    assert lines <= seconds + 2
    if "ASAN_OPTIONS" not in os.environ:  # which keeps for a while what was freed
        assert grown < 50 * flaps
    wait_until(lambda: holdings(guest, netvfd) == held)


def test_netvf_tells_what_is(guest, netvfd):
    guest.attach_vf()
    wait_lagg(netvfd)
    assert "hn0: lagg, upper lagg0, on vf0" in netvfd.ask("status")
    assert netvfd.pair()["lagg"] == "bpf"
    assert netvfd.ask("sysctl", "-n", "hw.hn.vflist", "hw.hn.vfmap", "dev.hn.0.rxvf") == \
        "vf0\nvf0:hn0\nvf0\n"
    assert json.loads(netvfd.ask("sysctl", "--json"))["dev.hn.0.vf"] == "vf0"
    wait_until(lambda: "hyperv_vfup" in netvfd.ask("history"))
    what = [entry["what"] for entry in json.loads(netvfd.ask("history", "--json"))]
    assert what.index("switch") < what.index("VF_UP") < len(what)
    failed = guest.run(BUILD / "src/netvf/netvf", "--run-dir", netvfd.run_dir, "sysctl", "no.such",
                       check=False)
    assert failed.returncode == 1 and "no.such" in failed.stderr


def test_netvf_events_follow(guest, netvfd):
    process = guest.popen(BUILD / "src/netvf/netvf", "--run-dir", netvfd.run_dir, "events",
                          "--json", stdout=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True)
    try:
        reader.start()
        # Until it has subscribed, events pass it by.
        for number in range(200):
            send_uevent(guest.namespace, "add", f"/devices/x{number}", subsystem="misc",
                        devname=f"x{number}")
            reader.join(0.05)
            if lines:
                break
    finally:
        process.kill()
        process.wait()
    assert "system=DEVFS" in json.loads(lines[0])["line"]


def test_netvf_events_end_when_nobody_reads_them(guest, netvfd):
    """A service's SIGPIPE is ignored, and a shell in it cannot change that."""
    ignored = subprocess.Popen(
        ["sh", "-c", 'trap "" PIPE; exec "$@"', "sh", NETVF, "--run-dir", netvfd.run_dir, "events"],
        stdout=subprocess.PIPE)
    try:
        ignored.stdout.close()

        def has_ended():
            send_uevent(guest.namespace, "add", f"/devices/x{has_ended.number}", subsystem="misc",
                        devname=f"x{has_ended.number}")
            has_ended.number += 1
            return ignored.poll() is not None

        has_ended.number = 0
        wait_until(has_ended)
    finally:
        ignored.kill()
        ignored.wait()


def test_what_cannot_be_written_is_a_failure(guest, netvfd):
    for command in "status", "metrics", "doctor":
        done = guest.run("sh", "-c", '"$@" >/dev/full', "sh", NETVF, "--run-dir", netvfd.run_dir,
                         command, check=False)
        assert done.returncode == 1 and "No space left on device" in done.stderr, command


DAEMON = """#!/usr/bin/python3
import os, signal
log = os.open("{log}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(log, b"start\\n")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
if os.fork():
    os._exit(0)
os.setsid()
signal.sigwait([signal.SIGTERM])
os.write(log, b"stop\\n")
"""


@pytest.fixture
def hyperv_rules(tmp_path):
    """The shipped rules, with daemons of the test's own in place of Debian's."""
    text = RULES.read_text()
    for name in ("hv_kvp_daemon", "hv_vss_daemon"):
        program = tmp_path / name
        program.write_text(DAEMON.format(log=tmp_path / f"{name}.log"))
        program.chmod(0o755)
        text = text.replace(f"/usr/sbin/{name}", str(program))
    udevadm = tmp_path / "udevadm"  # of a system where nobody else starts them
    udevadm.write_text("#!/bin/sh\n")
    udevadm.chmod(0o755)
    return text.replace("udevadm", str(udevadm))


@pytest.mark.parametrize("node,cdev,name", [
    ("hv_kvp", "hv_kvp_dev", "hv_kvp_daemon"), ("hv_vss", "hv_fsvss_dev", "hv_vss_daemon")])
def test_device_nodes_start_and_stop_their_daemons(guest, start_netvfd, hyperv_rules, tmp_path,
                                                   node, cdev, name):
    netvfd = start_netvfd(rules=hyperv_rules)
    log = tmp_path / f"{name}.log"
    for _ in range(8):
        for action in ("add", "remove"):
            send_uevent(guest.namespace, action, f"/devices/virtual/misc/vmbus!{node}",
                        subsystem="misc", devname=f"vmbus/{node}")
    wait_until(lambda: log.exists() and log.read_text().count("stop") == 8,
               what=f"{name} was stopped for the last time")
    # pkill does not wait for the end, so the daemons' own words may overlap; the actions do not.
    assert log.read_text().count("start") == 8

    def actions():
        return [entry["command"] for entry in json.loads(netvfd.ask("history", "--json"))
                if entry["what"] == "action" and name in entry["command"]]

    wait_until(lambda: len(actions()) == 16)
    # The start comes after a question to udev, whether systemd starts it.
    ran = [command.rpartition("|| exec ")[2] for command in actions()]
    assert ran == [str(tmp_path / name), f"pkill -x {name}"] * 8
    assert netvfd.events.count(f"!system=DEVFS subsystem=CDEV type=CREATE cdev={cdev}") == 8


def test_what_systemd_starts_is_not_started_again(guest, start_netvfd, hyperv_rules, tmp_path):
    """udev's database has hyperv-daemons' rule for the one, and for the other nothing."""
    (tmp_path / "udevadm").write_text("""#!/bin/sh
case $* in *hv_kvp) echo SYSTEMD_WANTS=hv-kvp-daemon.service ;; esac
""")
    netvfd = start_netvfd(rules=hyperv_rules)
    for node in ("hv_kvp", "hv_vss"):
        send_uevent(guest.namespace, "add", f"/devices/virtual/misc/vmbus!{node}",
                    subsystem="misc", devname=f"vmbus/{node}")

    def ended():
        return [entry for entry in json.loads(netvfd.ask("history", "--json"))
                if entry["what"] == "action" and "hv_" in entry["command"]]

    wait_until(lambda: (tmp_path / "hv_vss_daemon.log").exists() and len(ended()) == 2)
    assert not (tmp_path / "hv_kvp_daemon.log").exists()


def test_a_name_is_data_and_never_code(guest, start_netvfd, tmp_path):
    seen = tmp_path / "seen"
    start_netvfd(rules=f"""
        notify 10 {{
            match "system" "ETHERNET";
            match "type" "IFATTACH";
            action "cd {tmp_path} && printf '%s\\n' $subsystem >> {seen}; echo $subsystem";
        }};
    """)
    names = ["$(touch${IFS}p)", "`touch${IFS}p`", "a';touch${IFS}p", "a;touch${IFS}p#",
             'a"b\\"c', "a&&>p", "-n"]
    for number, name in enumerate(names):
        guest.netlink.link("add", ifname=name, kind="veth", peer={"ifname": f"peer{number}"})
    wait_until(lambda: seen.exists() and set(names) <= set(seen.read_text().split("\n")))
    assert not (tmp_path / "p").exists()
    assert not os.path.exists("/p")


def test_reload_takes_good_files_and_leaves_bad_ones(guest, start_netvfd, tmp_path):
    netvfd = start_netvfd(rules="")
    netvfd.rules.write_text(
        f'notify 1 {{ match "system" "DEVFS"; action "touch {tmp_path}/one"; }};')
    netvfd.reload()
    wait_until(lambda: netvfd.status()["rules"] == 1)
    netvfd.rules.write_text("notify 1 { action }")
    netvfd.reload()
    wait_until(lambda: "stays" in netvfd.log)
    send_uevent(guest.namespace, "add", "/devices/x", subsystem="misc", devname="x")
    wait_until((tmp_path / "one").exists)
    assert f"{netvfd.rules}:1" in netvfd.log


def test_oversized_events_are_told_and_dropped(guest, netvfd):
    send_uevent(guest.namespace, "add", "/devices/x", subsystem="misc", devname="x" * 1500)
    send_uevent(guest.namespace, "add", "/devices/y", subsystem="misc", devname="y")
    netvfd.wait_event("cdev=y")
    assert not [line for line in netvfd.events if "xxxx" in line]
    assert "dropped: Message too long" in netvfd.log


def test_usage_and_a_second_daemon(guest, netvfd):
    assert subprocess.run([NETVFD, "-F"], capture_output=True).returncode == 1
    second = guest.run(NETVFD, "-d", "-f", netvfd.rules, "-c", netvfd.rcconf, "--run-dir",
                       netvfd.run_dir, check=False)
    assert second.returncode == 1
    assert "another netvfd" in second.stderr
    assert netvfd.pair()


def test_one_network_namespace_is_for_one(guest, topology, netvfd, tmp_path):
    """Another directory makes it no other's: both would drive the same pairs."""
    command = [NETVFD, "-d", "-f", netvfd.rules, "-c", netvfd.rcconf, "--run-dir",
               tmp_path / "other"]
    second = guest.run(*command, check=False)
    assert second.returncode == 1
    assert "another netvfd serves this network namespace" in second.stderr
    assert netvfd.pair()
    host = topology.host.popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert any(" ready: " in line for line in host.stderr), "in another namespace it runs"
    finally:
        host.kill()
        host.wait()


def test_one_run_directory_is_for_one(guest, tmp_path):
    (tmp_path / "rc.conf").write_text(RC_CONF)
    (tmp_path / "devd.conf").write_text("")
    command = [NETVFD, "-d", "-f", tmp_path / "devd.conf", "-c", tmp_path / "rc.conf",
               "--run-dir", tmp_path]
    holder = subprocess.Popen(["flock", tmp_path / LOCK, "cat"], stdin=subprocess.PIPE)
    probe = ["flock", "-n", tmp_path / LOCK, "true"]
    wait_until(lambda: subprocess.run(probe, check=False).returncode)
    second = guest.run(*command, check=False)
    holder.communicate()
    assert (second.returncode, "another netvfd" in second.stderr) == (1, True)


def test_the_last_of_a_dead_netvfd_is_waited_for(guest, tmp_path):
    """A child of its that is just being started holds the lock a moment longer."""
    (tmp_path / "rc.conf").write_text(RC_CONF)
    (tmp_path / "devd.conf").write_text("")
    lock = os.open(tmp_path / LOCK, os.O_RDONLY | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    netvfd = guest.popen(NETVFD, "-d", "-f", tmp_path / "devd.conf", "-c", tmp_path / "rc.conf",
                         "--run-dir", tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        find = ["find", f"/proc/{netvfd.pid}/fd", "-lname", tmp_path / LOCK]
        wait_until(lambda: subprocess.run(find, capture_output=True, check=False).stdout)
        os.close(lock)
        assert any(" ready: " in line for line in netvfd.stderr)
    finally:
        netvfd.kill()
        netvfd.wait()


def test_a_lock_that_any_user_may_hold_keeps_nobody_out(guest, tmp_path):
    """Whoever may read a directory or a file may lock it (flock(2))."""
    (tmp_path / "rc.conf").write_text(RC_CONF)
    (tmp_path / "devd.conf").write_text("")
    lock = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    netvfd = guest.popen(NETVFD, "-d", "-f", tmp_path / "devd.conf", "-c", tmp_path / "rc.conf",
                         "--run-dir", tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        assert any(" ready: " in line for line in netvfd.stderr)
        assert (tmp_path / LOCK).stat().st_mode & 0o077 == 0
    finally:
        os.close(lock)
        netvfd.kill()
        netvfd.wait()


def test_a_faulty_configuration_has_a_status_of_its_own(guest, tmp_path):
    (tmp_path / "devd.conf").write_text("notify 0 {")
    failed = guest.run(NETVFD, "-d", "-f", tmp_path / "devd.conf", "-c", tmp_path / "rc.conf",
                       "--run-dir", tmp_path / "run", check=False)
    assert failed.returncode == 78 and "netvfd --check" in failed.stderr


def test_background_returns_when_the_backlog_is_done(guest, tmp_path):
    pid_file = tmp_path / "pid"
    (tmp_path / "rc.conf").write_text(RC_CONF)
    (tmp_path / "devd.conf").write_text(f"""
        options {{ pid-file "{pid_file}"; }};
        notify 1 {{ match "subsystem" "hn0"; match "type" "ATTACH";
                    action "read x < {tmp_path}/fifo; echo done >> {tmp_path}/marks"; }};
    """)
    os.mkfifo(tmp_path / "fifo")
    process = guest.popen(NETVFD, "-f", tmp_path / "devd.conf", "-c", tmp_path / "rc.conf",
                          "--run-dir", tmp_path / "run")
    wait_until(pid_file.exists)
    assert process.poll() is None
    (tmp_path / "fifo").write_text("go\n")
    assert process.wait(10) == 0
    assert (tmp_path / "marks").read_text() == "done\n"
    os.kill(int(wait_until(pid_file.read_text)), signal.SIGTERM)
    wait_until(lambda: not pid_file.exists())


def test_in_the_background_one_runs_in_each_namespace(guest, tmp_path):
    """Also if devd.conf names one pid file for all of them."""
    pid_file = tmp_path / "pid"
    (tmp_path / "rc.conf").write_text(RC_CONF)
    (tmp_path / "devd.conf").write_text(f'options {{ pid-file "{pid_file}"; }};\n')

    def start(name, *where):
        done = guest.run(*where, NETVFD, "-f", tmp_path / "devd.conf", "-c", tmp_path / "rc.conf",
                         "--run-dir", tmp_path / name, check=False)
        assert done.returncode == 0, done.stderr
        return int(json.loads(guest.run(NETVF, "--json", "--run-dir", tmp_path / name, "status",
                                        check=True).stdout)["pid"])

    pids = []
    try:
        pids.append(start("first"))
        pids.append(start("second", "unshare", "--net", "--"))
        assert int(pid_file.read_text()) == pids[0] != pids[1]
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not pid_file.exists())


RULE = 'notify 10 { match "system" "ETHERNET"; match "type" "IFATTACH"; action "%s"; };\n'
VFATTACH = "/usr/libexec/hyperv/hyperv_vfattach $subsystem 0"


def test_interfaces_that_are_nobodys_vf_cost_no_program(start_netvfd, guest):
    """A host of containers makes a thousand of them."""
    netvfd = start_netvfd()
    since = len(netvfd.events)
    for number in range(50):
        guest.netlink.link("add", ifname=f"c{number}a", kind="veth", peer=f"c{number}b")
    netvfd.wait_event("subsystem=c49b type=IFATTACH", since)
    guest.attach_vf()
    netvfd.wait_active("vf")
    assert re.findall(r": running \S*hyperv_vfattach '(\S*)'", netvfd.log) == ["vf0"]


def test_another_action_is_run_for_every_interface(start_netvfd, guest, tmp_path):
    """Also where it begins as hyperv_vfattach does."""
    seen = tmp_path / "seen"
    netvfd = start_netvfd(rules=RULE % f"{VFATTACH}; echo $subsystem >>{seen}")
    guest.netlink.link("add", ifname="c0", kind="veth", peer="c1")
    wait_until(lambda: seen.exists() and {"hn0", "c0", "c1"} <= set(seen.read_text().split()))
    assert netvfd.pair()["active"] == "hn"


@pytest.mark.skipif("NETVF_LONG" not in os.environ, reason="takes a minute: NETVF_LONG=1")
def test_netvf_lists_as_many_pairs_as_there_may_be(guest, start_netvfd):
    """Their descriptions are longer than one answer may be."""
    count = 1024
    ends = "".join(f"link add pair{n}a type veth peer name pair{n}b\n" for n in range(count // 2))
    names = [f"pair{n}{end}" for n in range(count // 2) for end in "ab"]
    guest.run("ip", "-batch", "-", input=ends, check=True)
    netvfd = start_netvfd(rcconf='netvf_pairs="{}"\n'.format(
        " ".join(f"{name}:vf-of-{name}" for name in names)))

    def listed():
        return {pair["hn"] for pair in netvfd.status()["pairs"]}

    wait_until(lambda: listed() >= set(names), 60, "all pairs are listed")
    assert len(netvfd.status()["pairs"]) == len(listed())
    assert "too long" not in netvfd.ask("doctor", check=False)
    assert netvfd.ask("metrics").count('netvf_port_usable{hn="pair') >= count
