# SPDX-License-Identifier: BSD-2-Clause
"""A real virtual function becomes a pair's later than usual, or in place of another one."""

import pytest
from setting import PLACES, long
from test_sriov import ARCHIVE

from netvf_lab.sriov.machine import MODULES, PROGRAMS, CardSession
from netvf_lab.topology import GUEST_MAC
from netvf_lab.vm import initramfs
from netvf_lab.vm.peers import Netvf, NetvfBond, NetvfTransparent
from netvf_lab.vm.session import FIND_VF

PEERS = {peer.name: peer for peer in (Netvf, NetvfBond, NetvfTransparent)}
WITHIN = 60  # seconds

pytestmark = [long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=PEERS)
def card(debian, card_places, request):
    """A session, without a virtual function."""
    kernel, busybox, _ = debian
    initramfs.build(ARCHIVE, PLACES, kernel, busybox, PROGRAMS, MODULES)
    with CardSession(PEERS[request.param](), card_places, kernel, ARCHIVE) as session:
        session.boot()
        yield session


@pytest.fixture
def session(card):
    yield card
    card.host.remove_vf()
    card.guest.run("sed -i /netvf_pairs/d /etc/netvf/rc.conf && kill -HUP $(pidof netvfd)")
    card.peer.await_active(card.guest, "hn")


def await_vf(session):
    """Returns its name."""
    session.guest.run(f"until [ -n \"$({FIND_VF})\" ]; do usleep 50000; done", within=WITHIN)
    return session.vf_name()


def bind_hn(session, verb, device):
    session.guest.run(f"echo {device} >/sys/bus/virtio/drivers/virtio_net/{verb}")


def test_one_that_was_found_with_a_random_mac_address(session):
    """Its host gives it hn's after its driver has made one up. It takes that when it is reset."""
    session.host.add_strange_vf()
    name = await_vf(session)
    session.host.tell_card(f"vf 0 mac {GUEST_MAC}")
    session.guest.run(f"ip link set {name} down && ip link set {name} up")
    session.peer.await_active(session.guest, "vf")


def test_one_whose_rival_goes(session):
    session.host.add_vfs_without_driver(2)
    session.host.bind(0)
    session.peer.await_active(session.guest, "vf")
    session.host.bind(1)
    session.guest.run("until netvf doctor | grep -q 'cannot be paired'; do usleep 50000; done",
                      within=WITHIN)
    session.host.unbind(0)
    session.peer.await_active(session.guest, "vf")


def test_one_that_is_named_and_is_given_hns_mac_address_by_hand(session):
    session.host.add_strange_vf()
    name = await_vf(session)
    session.guest.run(f"ip link set {name} address {GUEST_MAC}")
    session.guest.run(f"echo 'netvf_pairs=\"hn0:{name}\"' >>/etc/netvf/rc.conf"
                      " && kill -HUP $(pidof netvfd)")
    session.peer.await_active(session.guest, "vf")


def test_one_that_was_there_before_hn(session):
    """The last one: the hn that comes back has another name."""
    device = session.guest.run("basename $(readlink -f /sys/class/net/hn0/device)").strip()
    bind_hn(session, "unbind", device)
    session.host.add_vf()
    await_vf(session)
    bind_hn(session, "bind", device)
    session.guest.run(f"ip link set $(ls /sys/bus/virtio/devices/{device}/net) up")
    session.peer.await_active(session.guest, "vf")
