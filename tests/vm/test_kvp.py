# SPDX-License-Identifier: BSD-2-Clause
"""Hyper-V's key-value and snapshot devices come and go in a real guest, and with them Debian's own
daemons, which the shipped rules start and stop. The devices are made by hvcuse."""

import json
import shutil

import pytest
from setting import BUILD, PLACES

from netvf_lab.loop import Lines
from netvf_lab.topology import GUEST_ADDRESS
from netvf_lab.vm import initramfs
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.session import Session

ARCHIVE = "/run/initramfs-kvp"
# For the devices; for a file system to freeze.
MODULES = ("cuse", "brd", "crc32c_generic", "ext4")
FQDN = "guest.netvf.example"
SYSTEM = "Guest of netvf"
DISK = "/mnt"
DAEMONS = ("hv_kvp_daemon", "hv_vss_daemon")
NO_MORE = "80070103"  # HV_S_CONT, the daemon's word for what it has not
CYCLES = 3
WITHIN = 30  # seconds
# Values that the daemon knows by itself, by linux/hyperv.h's index.
FULL_NAME, VERSION, IPV4, BUILD_NUMBER, OS_NAME = 0, 1, 2, 4, 5


class Devices:
    """hvcuse in the guest, and the daemons that netvfd starts and stops there."""

    def __init__(self, session):
        self.guest = session.guest
        self.kernel = session.kernel
        self._loop = session.loop
        self._said = []
        self.seen = dict.fromkeys(DAEMONS, 0)  # of netvfd's actions
        process = self.guest.popen(["hvcuse"])
        self._stdin = process.stdin
        Lines(self._loop, process.stdout, self._said.append)

    def tell(self, *commands):
        self._stdin.write("".join(f"{command}\n" for command in commands).encode())
        self._stdin.flush()

    def hear(self, *begins):
        """The next line that begins so; those before it are dropped."""
        found = []

        def heard():
            while self._said and not found:
                line = self._said.pop(0)
                found.extend([line] if line.startswith(begins) else [])
            return found

        self._loop.wait(heard, WITHIN, f"hvcuse says {begins}")
        return found[0]

    def ask(self, command):
        """What a daemon answers; None when there is no daemon."""
        node = command.split()[0]
        self.tell(command)
        line = self.hear(f"{node} answer ", f"{node} failed: ")
        return line.partition(" answer ")[2] or None

    def value(self, index):
        status, _, text = self.ask(f"kvp enumerate {index}").partition(" ")
        assert status == "0"
        return text.partition("=")[2]

    def hear_of_both(self, what):
        """In any order."""
        first = self.hear(f"kvp {what}", f"vss {what}")
        self.hear(f"{'vss' if first.startswith('kvp') else 'kvp'} {what}")

    def create(self):
        """Both, and waits for their daemons."""
        self.tell("kvp create", "vss create")
        self.hear_of_both("registered")

    def destroy(self):
        self.tell("kvp destroy", "vss destroy")

    def pids(self, daemon):
        return self.guest.run(f"pidof {daemon}", check=False).split()

    def wait(self, condition):
        """Until a condition of sh holds in the guest."""
        self.guest.run(f"until {condition}; do usleep 20000; done", within=WITHIN)

    def await_answer(self, command):
        """When the last of several daemons has registered, nobody knows."""
        self._loop.wait(lambda: self.ask(command), WITHIN, f"a daemon answers '{command}'")

    def actions(self, daemon, count):
        """The next so many actions about a daemon that netvfd has run: (command, end). Without the
        question to udev that comes first, whether systemd starts one."""
        found = []

        def there():
            history = json.loads(self.guest.run("netvf history --json"))
            found[:] = [
                (entry["command"].rpartition("|| exec ")[2], entry["end"]) for entry in history
                if entry["what"] == "action" and daemon in entry["command"]
            ][self.seen[daemon]:]
            return len(found) >= count

        self._loop.wait(there, WITHIN, f"netvfd has run {count} actions about {daemon}")
        self.seen[daemon] += len(found)
        return found

    def await_cycle(self):
        """Both devices have gone: their daemons end, once started and once stopped."""
        self.wait(f"! pidof {' '.join(DAEMONS)} >/dev/null")
        for daemon in DAEMONS:
            commands = [command for command, _ in self.actions(daemon, 2)]
            assert commands == [f"/usr/sbin/{daemon}", f"pkill -x {daemon}"]

    def write_in_background(self):
        """To the disk; returns when that is held back."""
        writer = self.guest.run(
            f"rm -f /run/written; (echo new >{DISK}/file; cp {DISK}/file /run/written)"
            " >/dev/null 2>&1 & echo $!"
        ).strip()
        self.wait(f"grep -q 'State:.D' /proc/{writer}/status")
        self.guest.run("[ ! -e /run/written ]")

    def await_written(self):
        self.wait("grep -qs new /run/written")


