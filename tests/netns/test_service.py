# SPDX-License-Identifier: BSD-2-Clause
"""netvfd as systemd runs it: the unit's capabilities, readiness, watchdog, end and restart."""

import os
import re
import signal
import socket
import stat

import pytest

from conftest import RC_CONF
from harness import BUILD, DEADLINE, bounded, bounded_as_the_unit, dptool, wait_until
from netvf_lab.topology import GUEST_ADDRESS, PREFIX


def test_the_units_capabilities_suffice(start_netvfd, guest, tmp_path):
    """The whole job under the units' bounds."""
    netvfd = start_netvfd(under=bounded_as_the_unit(), actions=True)
    status = open(f"/proc/{netvfd.process.pid}/status").read()
    assert "CapBnd:\t000001ff" not in status, "the bounds are in force"
    guest.attach_vf()
    netvfd.wait_active("vf")
    wait_until(lambda: guest.addresses("lagg0") == {f"{GUEST_ADDRESS}/{PREFIX}"})
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    guest.bring_back_vf("unplug")
    netvfd.wait_active("vf")
    # The unit's LimitRTPRIO is not set here, and not every kernel has the functions for hooks.
    lines = [line for line in netvfd.log.splitlines()
             if not re.search("the kernel refuses hooks|no real-time priority", line)]
    assert not re.search("ermission denied|not permitted|lacks", "\n".join(lines))


def test_no_administrators_capability_is_needed(start_netvfd, guest, tmp_path):
    """None that leads to all others. Over a restart too, and where programs of others stand."""
    mount_point = tmp_path / "netvfd0/run/bpf"
    mount_point.mkdir(parents=True)
    guest.run("mount", "-t", "bpf", "-o", "mode=0700", "bpf", mount_point)
    under = bounded(["net_admin", "net_raw", "bpf", "perfmon"])
    netvfd = start_netvfd(under=under)
    guest.attach_vf()
    for _ in range(2):
        netvfd.wait_active("vf")
        wait_until(lambda: guest.addresses("lagg0") == {f"{GUEST_ADDRESS}/{PREFIX}"})
        guest.detach_vf("unplug")
        netvfd.wait_active("hn")
        netvfd.kill()
        netvfd.start(under=under)
        guest.bring_back_vf("unplug")
    netvfd.wait_active("vf")
    assert "cannot" not in netvfd.log


def ask_actions(netvfd, *parts):
    """All answers to a request of these lines."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(DEADLINE)
        client.connect(str(netvfd.run_dir / "actions.sock"))
        client.send("\n".join(parts).encode())
        answers = [client.recv(100).decode()]
        if answers[0].startswith("started"):
            answers.append(client.recv(100).decode())
        return answers


RENAME = "!system=IFNET subsystem=one type=RENAME name=two"
RENAME_RULE = """
    notify 10 {{
        match "type" "RENAME";
        action "{action}";
    }};"""


def test_only_what_a_rule_makes_of_an_event_is_run(start_netvfd, guest, tmp_path):
    marks = tmp_path / "marks"
    rule = RENAME_RULE.format(action=f"echo $timestamp $name >>{marks}; exit 3")
    netvfd = start_netvfd(rules=rule, actions=True)
    assert stat.S_IMODE((netvfd.run_dir / "actions.sock").stat().st_mode) == 0o600
    made = f"echo '5.000006' 'two' >>{marks}; exit 3"
    started, ended = ask_actions(netvfd, "5.000006", RENAME, made)
    assert started.startswith("started ") and ended == f"ended {3 << 8}"
    assert marks.read_text() == "5.000006 two\n"
    for request in ((RENAME, f"touch {tmp_path}/bad"), (RENAME.replace("two", "x"), made),
                    ("?odd", made), ("", ""), (RENAME,)):
        assert ask_actions(netvfd, "5.000006", *request)[0].startswith("refused "), request
    assert marks.read_text() == "5.000006 two\n" and not (tmp_path / "bad").exists()


def test_pins_that_somebody_unmounted_are_pinned_again(start_netvfd, guest):
    """All of them: the programs at ingress and at egress use different maps. Of the transparent
    form the one at ingress is found first."""
    transparent = 'netvf_vf_transparent="YES"\nnetvf_vf_xpnt_attwait="0"\n'
    netvfd = start_netvfd(rcconf=RC_CONF + transparent)
    guest.attach_vf()
    netvfd.wait_active("vf")
    pins = netvfd.run_dir / "bpf"
    made = guest.run("ls", pins).stdout.split()
    netvfd.kill()
    guest.run("umount", pins, check=True)
    guest.run(BUILD / "src/netvfd/netvfd", "--repin", "--run-dir", netvfd.run_dir, check=True)
    # A hook's pin is all it has, and a label is written by who has loaded the programs.
    assert guest.run("ls", pins).stdout.split() == [
        name for name in made if name != "label" and not name.startswith("netvf_")]
    netvfd.start()
    assert "adopted the data path of an earlier netvfd: 1 pairs" in netvfd.log


def test_actions_wait_for_who_runs_them(start_netvfd, guest, tmp_path):
    """netvf_actions dies, with what it attends to going on, and comes back."""
    marks = tmp_path / "marks"
    gate = tmp_path / "gate"
    gate.mkdir()
    rule = RENAME_RULE.format(
        action=f"echo $name >>{marks}; while [ -d {gate} ]; do sleep 0.02; done")
    netvfd = start_netvfd(rules=rule, actions=True)
    guest.netlink.link("add", ifname="one", kind="bridge")
    guest.netlink.link("set", index=guest.namespace.index("one"), ifname="two")
    wait_until(lambda: marks.exists() and marks.read_text() == "two\n")
    netvfd.actions.kill()
    netvfd.actions.wait()
    guest.netlink.link("set", index=guest.namespace.index("two"), ifname="three")
    wait_until(lambda: "netvfd tries again" in netvfd.log)
    netvfd.start_actions()
    wait_until(lambda: marks.read_text() == "two\nthree\n")
    gate.rmdir()
    wait_until(lambda: netvfd.log.count("ended with status 0") == 2)


def test_an_action_is_ended_at_its_limit_elsewhere_too(start_netvfd, guest, tmp_path):
    rule = RENAME_RULE.format(action="sleep 1000; true")
    rcconf = 'netvf_action_timeout="1"\n'
    netvfd = start_netvfd(rules=rule, rcconf=rcconf, actions=True,
                          under=bounded_as_the_unit())
    guest.netlink.link("add", ifname="one", kind="bridge")
    guest.netlink.link("set", index=guest.namespace.index("one"), ifname="two")
    wait_until(lambda: "was ended at its time limit" in netvfd.log)


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """Listens as systemd does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
        yield manager


