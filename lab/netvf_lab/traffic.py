# SPDX-License-Identifier: BSD-2-Clause
"""The traffic of a run: numbered datagrams both ways, one long TCP connection, and who watches."""

from .agents import FROM_GUEST, TO_GUEST, Agent, Observer
from .topology import GUEST_ADDRESS, HOST_ADDRESS

TO_GUEST_PORT = 7001
FROM_GUEST_PORT = 7002
TCP_PORT = 7003
TCP_INTERVAL = 1000  # microseconds between two records of 256 bytes


class Traffic:
    """tcp_interval: microseconds between two records; clock: see Observer, of a host whose clock is
    not the lab's."""

    def __init__(
        self, loop, topology, program, pps, size,
        tcp_interval=TCP_INTERVAL, clock=lambda at: at,
    ):
        def guest(*arguments):
            return Agent(loop, topology.guest, program, *arguments)

        def host(*arguments):
            return Agent(loop, topology.host, program, *arguments)

        to_guest = (GUEST_ADDRESS, TO_GUEST_PORT)
        from_guest = (HOST_ADDRESS, FROM_GUEST_PORT)
        self.interval = 1_000_000_000 // pps
        self.observer = Observer(
            loop, topology, program, TO_GUEST_PORT, FROM_GUEST_PORT, clock
        )
        # In the order of the directions: who sends, who receives.
        host_udp = host("udp", *from_guest, *to_guest, pps, size)
        guest_udp = guest("udp", *to_guest, *from_guest, pps, size)
        self.senders = (host_udp, guest_udp)
        self.receivers = (guest_udp, host_udp)
        listener = host("tcp", "listen", HOST_ADDRESS, TCP_PORT, tcp_interval)
        for agent in (self.observer, host_udp, guest_udp, listener):
            agent.answer()
        client = guest("tcp", "connect", HOST_ADDRESS, TCP_PORT, tcp_interval)
        self.streams = (listener, client)
        for agent in self.streams:
            agent.answer()

    def start(self):
        for agent in (*self.senders, *self.streams):
            agent.tell("go")

    def stop(self):
        """Ends it; returns what each agent has to say."""
        for agent in self.senders:
            agent.tell("stop")
        sent = [agent.answer() for agent in self.senders]
        for direction in (TO_GUEST, FROM_GUEST):
            self.receivers[direction].tell(f"end {sent[direction]['sent']}")
        received = [agent.answer() for agent in self.receivers]
        for agent in self.streams:
            agent.tell("stop")
        streams = [agent.answer() for agent in self.streams]
        return {
            "sent": sent,
            "received": received,
            "streams": streams,
            "observed": self.observer.ask("end"),
        }

    def close(self):
        """Ends the agents; returns the exit status of each."""
        return [agent.close() for agent in (*self.streams, *self.senders, self.observer)]
