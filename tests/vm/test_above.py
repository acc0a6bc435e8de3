# SPDX-License-Identifier: BSD-2-Clause
"""What stands on laggN, in a real guest: cards there have filters, so the ports must be told."""

import contextlib
import select
import socket
import struct
import time

import pytest
from setting import PLACES

from netvf_lab.topology import GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS, SWITCH_MAC
from netvf_lab.vm import initramfs
from netvf_lab.vm.peers import Netvf
from netvf_lab.vm.qemu import SLOTS
from netvf_lab.vm.session import Session

ARCHIVE = "/run/initramfs-above"
VLAN, VLAN_ADDRESS = 5, "10.77.5.2"
MACVLAN_MAC, MACVLAN_ADDRESS = "02:15:5d:4e:56:77", "10.77.0.77"
OTHER_MAC = "02:15:5d:4e:56:99"
ETH_P_ALL, ETH_P_ARP, ETH_P_8021Q = 3, 0x0806, 0x8100
ANSWER_WITHIN = 30  # seconds
AGAIN_AFTER = 0.5


class WithVlan(Netvf):
    rc_conf = (f'vlans_hn0="{VLAN}"', f'ifconfig_hn0_{VLAN}="inet {VLAN_ADDRESS}/24"')


def raw_mac(text):
    return bytes.fromhex(text.replace(":", ""))


class Asker:
    """Asks the guest by ARP from the host's switch, by unicast, and sees which port is used."""

    def __init__(self, host):
        with host.host.entered():
            self.switch = self._open("switch0")
            self.ports = {"hn": self._open(host.hn.name), "vf": self._open(host.vf.name)}

    @staticmethod
    def _open(name):
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        opened.bind((name, ETH_P_ALL))
        opened.setblocking(False)
        return opened

    def ask(self, port, mac, address, vlan=None):
        """Until the guest answers, and question and answer both take this port: the first question
        to a MAC that the switch does not know goes to hn."""
        tag = struct.pack("!HH", ETH_P_8021Q, vlan) if vlan else b""
        head = struct.pack("!HHBB", 1, 0x0800, 6, 4)
        asks = raw_mac(SWITCH_MAC) + socket.inet_aton(HOST_ADDRESS)
        asked = socket.inet_aton(address)
        question = head + b"\0\1" + asks + bytes(6) + asked
        answer = head + b"\0\2" + raw_mac(mac) + asked
        frame = raw_mac(mac) + raw_mac(SWITCH_MAC) + tag + struct.pack("!H", ETH_P_ARP) + question
        end = time.monotonic() + ANSWER_WITHIN
        ways = None
        while ways != (port, port):
            if time.monotonic() > end:
                pytest.fail(f"{address} at {mac} (VLAN {vlan}), by {port}: it was {ways}")
            self._drain()
            self.switch.send(frame)
            ways = self._await(question, answer)

    def _drain(self):
        for port in self.ports.values():
            with contextlib.suppress(BlockingIOError):
                while True:
                    port.recv(2048)

    def _await(self, question, answer):
        by = None
        end = time.monotonic() + AGAIN_AFTER
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select(self.ports.values(), [], [], left)
            for name, port in self.ports.items():
                if port not in ready:
                    continue
                frame = port.recv(2048)
                by = name if question in frame else by
                if answer in frame:
                    return by, name
        return None

    def close(self):
        for opened in (self.switch, *self.ports.values()):
            opened.close()


@pytest.fixture
def session(debian):
    """A guest with a VF, and lagg0 on it."""
    kernel, busybox, _ = debian
    initramfs.build(ARCHIVE, PLACES, kernel, busybox, modules=("macvlan",))
    with Session(WithVlan(), PLACES, kernel, ARCHIVE) as session:
        session.boot()
        session.plug("e1000e", SLOTS["acpi"][0])
        session.await_link()
        session.peer.settle(session.guest)
        yield session
        print("\n".join(session.log()))


def wait(guest, condition):
    guest.run(f"until {condition}; do usleep 20000; done")


def switch_to(guest, port):
    guest.run(f"netvf switch hn0 {port}")
    name = "hn0" if port == "hn" else "eth"
    wait(guest, f"netvf status | grep -q '^hn0: lagg, upper lagg0, on {name}'")


@pytest.mark.timeout(300)
def test_what_stands_on_the_lagg_is_heard_on_both_cards(session):
    guest = session.guest
    asker = Asker(session.host)
    switch_to(guest, "vf")
    asker.ask("vf", GUEST_MAC, VLAN_ADDRESS, VLAN)
    assert "PROMISC" not in guest.run(f"ip link show dev {session.vf_name()}"), "it is registered"
    guest.run("ip link add link lagg0 name mv0 type macvlan mode bridge")
    guest.run(f"ip link set mv0 address {MACVLAN_MAC} && ip link set mv0 up"
              f" && ip address add {MACVLAN_ADDRESS}/24 dev mv0")
    asker.ask("hn", MACVLAN_MAC, MACVLAN_ADDRESS)
    guest.run("echo 'netvf_vf_spoofchk=NO' >>/etc/netvf/rc.conf && kill -HUP $(pidof netvfd)")
    for port in "vf", "hn", "vf":
        switch_to(guest, port)
        asker.ask(port, GUEST_MAC, GUEST_ADDRESS)
        asker.ask(port, GUEST_MAC, VLAN_ADDRESS, VLAN)
        asker.ask(port, MACVLAN_MAC, MACVLAN_ADDRESS)

    guest.run("ip link del mv0 && ip link del lagg0.5")
    wait(guest, "! ip link show dev hn0 | grep -q PROMISC")
    wait(guest, f"! ip link show dev {session.vf_name()} | grep -q PROMISC")
    guest.run(f"ip link set lagg0 address {OTHER_MAC}")
    for port in "vf", "hn":
        switch_to(guest, port)
        asker.ask(port, OTHER_MAC, GUEST_ADDRESS)
    for name in "hn0", session.vf_name():
        assert GUEST_MAC in guest.run(f"ip -o link show dev {name}")
    asker.close()


@pytest.mark.timeout(300)
def test_an_mtu_that_a_card_refuses_takes_the_lagg_back(session):
    guest = session.guest
    for asked, got in (1400, 1400), (9000, 9000), (16000, 1500):
        guest.run(f"ip link set lagg0 mtu {asked}")
        for name in "lagg0", "hn0", session.vf_name():
            wait(guest, f"grep -qx {got} /sys/class/net/{name}/mtu")
    assert "refuses the MTU 16000" in guest.run("cat /run/netvfd.log")
