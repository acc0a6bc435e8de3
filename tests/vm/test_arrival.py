# SPDX-License-Identifier: BSD-2-Clause
"""A host that the machine has come to asks hn to tell its peers: those of laggN are told, too."""

import select
import socket
import time

import pytest
from setting import ARCHIVE, PLACES

from netvf_lab.topology import GUEST_ADDRESS, GUEST_MAC
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.qemu import SLOTS
from netvf_lab.vm.session import Session

ETH_P_ALL = 3  # a bridge takes the frame before those who ask for a protocol
ARP = b"\x08\x06"
TELLS_WITHIN = 20  # seconds
ROUNDS = 2  # of the host's asking; it sends a frame of its own with each


def is_gratuitous(frame):
    """ARP of the guest's MAC that says where its address is."""
    address = socket.inet_aton(GUEST_ADDRESS)
    mac = bytes.fromhex(GUEST_MAC.replace(":", ""))
    return (frame[12:14] == ARP and frame[22:28] == mac
            and frame[28:32] == address == frame[38:42])


def drain(ear):
    while select.select([ear], [], [], 0)[0]:
        ear.recv(2048)


def await_told(ear):
    end = time.monotonic() + TELLS_WITHIN
    while True:
        assert select.select([ear], [], [], max(0, end - time.monotonic()))[0], "nothing is told"
        if is_gratuitous(ear.recv(2048)):
            return


@pytest.mark.timeout(300)
def test_the_host_asks_and_the_lagg_tells(kernel):
    with Session(Netvf(), PLACES, kernel, ARCHIVE) as session:
        session.boot()
        session.plug("e1000e", SLOTS["acpi"][0])
        session.await_link()
        session.peer.settle(session.guest)
        session.qemu.unplug()
        session.qemu.await_unplugged()
        session.guest.run("until netvf status | grep -q 'lagg0, on hn0'; do usleep 20000; done")
        # A netvfd that has just started has nothing to tell by itself.
        session.guest.run("kill -9 $(pidof netvfd); netvfd")
        session.guest.run("until netvf status | grep -q 'lagg0, on hn0'; do usleep 20000; done")
        with session.host.host.entered():
            ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            ear.bind((session.host.hn.name, ETH_P_ALL))
        drain(ear)
        announce = {"initial": 50, "max": 50, "rounds": ROUNDS, "step": 0, "id": "hn"}
        session.qemu.command("announce-self", **announce)
        await_told(ear)
