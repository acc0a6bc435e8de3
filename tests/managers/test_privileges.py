# SPDX-License-Identifier: BSD-2-Clause
"""netvfd as its unit runs it on Debian: every rule of the shipped file and migrations work with few
rights, under AppArmor, and in each mode of the kernel's lockdown."""

import json
import os

import pytest

import root
from conftest import PLACES
from netvf_lab.vm.session import Session
from test_managers import HN, MANAGERS, Managed, Story

# netvfd's capabilities as /proc/PID/status has them: NET_ADMIN, NET_RAW, PERFMON, BPF.
CAPABILITIES = sum(1 << number for number in (12, 13, 38, 39))
SYS_ADMIN = 1 << 21

# What stands in for a daemon of Hyper-V: it tells what it may do and where, and goes on.
DAEMON = """\
#!/bin/sh
{ grep CapBnd /proc/self/status; readlink /proc/self/ns/mnt; } >/run/$(basename $0).told
(while :; do sleep 1; done) &
"""

# As the kernel tells of a device; it passes on what root sends (Linux 4.18).
UEVENT = """\
my ($action, $name) = @ARGV;
my $path = "/devices/virtual/misc/vmbus!$name";
my $text = join("", map { "$_\\0" } "$action\\@$path", "ACTION=$action", "DEVPATH=$path",
    "SUBSYSTEM=misc", "DEVNAME=vmbus/$name");
socket(S, 16, 3, 15) or die $!;
send(S, pack("LSSLL", 16 + length $text, 16, 1, 0, 0) . $text, 0, pack("SSLL", 16, 0, 0, 0))
    or die $!;
"""

# (words for the kernel, the mode of the lockdown, whether AppArmor confines netvfd)
KERNELS = {
    "apparmor": ("", "none", True),
    "integrity": ("lockdown=integrity", "integrity", True),
    "confidentiality": ("lockdown=confidentiality apparmor=0", "confidentiality", False),
}


def status_of(guest, pid):
    lines = guest.run(f"cat /proc/{pid}/status").splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def assert_confined(guest, lockdown, apparmor):
    pid = guest.run("systemctl show -P MainPID netvfd").strip()
    status = status_of(guest, pid)
    assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == CAPABILITIES
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    assert f"[{lockdown}]" in guest.run("cat /sys/kernel/security/lockdown")
    profile = guest.run(f"cat /proc/{pid}/attr/current 2>/dev/null || echo none")
    assert ("netvfd (" in profile) == apparmor, profile


def real_time_priority(guest):
    """rt_priority of proc(5): the 40th word of stat. 0: netvfd has none."""
    pid = guest.run("systemctl show -P MainPID netvfd").strip()
    return int(guest.run(f"cut -d' ' -f40 /proc/{pid}/stat"))


def assert_hooks_run(guest):
    """Each hook that a link of one's own can have run has done so, before any VF came."""
    told = json.loads(guest.run("netvf --json status"))["moments"]
    by_hook = {moment["moment"]: moment["runs"] for moment in told if moment["by"] == "hook"}
    seen = ("unregistered", "set down", "carrier lost")
    assert min(by_hook[moment] for moment in seen) > 0, by_hook


def assert_rules_of_devices(story):
    """hv_kvp_daemon and hv_vss_daemon begin and end with their devices, with what they need."""
    guest = story.guest
    guest.write("/run/uevent", UEVENT.splitlines())
    for name in ("kvp", "vss"):
        daemon = f"hv_{name}_daemon"
        guest.write(f"/usr/sbin/{daemon}", DAEMON.splitlines())
        guest.run(f"chmod 755 /usr/sbin/{daemon}")
        guest.run(f"perl /run/uevent add hv_{name}")
        story.await_(f"pgrep -x {daemon} >/dev/null")
        bounds, mounts = guest.run(f"cat /run/{daemon}.told").splitlines()
        assert int(bounds.split()[1], 16) & SYS_ADMIN
        assert mounts == guest.run("readlink /proc/1/ns/mnt").strip()
        guest.run(f"perl /run/uevent remove hv_{name}")
        story.await_(f"! pgrep -x {daemon} >/dev/null")


def assert_nothing_was_refused(guest):
    journal = guest.run("journalctl -b --no-pager")
    refused = [line for line in journal.splitlines()
               if 'profile="netvfd"' in line and ("DENIED" in line or "ALLOWED" in line)
               or "netvf" in line and ("not permitted" in line or "netvfd lacks" in line)
               and "no hooks in the kernel" not in line]
    assert not refused, "\n".join(refused)


def migrate(story):
    story.unplug()
    story.plug()


@pytest.mark.timeout(root.BOOTED_WITHIN + 300, func_only=True)
@pytest.mark.parametrize("name", KERNELS)
def test_all_works_with_few_rights(debian, name):
    kernel, busybox, image = debian
    words, lockdown, apparmor = KERNELS[name]
    manager = MANAGERS["ifupdown"]
    archive = f"/run/{name}.initramfs"
    root.archive(archive, kernel, busybox, manager.files, manager.links)
    directory = f"/run/dhcp-{name}"
    os.mkdir(directory)
    with Session(Managed(directory), PLACES, kernel, archive, disk=image, memory="1G",
                 append=words) as session:
        session.boot(within=root.BOOTED_WITHIN)
        guest = session.guest
        try:
            story = Story(session, manager, directory)
            story.await_("systemctl is-active netvfd >/dev/null")
            assert_confined(guest, lockdown, apparmor)
            story.name_server()
            if lockdown != "confidentiality":  # which refuses hooks
                assert_hooks_run(guest)
            assert_rules_of_devices(story)
            assert real_time_priority(guest) == 0
            story.plug()
            assert real_time_priority(guest) == 1
            migrate(story)
            guest.run("systemctl restart netvfd")
            migrate(story)
            # Pins that somebody unmounted are found again by who may.
            guest.run("systemctl stop netvfd; umount /run/netvf/bpf; systemctl start netvfd")
            assert "adopted the data path of an earlier netvfd: 1 pairs" in guest.run(
                "journalctl -b -u netvfd --no-pager | tail -n 20")
            migrate(story)
            guest.run("systemctl reload netvfd")
            if lockdown != "confidentiality":
                assert_hooks_run(guest)
            print(json.loads(guest.run("netvf status --json"))["handover"])
            guest.run(f"netvf release {HN}", within=30)
            story.check(HN)
            assert_confined(guest, lockdown, apparmor)
            assert_nothing_was_refused(guest)
        except BaseException:
            print("\n".join(session.log()))
            print(guest.run("dmesg | grep -i 'apparmor\\|lockdown' | tail -n 30", check=False))
            raise
