# SPDX-License-Identifier: BSD-2-Clause
"""What must work on every path besides the datagrams: an IPv6 neighbour that does not know the
guest, a group that the guest has joined, a VLAN and a macvlan on the interface that has the
addresses."""

from ..agents import Agent
from ..topology import GUEST_ADDRESS6, PREFIX
from .machine import GUEST_VLAN_ADDRESS

GROUP, GROUP_PORT = "239.77.0.1", 7004
TRIES = 3
DATAGRAMS = 20
CHECKS = {"ipv6": "IPv6 neighbour", "group": "group", "vlan": "VLAN", "macvlan": "macvlan"}
MACVLAN_MAC, MACVLAN_ADDRESS = "02:15:5d:4e:56:88", "10.77.0.88"


class Checks:
    """Made when the peer has its upper interface, before the first check."""

    def __init__(self, session, program):
        guest, upper = session.guest, session.peer.upper
        self._guest = guest
        guest.run(f"ip link add link {upper} name v5 type vlan id 5"
                  f" && ip address add {GUEST_VLAN_ADDRESS}/24 dev v5 && ip link set v5 up")
        # In a namespace, as of a container.
        guest.run(f"ip netns add box && ip link add link {upper} name mv0 netns box"
                  f" address {MACVLAN_MAC} type macvlan mode bridge"
                  f" && ip -n box address add {MACVLAN_ADDRESS}/{PREFIX} dev mv0"
                  " && ip -n box link set mv0 up")
        self._listener, self._speaker = (
            Agent(session.loop, namespace, program, "group", ifname, GROUP, GROUP_PORT)
            for namespace, ifname in ((guest, upper), (session.host.host, "switch0"))
        )
        for agent in (self._listener, self._speaker):
            agent.answer()

    def all(self):
        """{name: (how many came, of how many, how many came twice)}"""
        return {"ipv6": self._ping("-6", "switch0", GUEST_ADDRESS6), "group": self._group(),
                "vlan": self._ping("-4", "switch0.5", GUEST_VLAN_ADDRESS),
                "macvlan": self._ping("-4", "switch0", MACVLAN_ADDRESS)}

    def _ping(self, family, ifname, address):
        """From the host, which has forgotten the guest's link-layer address. Not that of the
        datagrams: those that wait for an answer would be dropped."""
        said = self._guest.run(
            f"for i in $(seq {TRIES}); do ip -n host neigh flush dev {ifname} to {address};"
            f" ip netns exec host ping {family} -c 1 -W 1 {address} >/dev/null && echo yes; done",
            check=False,
        )
        return said.count("yes"), TRIES, 0

    def _group(self):
        self._listener.ask("count")
        self._speaker.ask(f"send {DATAGRAMS}")
        told = self._listener.ask("count")
        return told["received"], DATAGRAMS, told["twice"]

    def close(self):
        for agent in (self._listener, self._speaker):
            agent.close()
