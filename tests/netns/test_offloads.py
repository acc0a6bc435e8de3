# SPDX-License-Identifier: BSD-2-Clause
"""Frames that were made for one port and leave by the other; the two segment and sum alike or not.

A few combinations; all of them with NETVF_LONG.
"""

import collections
import hashlib
import itertools
import os
import socket
import threading

import pytest

from conftest import RC_CONF
from harness import wait_until
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS

ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO = 0x17, 0x19, 0x1F
SOL_UDP, UDP_SEGMENT = 17, 103
SO_RCVBUFFORCE = 33

PORT = 7005
SEGMENT = 1200  # bytes of a datagram; 20 of them are one frame for a card that segments
SEGMENTS = 20
CHUNK = 60000  # bytes that TCP is given at once
PAUSE = 0.002  # seconds between two of each
SWITCHES = 20

MODES = {"lagg": "", "transparent": 'netvf_vf_transparent="YES"\n'}
BOTH = (True, False)
# (segments, sums) of hn, of the VF; hn's MTU.
ALL = list(itertools.product(itertools.product(BOTH, BOTH), itertools.product(BOTH, BOTH),
                             (1500, 1400), MODES))
FEW = [
    ((True, True), (False, False), 1500, "lagg"),
    ((True, True), (True, True), 1400, "transparent"),
    ((False, False), (True, True), 1400, "lagg"),
    ((False, True), (True, False), 1500, "transparent"),
]


def set_offloads(guest, name, segments, sums):
    for command, value in ((ETHTOOL_STXCSUM, sums), (ETHTOOL_SSG, sums), (ETHTOOL_STSO, segments)):
        guest.namespace.ethtool(name, command, int(value))


class Stream:
    """Bytes by TCP, both ends of which hash what passes."""

    def __init__(self, sender, receiver, to):
        with receiver.entered():
            listener = socket.create_server((to, PORT))
        with sender.entered():
            self._from = socket.create_connection((to, PORT))
        self._to, _ = listener.accept()
        listener.close()
        self._sent, self._received = hashlib.sha256(), hashlib.sha256()
        self.bytes = 0
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        while not self._stopping.wait(PAUSE):
            chunk = os.urandom(CHUNK)
            self._from.sendall(chunk)
            self._sent.update(chunk)
            self.bytes += CHUNK
        self._from.shutdown(socket.SHUT_WR)

    def _receive(self):
        while data := self._to.recv(1 << 20):
            self._received.update(data)

    def stop(self):
        """Whether all bytes arrived, in order."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._from.close()
        self._to.close()
        return self._sent.digest() == self._received.digest()


class Datagrams:
    """Numbered datagrams by UDP, which a card is given twenty at once (UDP_SEGMENT)."""

    def __init__(self, sender, receiver, to):
        with receiver.entered():
            self._to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._to.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
        self._to.bind((to, PORT))
        with sender.entered():
            self._from = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._from.setsockopt(SOL_UDP, UDP_SEGMENT, SEGMENT)
        self._from.connect((to, PORT))
        self.sent = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self):
        while not self._stopping.wait(PAUSE):
            self._from.send(b"".join(b"%*d" % (SEGMENT, self.sent + i) for i in range(SEGMENTS)))
            self.sent += SEGMENTS

    def stop(self):
        """{number: how often it arrived, if not once}"""
        self._stopping.set()
        self._thread.join()
        arrived = collections.Counter()
        self._to.settimeout(0.3)
        try:
            while data := self._to.recv(65536):
                arrived[int(data)] += 1
        except TimeoutError:
            pass
        self._from.close()
        self._to.close()
        return {number: arrived[number] for number in range(self.sent) if arrived[number] != 1}


@pytest.mark.parametrize("hn, vf, mtu, mode", ALL if os.environ.get("NETVF_LONG") else FEW)
def test_either_port_sends_what_the_other_would_have(guest, start_netvfd, hn, vf, mtu, mode):
    set_offloads(guest, "hn0", *hn)
    guest.netlink.link("set", index=guest.namespace.index("hn0"), mtu=mtu)
    netvfd = start_netvfd(rcconf=RC_CONF + MODES[mode])
    guest.attach_vf()
    set_offloads(guest, "vf0", *vf)
    netvfd.wait_active("vf")
    ways = ((guest.namespace, guest.host, HOST_ADDRESS),
            (guest.host, guest.namespace, GUEST_ADDRESS))
    streams = [Stream(*way) for way in ways]
    datagrams = [Datagrams(*way) for way in ways]
    for port in ["hn", "vf"] * (SWITCHES // 2):
        before = [(stream.bytes, one.sent) for stream, one in zip(streams, datagrams)]
        netvfd.ask("switch", "hn0", port)
        netvfd.wait_active(port)
        wait_until(lambda: all(stream.bytes > old[0] + CHUNK and one.sent > old[1] + SEGMENTS
                               for stream, one, old in zip(streams, datagrams, before)))
    wrong = [one.stop() for one in datagrams]
    assert [stream.stop() for stream in streams] == [True, True]
    assert wrong == [{}, {}]
