# SPDX-License-Identifier: BSD-2-Clause
"""What uses hn itself, and not its addresses, goes on: its configuration stays at hn, and the VF
carries its traffic."""

import contextlib
import os
import socket
import struct
import subprocess

import pytest
from conftest import RC_CONF
from harness import BUILD, wait_until
from netvf_lab.namespace import Namespace
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS
from test_filters import on_vf
from test_stripped import attach_others

NOBODY = 65534
ETH_P_IP = 0x0800
PORT = 7400
VRRP, VRRP_GROUP, VIP = 112, "224.0.0.18", "10.77.0.200"


def bound(guest, *words):
    """A socket of the guest's that is bound to hn0."""
    with guest.namespace.entered():
        made = socket.socket(*words)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"hn0")
    made.settimeout(10)
    return made


def udp(guest):
    made = bound(guest, socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("", PORT))
    return made


def packet(guest):
    with guest.namespace.entered():
        made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        made.bind(("hn0", ETH_P_IP))
    made.settimeout(10)
    return made


def vrrp(guest):
    """As keepalived has it, in each router of a virtual address."""
    made = bound(guest, socket.AF_INET, socket.SOCK_RAW, VRRP)
    join(guest, made, VRRP_GROUP)
    return made


def join(guest, made, group):
    request = socket.inet_aton(group) + bytes(4)
    request += struct.pack("=i", guest.namespace.index("hn0"))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)


@contextlib.contextmanager
def from_the_host(guest, *words):
    with guest.host.entered():
        made = socket.socket(*words)
    made.bind((HOST_ADDRESS, 0))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HOST_ADDRESS))
    with made:
        yield made


def hears(guest, made):
    """Whether the socket hears what the host says to it ten times."""
    words, to, mark = {
        udp: ((socket.AF_INET, socket.SOCK_DGRAM), (GUEST_ADDRESS, PORT), b"to hn0"),
        packet: ((socket.AF_INET, socket.SOCK_DGRAM), (GUEST_ADDRESS, PORT), b"to hn0"),
        vrrp: ((socket.AF_INET, socket.SOCK_RAW, VRRP), (VRRP_GROUP, 0), b"advertisement"),
    }[made.maker]
    with from_the_host(guest, *words) as sender:
        for _ in range(10):
            sender.sendto(mark, to)
            while mark not in made.recv(2000):
                pass
    return True


SOCKETS = {
    "udp": (udp, f"sockets are bound to hn0 (UDP port {PORT} of "),
    "packet": (packet, "sockets are bound to hn0 (packet protocol 0x0800 of "),
    "vrrp": (vrrp, f"multicast groups are joined at hn0 ({VRRP_GROUP})"),
}


class Bound:
    def __init__(self, maker, guest):
        self.maker = maker
        self.socket = maker(guest)

    def recv(self, size):
        return self.socket.recv(size)


@pytest.mark.parametrize("kind", SOCKETS)
def test_a_socket_that_is_bound_to_hn_hears_on(start_netvfd, guest, kind):
    """Told once, in whatever number of migrations; and by the plan and the doctor."""
    maker, why = SOCKETS[kind]
    user = Bound(maker, guest)
    netvfd = start_netvfd()
    assert hears(guest, user)
    for _ in range(2):
        assert on_vf(netvfd, guest) == "transparent"
        assert hears(guest, user)
        guest.detach_vf("unplug")
        netvfd.wait_active("hn")
        assert hears(guest, user)
    assert netvfd.log.count("hn0 keeps its configuration and has no lagg") == 1
    assert why in netvfd.log
    assert why in netvfd.ask("doctor", check=False)
    assert why in plan(netvfd).stderr


def plan(netvfd, *words):
    return netvfd.guest.run(
        BUILD / "src/netvf/netvf", "--run-dir", netvfd.run_dir, "plan", *words, "hn0", check=True,
        env={**os.environ, "NETVF_RC_CONF": str(netvfd.rcconf)})


def test_an_administrator_may_move_it_all_the_same(start_netvfd, guest):
    user = Bound(udp, guest)
    netvfd = start_netvfd()
    assert on_vf(netvfd, guest) == "transparent"
    plan(netvfd, "--force")
    wait_until(lambda: netvfd.pair()["form"] == "lagg")
    assert guest.addresses("lagg0") and not guest.addresses("hn0")
    said = netvfd.ask("doctor", check=False)
    assert f"UDP port {PORT} of " in said and "keeps its configuration" not in said
    user.socket.close()


