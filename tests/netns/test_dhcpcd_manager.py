# SPDX-License-Identifier: BSD-2-Clause
"""dhcpcd that serves all interfaces: netvf costs its server one exchange more at the most."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest
from harness import bounded_as_the_unit, wait_until
from netvf_lab.topology import HOST_ADDRESS
from netvf_lab.vm.dhcp import Server

FOR = 300 if os.environ.get("NETVF_LONG") else 5  # seconds after the VF transmits

pytestmark = pytest.mark.skipif(not shutil.which("dhcpcd"), reason="there is no dhcpcd here")

# What it writes goes nowhere: it has an /etc and a /var/lib of its own; /run is this test run's.
START = """
mkdir -p /run/etc && cp -a /etc/passwd /etc/group /etc/nsswitch.conf /run/etc &&
printf '%s\\n' noarp nodev {more} >/run/etc/dhcpcd.conf &&
mount --bind /run/etc /etc && mount -t tmpfs none /var/lib && mkdir -p /var/lib/dhcpcd &&
exec dhcpcd -4 -B
"""


@pytest.fixture
def exchanges(topology, tmp_path):
    """Call it: how often the server has given a lease so far."""
    server = Server(topology.host, lease="2h", directory=tmp_path)
    log = tmp_path / "log"
    wait_until(lambda: log.exists() and "DHCP" in log.read_text(), what="dnsmasq is there")
    yield lambda: len(re.findall(r"DHCPACK\(", log.read_text()))
    server.close()
    print(log.read_text())


def processes(guest):
    """The dhcpcd of the guest and its helpers."""
    netns = os.fstat(guest.namespace.net).st_ino
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if ((entry / "comm").read_text() == "dhcpcd\n"
                    and os.stat(entry / "ns/net").st_ino == netns):
                yield int(entry.name)


@pytest.fixture
def start_dhcpcd(guest, exchanges, tmp_path):
    """Call it to have hn0's address from a dhcpcd with these lines in its file."""
    log = tmp_path / "dhcpcd.log"
    started = []

    def begin(script):
        with open(log, "ab") as said:
            started.append(guest.popen("unshare", "--mount", "sh", "-c", script, stdout=said,
                                       stdin=subprocess.DEVNULL, stderr=said))
        end = time.monotonic() + 6
        wait_until(lambda: guest.addresses("hn0") or time.monotonic() > end)
        return guest.addresses("hn0")

    def stop():
        for pid in processes(guest):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in started:
            process.wait()
        shutil.rmtree("/run/dhcpcd", ignore_errors=True)

    def start(*more):
        guest.netlink.flush_addr(index=guest.namespace.index("hn0"))
        script = START.format(more=" ".join(f"'{line}'" for line in more))
        # dhcpcd 9.4.1 hears nothing now and then: its helper that receives has started too late.
        while not (lease := begin(script)):
            assert len(started) < 8, "hn0 has no lease"
            stop()
        return lease

    yield start
    stop()
    print(log.read_text())


def test_by_itself_it_asks_once_for_each_interface(guest, start_dhcpcd, exchanges):
    start_dhcpcd()
    guest.attach_vf()
    wait_until(lambda: guest.addresses("vf0"), what="vf0 has a lease")
    assert exchanges() == 2


UNIT = {"under": bounded_as_the_unit(), "actions": True}


# Also where it prefers the VF, as it does where the VF has the lower ifindex.
@pytest.mark.timeout(FOR + 120)
@pytest.mark.parametrize("more, options", [
    ((), {}), (("interface vf0", "metric 1"), {}), ((), UNIT)], ids=["hn", "vf", "unit"])
def test_beside_netvf_it_asks_once_more(
        guest, start_dhcpcd, start_netvfd, exchanges, more, options):
    lease = start_dhcpcd(*more)
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n', **options)
    guest.attach_vf()
    netvfd.wait_active("vf")
    end = time.monotonic() + FOR
    wait_until(lambda: time.monotonic() > end, 2 * FOR, "the time is over")
    assert guest.addresses("hn0") == lease
    assert netvfd.pair()["form"] == "transparent" and netvfd.pair()["manager"] == "dhcpcd"
    assert exchanges() <= 3
    assert "vf0 is a port of hn0, but has the address" in netvfd.ask("doctor", check=False)
    guest.run("ip", "neigh", "flush", "all", check=False)
    assert guest.run("ping", "-c", "1", "-W", "5", HOST_ADDRESS, check=False).returncode == 0
