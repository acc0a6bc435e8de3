# SPDX-License-Identifier: BSD-2-Clause
"""Frames that were made for one card and leave by the other, in a real guest whose cards segment
and sum, or do not. tests/netns/test_offloads.py has all combinations, of interfaces of software."""

import subprocess

import pytest
from setting import BUILD, PLACES, long

from netvf_lab.loop import Lines
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS
from netvf_lab.vm import initramfs
from netvf_lab.vm.peers import Netvf, NetvfTransparent
from netvf_lab.vm.qemu import SLOTS
from netvf_lab.vm.session import Session

ARCHIVE = "/run/initramfs-offloads"
PROGRAM = str(BUILD / "tests/offloads")
PORT = "7005"
SWITCHES = 20
BYTES, DATAGRAMS = 100000, 40  # received each way between two switches, at least
WITHIN = 30  # seconds


class End:
    """One end of the traffic. Of what it tells, the last line."""

    def __init__(self, loop, process):
        self._process = process
        self.told = [0] * 6
        self.ended = False
        Lines(loop, process.stdout, self._hear)

    def _hear(self, line):
        if line == "end":
            self.ended = True
        else:
            self.told = [int(word) for word in line.split()]

    @property
    def received(self):
        return self.told[1], self.told[4]

    def stop(self):
        self._process.stdin.write(b"stop\n")
        self._process.stdin.flush()


def check_twenty_switches(session, ends):
    for port in ["hn", "vf"] * (SWITCHES // 2):
        session.guest.run(f"netvf switch hn0 {port}")
        before = [end.received for end in ends]
        session.loop.wait(
            lambda: all(end.received[0] > old[0] + BYTES and end.received[1] > old[1] + DATAGRAMS
                        for end, old in zip(ends, before)), WITHIN, f"traffic by {port}")
    for end in ends:
        end.stop()
    session.loop.wait(lambda: all(end.ended for end in ends), WITHIN, "both ends have ended")
    for sender, receiver in (ends, ends[::-1]):
        bytes_sent, _, _, sent, _, _ = sender.told
        _, bytes_received, ordered, _, received, again = receiver.told
        assert (bytes_received, ordered) == (bytes_sent, 1)
        assert (received, again) == (sent, 0)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("hn, vf, mtu, peer", [
    pytest.param("1 1", "0 0", 1500, Netvf, id="hn-offloads"),
    pytest.param("0 0", "1 1", 1400, Netvf, id="vf-offloads", marks=long),
    pytest.param("1 1", "0 0", 1400, NetvfTransparent, id="hn-offloads-transparent", marks=long),
    pytest.param("0 1", "1 1", 1500, NetvfTransparent, id="vf-segments-transparent", marks=long),
])
def test_either_card_sends_what_the_other_would_have(debian, hn, vf, mtu, peer):
    kernel, busybox, _ = debian
    initramfs.build(ARCHIVE, PLACES, kernel, busybox, [PROGRAM])
    with Session(peer(), PLACES, kernel, ARCHIVE) as session:
        session.boot()
        guest = session.guest
        guest.run(f"ip link set hn0 mtu {mtu} && offloads set hn0 {hn}")
        session.plug("e1000e", SLOTS["acpi"][0])
        session.await_link()
        session.peer.settle(guest)
        guest.run(f"offloads set {session.vf_name()} {vf}")
        host = session.host.host.popen([PROGRAM, "listen", GUEST_ADDRESS, PORT, HOST_ADDRESS],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        inside = guest.popen(["offloads", "connect", HOST_ADDRESS, PORT, GUEST_ADDRESS])
        check_twenty_switches(session, [End(session.loop, host), End(session.loop, inside)])
        host.wait()