def hear(manager, word):
    while word not in (heard := manager.recv(4096).decode()):
        pass
    return heard


def test_tells_systemd_how_it_is(manager, guest, start_netvfd, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    guest.attach_vf()
    netvfd = start_netvfd()
    assert hear(manager, "=") == "WATCHDOG=1"
    hear(manager, "READY=1")
    for _ in range(3):
        hear(manager, "WATCHDOG=1")
    netvfd.reload()
    hear(manager, "RELOADING=1")
    hear(manager, "READY=1")
    netvfd.stop()
    hear(manager, "STOPPING=1")


def test_is_not_ready_with_a_bad_configuration(manager, start_netvfd):
    with pytest.raises(AssertionError, match="ended at its start"):
        start_netvfd(rules="notify {")
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(4096)


def test_a_stop_leaves_traffic_and_actions_alone(start_netvfd, guest, tmp_path):
    marks = tmp_path / "marks"
    os.mkfifo(tmp_path / "gate")
    netvfd = start_netvfd(rules=f"""
        notify 10 {{
            match "type" "RENAME";
            action "echo begun >>{marks}; cat {tmp_path}/gate >>{marks}";
        }};""")
    guest.netlink.link("add", ifname="one", kind="bridge")
    guest.netlink.link("set", index=guest.namespace.index("one"), ifname="two")
    wait_until(marks.exists)
    guest.attach_vf()
    guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
    netvfd.wait_active("vf")
    assert netvfd.stop(signal.SIGTERM) == 0
    assert dptool(guest, "programs", "vf0")[0]
    (tmp_path / "gate").write_text("done\n")
    wait_until(lambda: marks.read_text() == "begun\ndone\n")


def test_sockets_are_for_everyone(netvfd):
    for name in "devd.seqpacket.pipe", "devd.pipe", "netvfd.sock":
        assert stat.S_IMODE(os.stat(netvfd.run_dir / name).st_mode) == 0o666, name


def test_what_exists_already_is_told_to_rules_once(start_netvfd, tmp_path):
    marks = tmp_path / "marks"
    netvfd = start_netvfd(rules=f"""
        notify 10 {{
            match "system" "IFNET";
            match "type" "ATTACH";
            action "echo $subsystem >>{marks}";
        }};""")
    wait_until(lambda: marks.exists() and len(marks.read_text().split()) >= 2)
    wait_until(lambda: netvfd.status()["actions_running"] == 0)
    assert sorted(marks.read_text().split()) == ["hn0", "lo"]
