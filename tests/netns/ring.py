# SPDX-License-Identifier: BSD-2-Clause
"""Sends frames as drivers that receive into pages have them: of such a frame only the Ethernet
header is in the linear part of its buffer (tpacket_fill_skb(), net/packet/af_packet.c)."""

import contextlib
import mmap
import socket
import struct

SOL_PACKET, PACKET_VERSION, PACKET_TX_RING = 263, 10, 13
TPACKET_V2 = 1
SEND_REQUEST, HEADER = 1, 32  # TP_STATUS_SEND_REQUEST; where the frame begins in its slot
SLOT = 2048


class Ring:
    """Sends by a port. To be made in the port's network namespace."""

    def __init__(self, port):
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        self._socket.setsockopt(SOL_PACKET, PACKET_TX_RING,
                                struct.pack("IIII", mmap.PAGESIZE, 1, SLOT, mmap.PAGESIZE // SLOT))
        self._slots = mmap.mmap(self._socket.fileno(), mmap.PAGESIZE)
        self._next = 0
        self._socket.bind((port, 0))

    def send(self, frame):
        at = self._next * SLOT
        self._next = (self._next + 1) % (mmap.PAGESIZE // SLOT)
        self._slots[at + HEADER:at + HEADER + len(frame)] = frame
        struct.pack_into("II", self._slots, at, SEND_REQUEST, len(frame))
        with contextlib.suppress(OSError):  # ENETDOWN: the VF is down
            self._socket.send(b"")

    def close(self):
        self._socket.close()
