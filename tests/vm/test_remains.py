# SPDX-License-Identifier: BSD-2-Clause
"""However a run with a real guest ends, nothing of it remains."""

import os
import pathlib
import select
import signal
import socket
import subprocess
import time
import uuid

import pytest
from setting import ARCHIVE, BUILD, PLACES

from netvf_lab.vm import guest as guest_module
from netvf_lab.vm.cache import Cache
from netvf_lab.vm.peers import Alone
from netvf_lab.vm.run import VmOptions, VmRun
from netvf_lab.vm.session import Session

LAB = str(BUILD / "lab/netvf-lab")
MARK = "NETVF_LAB_TEST"
WITHIN = 20  # seconds
RUN_WITHIN = 150


def files(*directories):
    return {str(path) for directory in directories for path in pathlib.Path(directory).rglob("*")}


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return {line.split()[4] for line in file}


def namespaces_in_use():
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for name in os.listdir(f"/proc/{pid}/ns"):
                found.add(os.readlink(f"/proc/{pid}/ns/{name}"))
        except OSError:
            pass  # it has just ended
    return found


class Namespaces:
    """Those of processes, by kind:[number], but not our own. They are held open: the kernel gives
    the number of one that has ended to the next one that anybody makes."""

    KINDS = ("pid", "net", "mnt", "ipc")

    def __init__(self):
        self._own = {os.readlink(f"/proc/self/ns/{kind}") for kind in self.KINDS}
        self._held = {}  # name -> descriptor

    def add(self, pid):
        for kind in self.KINDS:
            try:
                descriptor = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
            except OSError:
                continue  # it has just ended
            name = f"{kind}:[{os.fstat(descriptor).st_ino}]"
            if name in self._own or name in self._held:
                os.close(descriptor)
            else:
                self._held[name] = descriptor

    def __len__(self):
        return len(self._held)

    def in_use(self):
        return self._held.keys() & namespaces_in_use()

    def close(self):
        for descriptor in self._held.values():
            os.close(descriptor)
        self._held = {}


class Lab:
    """The program under test, and a look at all that it makes."""

    def __init__(self, temporary, *arguments):
        self._temporary = temporary
        self._emulator = Cache(PLACES).qemu().argv
        self._mark = f"{MARK}={uuid.uuid4()}"
        self._before = self._world()
        name, _, value = self._mark.partition("=")
        self.process = subprocess.Popen(
            [LAB, "vm", "--peer", "none", "--gone", "live", "--dwell", "300", *arguments],
            env={**os.environ, name: value, "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.output = ""
        self._namespaces = Namespaces()

    def _world(self):
        cache = set(os.listdir(PLACES.cache))
        links = {name for _, name in socket.if_nameindex()}
        loose = {name for name in os.listdir("/tmp") if "netvf-lab" in name or "qemu" in name}
        return files("/run", self._temporary), mounts(), links, cache, loose

    def processes(self):
        """Those that the lab started, it included: {pid: command line}."""
        found = {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if self._mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                    if "\nState:\tZ" not in (process / "status").read_text():
                        found[int(process.name)] = (process / "cmdline").read_text().split("\0")
            except OSError:
                pass  # it has just ended
        return found

    def emulators(self):
        return {pid: words for pid, words in self.processes().items()
                if words[:len(self._emulator)] == self._emulator}

    def note_namespaces(self):
        """What must not be in use in the end."""
        for pid in self.processes():
            self._namespaces.add(pid)
        assert len(self._namespaces) >= 5, "the lab's, the host's"

    def await_output(self, text):
        deadline = time.monotonic() + RUN_WITHIN
        while text not in self.output:
            assert time.monotonic() < deadline, self.output
            if select.select([self.process.stdout], [], [], 1)[0]:
                data = os.read(self.process.stdout.fileno(), 65536)
                assert data, self.output
                self.output += data.decode()

    def await_emulator(self, incoming=False):
        """The QEMU that has the guest, or the one that waits for it."""
        deadline = time.monotonic() + RUN_WITHIN
        while True:
            assert time.monotonic() < deadline
            for pid, words in self.emulators().items():
                if ("-incoming" in words) == incoming:
                    return pid

    def end(self):
        """Waits for its end; returns its exit status."""
        self.output += self.process.communicate(timeout=RUN_WITHIN)[0].decode()
        return self.process.returncode

    def assert_nothing_remains(self):
        deadline = time.monotonic() + WITHIN
        while self.processes() or self._namespaces.in_use():
            assert time.monotonic() < deadline, (self.processes(), self._namespaces.in_use())
        assert self._world() == self._before

    def close(self):
        self.process.kill()
        self.process.communicate()
        self._namespaces.close()


@pytest.fixture
def lab(kernel, tmp_path):
    labs = []

    def start(*arguments):
        labs.append(Lab(tmp_path, *arguments))
        return labs[-1]

    yield start
    for one in labs:
        one.close()


@pytest.mark.timeout(300)
def test_after_a_guest_has_migrated(lab):
    run = lab()
    run.await_output("QEMU migrates the guest")
    assert len(run.emulators()) == 2
    run.note_namespaces()
    assert run.end() == 0, run.output
    run.assert_nothing_remains()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_after_a_signal(lab, number):
    run = lab()
    run.await_emulator()
    run.note_namespaces()
    run.process.send_signal(number)
    assert run.end() == (-number if number == signal.SIGKILL else 128 + number)
    run.assert_nothing_remains()


@pytest.mark.timeout(300)
def test_after_sigkill_amid_a_migration(lab):
    run = lab()
    run.await_output("QEMU migrates the guest")
    run.note_namespaces()
    run.process.kill()
    run.end()
    run.assert_nothing_remains()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("incoming", [False, True], ids=["the guest's", "the other"])
def test_after_a_qemu_has_died(lab, incoming):
    run = lab()
    run.await_output("flow by hn")
    run.note_namespaces()
    os.kill(run.await_emulator(incoming), signal.SIGKILL)
    assert run.end() == 1, run.output
    assert "FAILED: QEMU" in run.output
    run.assert_nothing_remains()


@pytest.mark.timeout(300)
def test_after_a_guest_that_never_boots(kernel, monkeypatch):
    monkeypatch.setattr(guest_module, "BOOTED_WITHIN", 0.2)
    with Session(Alone(), PLACES, kernel, ARCHIVE) as session:
        run = VmRun(VmOptions(rules=PLACES.rules, cycles=1), session)
        run.run()
        network = os.readlink(f"/proc/self/fd/{session.host.host.net}")
        emulator = session.qemu.process
        assert run.failure == "the guest: boots: not within 0.2 s"
        assert emulator.poll() is None
    assert emulator.poll() == -signal.SIGKILL
    assert network not in namespaces_in_use()
