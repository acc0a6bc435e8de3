# SPDX-License-Identifier: BSD-2-Clause
"""What the host's agent in the guest tells of a pair: one interface of its MAC address has the
addresses, with and without a VF. `make agents` prints the table of doc/hosts.md."""

import json
import shutil
import socket

import pytest
from conftest import RC_CONF

from harness import wait_until
from netvf_lab.topology import GUEST_ADDRESS

FORMS = {"lagg": ("lagg0", RC_CONF),
         "transparent": ("hn0", RC_CONF + 'netvf_vf_transparent="YES"\n')}
AGENT = shutil.which("qemu-ga", path="/usr/sbin:/usr/bin")

pytestmark = pytest.mark.skipif(not AGENT, reason="there is no qemu-ga (qemu-guest-agent)")


@pytest.fixture
def agent(guest, tmp_path):
    """agent(command): what qemu-ga answers."""
    path = tmp_path / "qga.sock"
    process = guest.popen(AGENT, "-m", "unix-listen", "-p", path, "-t", tmp_path,
                          "-f", tmp_path / "qga.pid")
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    # The socket's file is there before qemu-ga listens.
    wait_until(lambda: client.connect_ex(str(path)) == 0, what="qemu-ga listens")
    lines = client.makefile()

    def ask(command):
        client.send(json.dumps({"execute": command}).encode() + b"\n")
        return json.loads(lines.readline())["return"]

    yield ask
    client.close()
    process.kill()
    process.wait()


def told(agent):
    """[(name, addresses)] of the interfaces with hn's MAC address, in qemu-ga's order."""
    links = agent("guest-network-get-interfaces")
    mac = next(link["hardware-address"] for link in links if link["name"] == "hn0")
    return [(link["name"], [one["ip-address"] for one in link.get("ip-addresses", [])])
            for link in links if link.get("hardware-address") == mac]


def show(form, when, rows):
    print(f"agent | qemu-ga | {form} | {when} | " + "; ".join(
        f"{name}: {', '.join(addresses) or 'no address'}" for name, addresses in rows))


@pytest.mark.parametrize("form", FORMS)
def test_qemu_ga_tells_the_addresses_at_one_interface(guest, agent, start_netvfd, form):
    upper, rcconf = FORMS[form]
    netvfd = start_netvfd(rcconf=rcconf)
    assert [name for name, addresses in told(agent) if GUEST_ADDRESS in addresses] == ["hn0"]

    guest.attach_vf()
    netvfd.wait_active("vf")
    wait_until(lambda: guest.addresses(upper) and (upper == "hn0" or not guest.addresses("hn0")))
    rows = told(agent)
    show(form, "VF active", rows)
    assert {name for name, _ in rows} == {"hn0", "vf0", upper}
    assert [name for name, addresses in rows if addresses] == [upper]
    assert ("qemu-ga tells it that lagg0 has them" in netvfd.ask("doctor", check=False)) == (
        form == "lagg")

    guest.detach_vf()
    netvfd.wait_active("hn")
    rows = told(agent)
    show(form, "VF away", rows)
    assert [name for name, addresses in rows if addresses] == [upper]
