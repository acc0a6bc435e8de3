# SPDX-License-Identifier: BSD-2-Clause
"""One call that fails, at any moment of a migration: traffic flows in the end, nothing leaks.

One moment of each call is tried, or as many as NETVF_FAULTS in the environment says ("all": every
one, which takes hours). make check-faults prints a table.
"""

import contextlib
import errno
import os
import subprocess

import pytest
from conftest import RC_CONF, RULES

from harness import BUILD, Guest, Netvfd, wait_until
from echo import Echo
from netvf_lab.topology import Topology

MOMENTS = os.environ.get("NETVF_FAULTS", "1")
FAILAT = BUILD / "tests/libfailat.so"

# What each call may fail with.
CALLS = {
    "sendmsg": ["ENOBUFS", "EPERM"],
    "recvmsg": ["ENOBUFS", "ENOMEM"],
    "bpf": ["ENOMEM", "EPERM"],
    "posix_spawn": ["EAGAIN", "ENOMEM"],
    "open": ["EMFILE", "ENOMEM", "ENOSPC"],
    "malloc": ["ENOMEM"],
    "timerfd": ["EMFILE", "ENOMEM"],
}
WHO = ["netvfd", "hyperv_vfup"]


class Faulty(Netvfd):
    """netvfd, and what it starts, with a call that fails."""

    def __init__(self, guest, directory, who, call, number, error):
        super().__init__(guest, directory, RULES.read_text(), RC_CONF)
        self.count = directory / "count"
        self.env = ["env", f"LD_PRELOAD={FAILAT}", f"FAIL_IN={who}", f"FAIL_CALL={call}",
                    f"FAIL_AT={number}", f"FAIL_ERRNO={getattr(errno, error)}",
                    f"FAIL_COUNT={self.count}"]
        self.restarts = 0

    def run(self):
        """Starts it; where it ends at once, systemd would start it again, and this does."""
        try:
            self.start(under=self.env)
        except (AssertionError, pytest.fail.Exception):
            self.revive()

    def revive(self):
        if self.process.poll() is not None:
            self.restarts += 1
            self.start()

    def wait_for(self, port):
        def there():
            self.revive()
            with contextlib.suppress(Exception):
                return self.pair()["active"] == port
        wait_until(there, what=f"hn0 transmits on {port}")

    def wait_rest(self):
        """Until no action runs, and nothing was begun while it was looked at."""
        def rests():
            try:
                status = self.status()
            except subprocess.CalledProcessError:
                return False  # the question was what failed
            seen.append((status["actions_running"], self.descriptors(), status["events"]))
            return not seen[-1][0] and seen[-3:] == seen[-1:] * 3

        seen = []
        wait_until(rests, what="no action runs")

    def counted(self):
        """{(program, call): how often the process called it that did so most}"""
        counts = {}
        for line in self.count.read_text().splitlines():
            who, call, count = line.split()
            counts[who, call] = max(counts.get((who, call), 0), int(count))
        return counts

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def migrate(directory, who, call, number, error):
    """A VF comes, goes and comes again; what came of it, and how many calls there were."""
    directory.mkdir()
    with Topology(str(BUILD / "lab/netvf-lab-agent")) as topology:
        topology.boot()
        guest = Guest(topology)
        echo = Echo(guest)
        netvfd = Faulty(guest, directory, who, call, number, error)
        try:
            netvfd.run()
            guest.attach_vf()
            netvfd.wait_for("vf")
            netvfd.wait_rest()
            wait_until(lambda: echo.ask(20) == 20, what="traffic by the VF")
            guest.detach_vf()
            netvfd.wait_for("hn")
            wait_until(lambda: echo.ask(20) == 20, what="traffic by hn")
            guest.bring_back_vf()
            netvfd.wait_for("vf")
            netvfd.wait_rest()
            wait_until(lambda: echo.ask(20) == 20, what="traffic by the VF that is back")
            lagg = bool(guest.link("lagg0") and guest.addresses("lagg0"))
            descriptors = netvfd.descriptors()
            guest.run(BUILD / "src/netvf/netvf", "--run-dir", netvfd.run_dir, "doctor",
                      check=False)
            netvfd.stop()
        except BaseException:
            print(netvfd.log)
            raise
        finally:
            netvfd.kill()
            echo.close()
    outcome = "restarted" if netvfd.restarts else "on lagg0" if lagg else "stays on hn0"
    return outcome, descriptors, netvfd.counted()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Descriptors at the end, and the counts, of a migration in which nothing fails."""
    outcome, *rest = migrate(tmp_path_factory.mktemp("whole") / "0", "nobody", "open", 0, "EIO")
    assert outcome == "on lagg0"
    return rest


@pytest.mark.timeout(0)  # each wait has its own
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("who", WHO)
def test_traffic_flows_whatever_fails_once(tmp_path, whole, who, call):
    descriptors, counts = whole
    count = counts[who, call]
    step = 1 if MOMENTS == "all" else max(1, count // int(MOMENTS))
    tried, outcomes = 0, {}
    for number in range((step + 1) // 2, count + 1, step):
        error = CALLS[call][tried % len(CALLS[call])]
        try:
            outcome, left, _ = migrate(tmp_path / f"{number}", who, call, number, error)
            if left > descriptors:
                outcome = "descriptors leak"
        except (Exception, pytest.fail.Exception) as failure:
            print(f"{who}: call {number} of {call} fails with {error}: {failure}")
            outcome = "no traffic, or no answer"
        outcomes.setdefault(outcome, []).append(f"{number} {error}")
        tried += 1
    table = {what: len(which) for what, which in outcomes.items()}
    print(f"{who}: {call}: {count} calls, {tried} tried: {table}")
    bad = {what: which for what, which in outcomes.items()
           if what in ("descriptors leak", "no traffic, or no answer")}
    assert not bad
