# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures over network namespaces: a host with a switch, a guest with hn0, VFs that come and go.

All of it happens in mounts and a network of this test run's own: /run begins empty, the programs of
the build are in /usr/libexec/hyperv, and nothing of the machine is touched. Programs are killed by
their process ids, and namespaces go with the last descriptor that holds them.

A test waits with `wait_until` or `netvfd.wait_event`, each with a deadline, and never just sleeps.
"""

import os
import shutil
import sys

import pytest

from harness import BUILD, TOP, Guest, Netvfd

sys.path.insert(0, str(TOP / "lab"))

from echo import Echo
from netvf_lab import sandbox
from netvf_lab.topology import GUEST_ADDRESS, PREFIX, Topology
from programs import Programs

RULES = TOP / "etc/devd/hyperv.conf"
LIBEXEC = [BUILD / "src/libexec/hyperv_vfattach", BUILD / "src/libexec/hyperv_vfup"]

RC_CONF = f"""\
netvf_pairs="hn0:vf0"
ifconfig_hn0="inet {GUEST_ADDRESS}/{PREFIX}"
"""


def pytest_configure():
    if os.geteuid() == 0:
        sandbox.isolate(libexec=[str(path) for path in LIBEXEC if path.exists()])


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs root, to make network namespaces"))


@pytest.fixture(autouse=True)
def nothing_of_managers():
    """What a test wrote in the place of a manager or of udev is not the next test's."""
    yield
    for name in "NetworkManager", "systemd", "udev":
        shutil.rmtree(f"/run/{name}", ignore_errors=True)


@pytest.fixture
def topology():
    """A host and a guest, joined by hn0, which is down and bare."""
    with Topology(str(BUILD / "lab/netvf-lab-agent")) as topology:
        yield topology


@pytest.fixture
def guest(topology):
    """A guest that has booted: hn0 is up with its address and default route; no VF yet."""
    topology.boot()
    return Guest(topology)


@pytest.fixture
def start_netvfd(guest, tmp_path, request):
    """Call it to start netvfd in the guest: start_netvfd(rules=TEXT, rcconf=TEXT).

    Its files are in tmp_path/netvfd0, those of a second one in netvfd1, and so on.
    """
    started = []

    def start(rules=None, rcconf=RC_CONF, options=(), under=(), actions=False,
              program=None):
        directory = tmp_path / f"netvfd{len(started)}"
        directory.mkdir(exist_ok=True)
        daemon = Netvfd(guest, directory, RULES.read_text() if rules is None else rules, rcconf)
        started.append(daemon)
        daemon.program = program or daemon.program
        if actions:
            daemon.start_actions()
        return daemon.start(*options, under=under)

    yield start
    for daemon in started:
        daemon.kill(actions=True)
        print(f"netvfd's log:\n{daemon.log}")  # pytest shows it when the test failed


@pytest.fixture
def netvfd(start_netvfd):
    """netvfd in the guest, with the shipped rules and the pair hn0:vf0."""
    return start_netvfd()


@pytest.fixture
def programs(guest, tmp_path):
    """hyperv_vfup and the others in the guest, which has its VF and no netvfd."""
    made = Programs(guest, tmp_path)
    made.attach_vf()
    return made


@pytest.fixture
def echo(guest):
    echo = Echo(guest)
    yield echo
    echo.close()
