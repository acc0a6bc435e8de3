# SPDX-License-Identifier: BSD-2-Clause
"""A host that steers by MAC address sends to a VF from plug-in on. What comes before the guest has
opened the VF is lost, so it is opened on its first message, whether udev has named it or not."""

import contextlib
import os
import statistics

import pytest
from conftest import RC_CONF
from harness import BUILD, UDEV_WAIT, udev_busy
from netvf_lab.agents import Agent
from netvf_lab.loop import Loop
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS

MODES = {"lagg": "", "transparent": 'netvf_vf_transparent="YES"\n'}
UDEV = {"no udev": contextlib.nullcontext, "udev is busy": udev_busy}
PORT, PPS, SIZE = 7001, 1000, 100
LOST = 10  # datagrams, at most, where NETVF_TIMING is set: on a machine that does nothing else
ROUNDS = 5 if os.environ.get("NETVF_TIMING") else 1


class Datagrams:
    """Numbered datagrams from the host to the guest."""

    def __init__(self, guest):
        self.loop = Loop()
        here, there = (GUEST_ADDRESS, PORT), (HOST_ADDRESS, PORT)
        self.receiver = self.agent(guest.namespace, *here, *there)
        self.sender = self.agent(guest.host, *there, *here)
        self.sender.tell("go")

    def agent(self, namespace, *ends):
        program = BUILD / "lab/netvf-lab-agent"
        agent = Agent(self.loop, namespace, program, "udp", *ends, PPS, SIZE)
        agent.answer()
        return agent

    def stop(self):
        """The runs of datagrams that were lost: how many each."""
        sent = self.sender.ask("stop")
        received = self.receiver.ask(f"end {sent['sent']}")
        for agent in self.receiver, self.sender:
            agent.close()
        assert sent["failed"] == received["duplicates"] == received["overflow"] == 0
        assert received["received"] > 0
        return [count for *_, count in received["lost_runs"]]


def lost_at_plug_in(guest, netvfd):
    datagrams = Datagrams(guest)
    guest.host.run(["ping", "-q", "-c1", GUEST_ADDRESS])
    guest.topology.attach_steered()
    netvfd.wait_active("vf", deadline=UDEV_WAIT - 1)
    guest.host.run(["ping", "-q", "-c1", GUEST_ADDRESS])
    return datagrams.stop()


@pytest.mark.parametrize("udev", UDEV)
@pytest.mark.parametrize("mode", MODES)
def test_what_the_host_sends_is_received_as_soon_as_the_vf_is_open(
        guest, start_netvfd, mode, udev):
    netvfd = start_netvfd(rcconf=RC_CONF + MODES[mode])
    lost = []
    with UDEV[udev]():
        for _ in range(ROUNDS):
            if lost:
                guest.detach_vf("unplug")
                netvfd.wait_active("hn")
            runs = lost_at_plug_in(guest, netvfd)
            assert len(runs) <= 1, "nothing is lost after the first that arrives by the VF"
            lost.append(sum(runs))
    print(f"lost at each plug-in: {lost}")
    if ROUNDS > 1:
        assert statistics.median(lost) <= LOST