@pytest.fixture(scope="module")
def devices(debian):
    kernel, busybox, package = debian
    pkill = shutil.which("pkill")
    if not pkill:
        pytest.skip("there is no pkill here (Debian's procps), which the rules run")
    programs = [f"{package}/usr/sbin/{daemon}" for daemon in DAEMONS]
    programs += [str(BUILD / "tests/hvcuse"), pkill]
    initramfs.build(ARCHIVE, PLACES, kernel, busybox, programs, MODULES)
    with Session(Netvf(), PLACES, kernel, ARCHIVE) as session:
        session.boot()
        guest = session.guest
        guest.run("mkdir /var/lib; syslogd -O /run/syslog")
        guest.run(f"mkdir {DISK} && mke2fs /dev/ram0 >/dev/null && mount /dev/ram0 {DISK}")
        guest.write("/etc/hosts", [f"{GUEST_ADDRESS} {FQDN} guest"])
        guest.write("/etc/os-release", [f'NAME="{SYSTEM}"'])
        yield Devices(session)
        print(guest.run("cat /run/syslog; grep hv_ /run/netvfd*.log", check=False))


@pytest.fixture
def running(devices):
    """With both devices there and both daemons registered; neither afterwards."""
    devices.create()
    yield devices
    devices.destroy()
    devices.await_cycle()


def test_the_daemons_answer_through_their_devices(running):
    assert running.value(FULL_NAME) == FQDN
    assert running.value(VERSION) == "3.1"
    assert running.value(IPV4) == GUEST_ADDRESS
    assert running.value(BUILD_NUMBER) == running.kernel.release
    assert running.value(OS_NAME) == SYSTEM
    assert running.ask("kvp get colour") == f"{NO_MORE} colour="
    running.ask("kvp set colour blue")
    assert running.ask("kvp get colour") == "0 colour=blue"
    assert running.value(OS_NAME) == SYSTEM


def test_a_snapshot_holds_writes_back_until_it_is_over(running):
    assert running.ask("vss freeze") == "0"
    running.write_in_background()
    assert running.ask("vss thaw") == "0"
    running.await_written()


def test_a_device_that_goes_during_a_snapshot_takes_it_along(running):
    assert running.ask("vss freeze") == "0"
    running.write_in_background()
    running.tell("vss destroy")
    running.await_written()
    running.wait("! pidof hv_vss_daemon >/dev/null")
    assert len(running.pids("hv_kvp_daemon")) == 1


def test_a_daemon_that_hangs_is_ended_by_the_rule(devices):
    # Others end by themselves when their device goes, perhaps before the rule is at them.
    devices.create()
    devices.guest.run(f"kill -STOP $(pidof {' '.join(DAEMONS)})")
    devices.destroy()
    for daemon in DAEMONS:
        assert devices.actions(daemon, 2) == [
            (f"/usr/sbin/{daemon}", "ended with status 0"),
            (f"pkill -x {daemon}", "ended with status 0"),
        ]
        assert len(devices.pids(daemon)) == 1
    devices.guest.run(f"kill -CONT $(pidof {' '.join(DAEMONS)})")
    devices.wait(f"! pidof {' '.join(DAEMONS)} >/dev/null")


def test_devices_that_come_and_go_quickly_have_each_its_daemon(devices):
    for node in ("kvp", "vss"):
        devices.tell(*[f"{node} create", f"{node} destroy"] * CYCLES, f"{node} create")
    for daemon in DAEMONS:
        commands = [command for command, _ in devices.actions(daemon, 2 * CYCLES + 1)]
        start, stop = f"/usr/sbin/{daemon}", f"pkill -x {daemon}"
        assert commands == [start, stop] * CYCLES + [start]
    devices.await_answer("kvp enumerate 0")
    devices.await_answer("vss thaw")
    for daemon in DAEMONS:
        assert len(devices.pids(daemon)) == 1
    devices.destroy()
    for daemon in DAEMONS:
        assert [command for command, _ in devices.actions(daemon, 1)] == [f"pkill -x {daemon}"]
    devices.wait(f"! pidof {' '.join(DAEMONS)} >/dev/null")


def test_netvfd_that_starts_again_leaves_a_daemon_at_work(running):
    pids = {daemon: running.pids(daemon) for daemon in DAEMONS}
    running.guest.run("kill -9 $(pidof netvfd)")
    running.seen = dict.fromkeys(DAEMONS, 0)
    running.guest.run("netvfd -d </dev/null >/run/netvfd-again.log 2>&1 &")
    # It starts a second one, which finds the device taken, as does any other that is started.
    running.hear_of_both("busy")
    for daemon, before in pids.items():
        running.wait(f'[ "$(pidof {daemon})" = {" ".join(before)} ]')
    assert running.value(FULL_NAME) == FQDN
    assert running.ask("vss thaw") == "0"


def test_the_daemons_end_when_their_devices_maker_does(devices):
    devices.create()
    devices.guest.run("kill -9 $(pidof hvcuse)")
    devices.await_cycle()
