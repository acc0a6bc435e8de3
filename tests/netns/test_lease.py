# SPDX-License-Identifier: BSD-2-Clause
"""A lease of two minutes goes through ten migrations: one address, one client at the server."""

import contextlib
import os
import re
import shutil

import pytest

from harness import wait_until
from netvf_lab.topology import HOST_ADDRESS
from netvf_lab.vm.dhcp import Server
from programs import AddressWatch, Connection
from test_dhcp import CLIENTS, DEADLINE, clients_files, end_clients, only, serving, the_client

assert clients_files  # a fixture, for this module too

MIGRATIONS = 10
RENEWED_WITHIN = 100  # seconds; T1 is 60, and clients spread it
# With this set, each client is waited for until it renews its lease.
LONG = os.environ.get("NETVF_LONG")
# It keeps no lease that a new one could begin with, and so asks anew when it moves.
DISCOVERS = {"dhclient": 1, "dhcpcd": 1, "udhcpc": 2}


class Log:
    def __init__(self, directory):
        self.directory = directory

    def count(self, kind):
        return len(re.findall(rf"DHCP{kind}\(", (self.directory / "log").read_text()))

    def clients(self):
        """(address, client identifier) of each lease."""
        lines = (self.directory / "leases").read_text().splitlines()
        return {(line.split()[2], line.split()[4]) for line in lines}


@pytest.fixture
def log(topology, tmp_path):
    server = Server(topology.host, lease="2m", directory=tmp_path)
    wait_until(lambda: (tmp_path / "log").exists() and "DHCP" in (tmp_path / "log").read_text())
    yield Log(tmp_path)
    server.close()
    print((tmp_path / "log").read_text())


@pytest.fixture
def leased(guest, log, request):
    """A guest whose hn0 has its address from a DHCP client; the client's name."""
    client = request.param
    if not shutil.which(client):
        pytest.skip(f"{client} is not installed")
    guest.netlink.flush_addr(index=guest.namespace.index("hn0"))
    guest.run(*CLIENTS[client])
    wait_until(lambda: guest.addresses("hn0"), DEADLINE, "hn0 has a lease")
    yield client
    end_clients(guest)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("leased", CLIENTS, indirect=True)
def test_a_lease_goes_through_migrations(leased, guest, start_netvfd, log):
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\nnetvf_holddown="0"\n')
    lease = only(guest.addresses("hn0"))
    address = lease.split("/")[0]
    with contextlib.closing(Connection(guest, address, HOST_ADDRESS)) as tcp, \
            contextlib.closing(AddressWatch(guest, address)) as watch:
        guest.attach_vf()
        for _ in range(MIGRATIONS):
            netvfd.wait_active("vf")
            assert tcp.works()
            guest.detach_vf()
            netvfd.wait_active("hn")
            assert tcp.works()
            guest.bring_back_vf()
        netvfd.wait_active("vf")
        wait_until(lambda: not serving(guest, "hn0") and not guest.addresses("hn0"), DEADLINE)
        the_client(guest, "lagg0")
        if LONG:
            acks = log.count("ACK")
            wait_until(lambda: log.count("ACK") > acks, RENEWED_WITHIN, "the lease is renewed")
        assert guest.addresses("lagg0") == {lease}
        assert tcp.works()
        assert watch.absences() == 0
    assert len(log.clients()) == 1 and only(log.clients())[0] == address
    assert log.count("DISCOVER") == DISCOVERS[leased]
    assert log.count("RELEASE") == log.count("NAK") == 0
