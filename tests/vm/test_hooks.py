# SPDX-License-Identifier: BSD-2-Clause
"""What is in the kernel takes the frames to hn, also when netvfd is killed right before the VF
goes; and which hooks a kernel takes."""

import json

import pytest
from setting import ARCHIVE, PLACES, long

from netvf_lab.agents import FROM_GUEST, HN
from netvf_lab.report import Report
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.qemu import SLOTS
from netvf_lab.vm.run import VmOptions, VmRun
from netvf_lab.vm.session import Session

PPS = 1000
# A frame may be between the look at the VF and its queue when the queue stops.
SPLIT_SECOND = 1
# A look does not see that e1000e's driver has begun to drop frames, some time before it closes the
# device: on a busy machine some are lost. Without the programs' help all are that the guest sends.
BUSY = 50


class Killed(Netvf):
    """Dies when the VF carries the traffic; the next VF finds another netvfd."""

    events = ()
    hooks = "auto"

    def __init__(self):
        self.handover = None

    def settle(self, guest):
        super().settle(guest)
        by_vf = "^hn0: lagg, upper lagg0, on eth"
        guest.run(f"until netvf status | grep -q '{by_vf}'; do usleep 9000; done")
        self.handover = guest.run("netvf status | grep '^handover'")
        guest.run("kill -9 $(pidof netvfd)")

    def restart(self, guest, hooks):
        guest.run(f"echo 'netvf_hooks=\"{hooks}\"' >>/etc/netvf/rc.conf")
        guest.run("netvfd -d </dev/null >/run/netvfd.log 2>&1 &")
        guest.run("until netvf status >/dev/null 2>&1; do usleep 9000; done", within=60)


def unplug(session, may_lose):
    options = VmOptions(
        rules=PLACES.rules, cycles=1, pps=PPS, detach="acpi", back="never", dwell=0.3,
        packets=200)
    run = VmRun(options, session)
    run.run()
    assert run.failure is None, run.failure
    assert run.switches[-1].to == HN
    values = Report(run).values()
    assert values["tcp"]["survived"]
    assert values["lost"]["from_guest"] <= may_lose
    assert min(run.results["observed"]["dirs"][FROM_GUEST]["packets"]) > 100
    run.clear()


def moments(guest):
    """{moment: by what it is seen}, {moment: how often the hook has run}"""
    told = json.loads(guest.run("netvf --json status"))["moments"]
    return {one["moment"]: one["by"] for one in told}, {one["moment"]: one["runs"] for one in told}


ALL_BY_HOOK = dict.fromkeys(
    ("driver unbinds", "unregistered", "set down", "carrier lost", "detached"), "hook")


@pytest.mark.timeout(300)
def test_nothing_is_lost_at_an_unplug_without_netvfd(kernel):
    with Session(Killed(), PLACES, kernel, ARCHIVE) as session:
        unplug(session, SPLIT_SECOND)
        assert session.peer.handover.startswith("handover by hooks: ")

        session.peer.restart(session.guest, "no")
        unplug(session, BUSY)
        assert session.peer.handover.startswith("handover by looks: ")
        assert 'netvf_hooks is "no"' in session.peer.handover


def configure_anew(guest, hidden=None):
    """Has netvfd attach its hooks again; hidden: names that the kernel's BTF is not to have."""
    guest.run("umount /sys/kernel/btf/vmlinux 2>/dev/null", check=False)
    if hidden:
        guest.run(f"sed 's/{hidden}/\\1X/g' /sys/kernel/btf/vmlinux >/run/btf"
                  " && mount --bind /run/btf /sys/kernel/btf/vmlinux")
    guest.run(">/run/netvfd.log; kill -HUP $(pidof netvfd);"
              " until grep -q 'configuration again' /run/netvfd.log; do usleep 9000; done")


@pytest.mark.timeout(300)
def test_each_hook_is_seen_to_run_and_one_that_is_missing_is_one(kernel):
    with Session(Netvf(), PLACES, kernel, ARCHIVE) as session:
        session.boot()
        guest = session.guest
        by, runs = moments(guest)
        assert by == ALL_BY_HOOK
        assert min(runs[moment] for moment in ("unregistered", "set down", "carrier lost")) > 0

        # What is another name's moment too.
        configure_anew(guest, "\\(dev_close_man\\|netif_close_man\\).")
        assert moments(guest)[0] == ALL_BY_HOOK
        # The looks see what a hook does not; but not that a driver is to let go.
        configure_anew(guest, "\\(dev_deactivate_man\\).")
        assert moments(guest)[0] == {**dict.fromkeys(ALL_BY_HOOK, "look"), "driver unbinds": "hook"}
        assert "  looks see: unregistered, set down, " in guest.run("netvf status")
        configure_anew(guest, "\\(device_release_drive\\).")
        assert moments(guest)[0] == {**ALL_BY_HOOK, "driver unbinds": "nothing"}
        assert "  unseen: driver unbinds\n" in guest.run("netvf doctor", check=False)
        configure_anew(guest)
        assert moments(guest)[0] == ALL_BY_HOOK

        session.plug("e1000e", SLOTS["acpi"][0])
        session.await_link()
        before = moments(guest)[1]["driver unbinds"]
        session.qemu.unplug()
        session.qemu.await_unplugged()
        assert moments(guest)[1]["driver unbinds"] > before


class Hidden(Killed):
    """In a kernel that has one of the hooks' functions less."""

    def start(self, guest):
        super().start(guest)
        configure_anew(guest, "\\(dev_deactivate_man\\).")


@pytest.mark.timeout(300)
@long
def test_nothing_is_lost_with_a_hook_less(kernel):
    with Session(Hidden(), PLACES, kernel, ARCHIVE) as session:
        unplug(session, SPLIT_SECOND)
        assert session.peer.handover.startswith("handover by looks: ")
