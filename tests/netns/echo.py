# SPDX-License-Identifier: BSD-2-Clause
"""Traffic both ways, counted datagram by datagram."""

import collections
import socket
import subprocess
import threading

from harness import wait_until
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS


class Echo:
    """Numbered datagrams from the host to the guest and back, each waited for or counted lost.

    @inside, @address: who answers, if not the guest itself.
    """

    def __init__(self, guest, inside=None, address=GUEST_ADDRESS):
        self.address = address
        with (inside or guest.namespace).entered():
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
            self.outside.sendto(question, (self.address, 7000))
            try:
                while self.outside.recv(100) != question:
                    returned += 1
                returned += 1
            except TimeoutError:
                pass
        self.returned += returned
        return returned

    def close(self):
        self.outside.sendto(b"end", (self.address, 7000))
        self.outside.close()


class Numbered:
    """Numbered datagrams both ways at once, from a thread for each, until stop()."""

    PORT = 7003
    PAUSE = 0.0005  # seconds between two datagrams of one way

    def __init__(self, guest):
        self.ends = {}
        self.sent = {"guest": 0, "host": 0}
        self.stopping = threading.Event()
        places = ("guest", guest.namespace, GUEST_ADDRESS), ("host", guest.host, HOST_ADDRESS)
        for name, namespace, _ in places:
            with namespace.entered():
                end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            end.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
            end.bind(("", self.PORT))
            self.ends[name] = end
        ways = ("guest", HOST_ADDRESS), ("host", GUEST_ADDRESS)
        self.threads = [threading.Thread(target=self._send, args=way, daemon=True) for way in ways]
        for thread in self.threads:
            thread.start()

    def _send(self, name, to):
        while not self.stopping.wait(self.PAUSE):
            self.ends[name].sendto(b"%d" % self.sent[name], (to, self.PORT))
            self.sent[name] += 1

    def wait_more(self, count=50):
        """Until so many more were sent each way."""
        before = dict(self.sent)
        wait_until(lambda: all(self.sent[name] >= before[name] + count for name in before),
                   what="datagrams are sent")

    def stop(self):
        """How many were sent, and what was lost and came twice, by the way's sender."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        wrong = {}
        for name, end in ("guest", self.ends["host"]), ("host", self.ends["guest"]):
            arrived = collections.Counter(self._received(end))
            wrong[name] = {number: arrived[number] for number in range(self.sent[name])
                           if arrived[number] != 1}
            end.close()
        return self.sent, wrong

    @staticmethod
    def _received(end):
        end.settimeout(0.3)
        while True:
            try:
                yield int(end.recv(100))
            except TimeoutError:
                return


def ping(namespace, address, count=5):
    """How many of so many requests are answered, each after a look at where the address is."""
    answered = 0
    for _ in range(count):
        namespace.run(["ip", "neighbour", "flush", "to", address])
        request = ["ping", "-n", "-c1", "-W2", address]
        answered += namespace.run(request, check=False, stdout=subprocess.DEVNULL).returncode == 0
    return answered