def test_a_virtual_address_of_keepalived_is_given_and_taken(start_netvfd, guest):
    user = Bound(vrrp, guest)
    netvfd = start_netvfd()
    assert on_vf(netvfd, guest) == "transparent"
    guest.run("ip", "address", "add", f"{VIP}/32", "dev", "hn0", check=True)
    assert guest.host.run(["ping", "-c", "1", "-W", "5", VIP], capture_output=True).returncode == 0
    guest.run("ip", "address", "del", f"{VIP}/32", "dev", "hn0", check=True)
    assert hears(guest, user)
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/24"}


USERS = ("import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
         "s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'hn0');"
         f"s.bind(('', {PORT})); print('bound', flush=True); sys.stdin.read()")


def test_a_users_socket_decides_nothing(start_netvfd, guest):
    with guest.popen("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups",
                     "/usr/bin/python3", "-c", USERS, stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE) as user:
        assert user.stdout.readline() == b"bound\n"
        netvfd = start_netvfd()
        assert on_vf(netvfd, guest) == "lagg"
        user.stdin.close()


MANY = """
import socket, sys
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(400)]
for port, user in enumerate(sockets, 20000):
    user.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"hn0")
    user.bind(("", port))
print("bound", flush=True)
sys.stdin.read()
"""


def test_many_sockets_of_a_user_hide_none_of_roots(start_netvfd, guest):
    """Every user may bind as many sockets as the limit of what is looked at, and more."""
    with guest.popen("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups",
                     "/usr/bin/python3", "-c", MANY, stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE) as user:
        assert user.stdout.readline() == b"bound\n"
        roots = packet(guest)
        netvfd = start_netvfd()
        assert on_vf(netvfd, guest) == "transparent"
        assert SOCKETS["packet"][1] in netvfd.log
        roots.close()
        user.stdin.close()


def test_a_macvlan_in_another_namespace_is_heard(start_netvfd, guest):
    """As Docker's and Multus' are: no list of this namespace has it."""
    with Namespace("container") as container:
        guest.run("ip", "link", "add", "mv0", "link", "hn0", "address", "02:00:00:00:00:77",
                  "type", "macvlan", "mode", "bridge", check=True)
        guest.netlink.link("set", index=guest.namespace.index("mv0"), net_ns_fd=container.net)
        for words in ("address add 10.77.0.99/24 dev mv0", "link set mv0 up"):
            container.run(["ip", *words.split()])
        netvfd = start_netvfd()
        assert on_vf(netvfd, guest) == "transparent"
        why = "MAC addresses that no interface here has are received by hn0 (02:00:00:00:00:77)"
        assert why in netvfd.log
        assert why in plan(netvfd).stderr
        guest.host.run(["ping", "-c", "1", "-W", "10", "10.77.0.99"])


def test_a_server_that_listens_on_each_address_follows_them(start_netvfd, guest):
    """As that of a name server or of NTP: a link-local address binds it to hn0."""
    with guest.namespace.entered():
        made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    index = guest.namespace.index("hn0")

    def binds():
        for address in guest.netlink.get_addr(index=index, family=socket.AF_INET6):
            with contextlib.suppress(OSError):  # duplicate address detection goes on
                made.bind((address.get_attr("IFA_ADDRESS"), PORT, 0, index))
                return True
        return False

    with made:
        wait_until(binds, what="the link-local address is there")
        netvfd = start_netvfd()
        assert on_vf(netvfd, guest) == "lagg"


@pytest.mark.parametrize("place", ["tcx", "clsact"])
def test_programs_of_others_at_hn_go_on(start_netvfd, guest, place):
    if place == "tcx":
        attach_others(guest, "hn0")
    else:
        guest.run("tc", "qdisc", "add", "dev", "hn0", "clsact", check=True)
        guest.run("tc", "filter", "add", "dev", "hn0", "ingress", "prio", "9", "protocol", "ip",
                  "u32", "match", "u32", "0", "0", "flowid", "1:1", check=True)
    netvfd = start_netvfd(rcconf=RC_CONF)
    assert on_vf(netvfd, guest) == "transparent"
    assert "tc programs or filters are at hn0 (1)" in netvfd.log
