# SPDX-License-Identifier: BSD-2-Clause
"""Traffic both ways, counted datagram by datagram."""

import socket
import threading

from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS


class Echo:
    """Numbered datagrams from the host to the guest and back, each waited for or counted lost."""

    def __init__(self, guest):
        with guest.namespace.entered():
            self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.inside.bind(("0.0.0.0", 7000))
        with guest.host.entered():
            self.outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.outside.bind((HOST_ADDRESS, 7001))
        self.outside.settimeout(1)
        self.sent = self.returned = 0
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        while True:
            data, sender = self.inside.recvfrom(100)
            if data == b"end":
                self.inside.close()
                return
            self.inside.sendto(data, sender)

    def ask(self, count=1):
        """Sends datagrams one by one; returns how many came back, what came twice counted twice."""
        returned = 0
        for _ in range(count):
            self.sent += 1
            question = str(self.sent).encode()
            self.outside.sendto(question, (GUEST_ADDRESS, 7000))
            try:
                while self.outside.recv(100) != question:
                    returned += 1
                returned += 1
            except TimeoutError:
                pass
        self.returned += returned
        return returned

    def close(self):
        self.outside.sendto(b"end", (GUEST_ADDRESS, 7000))
        self.outside.close()
