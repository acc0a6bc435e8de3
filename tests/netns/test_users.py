# SPDX-License-Identifier: BSD-2-Clause
"""What users without rights do on the sockets keeps neither root nor a switch waiting for ever."""

import os
import socket
import stat

import pytest

from harness import wait_until
from users import UIDS, end, start_clients


@pytest.fixture
def crowd(netvfd):
    # Anybody may come to the sockets, as in /run.
    for directory in netvfd.run_dir, *netvfd.run_dir.parents:
        with_others = stat.S_IMODE(directory.stat().st_mode) | 0o011
        if directory.owner() == "root" and str(directory) != "/":
            directory.chmod(with_others)
    clients = start_clients(netvfd.run_dir, uids=UIDS[:2])
    yield clients
    end(clients)


def test_root_is_answered_and_the_vf_used_whatever_users_do(guest, netvfd, crowd):
    # They have all the places that they can have.
    wait_until(lambda: netvfd.status()["clients"] > 10, what="users listen to events")
    guest.attach_vf()
    for _ in range(3):
        netvfd.wait_active("vf")
        guest.detach_vf("linkdown")
        netvfd.wait_active("hn")
        guest.bring_back_vf("linkdown")
    netvfd.wait_active("vf")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        # It waits for its turn among those who are not accepted yet.
        client.connect(str(netvfd.run_dir / "devd.seqpacket.pipe"))
        client.settimeout(30)
        before = len(netvfd.events)
        guest.detach_vf("unplug")
        netvfd.wait_event("type=VF_DOWN", since=before)
        while b"type=VF_DOWN" not in client.recv(8192):
            pass
    assert netvfd.process.poll() is None
    # None of them has ended: all that they met was an answer, a closed connection, or waiting.
    assert os.waitpid(-1, os.WNOHANG) == (0, 0)
