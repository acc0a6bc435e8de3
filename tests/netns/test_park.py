# SPDX-License-Identifier: BSD-2-Clause
"""netvf_park: VFs are out of sight while it runs."""

import signal
import socket
import subprocess

import pytest

from harness import BUILD, DEADLINE, KERNELS, uevent_socket, uevents, wait_until
from programs import Programs


@pytest.fixture
def programs(guest, tmp_path):
    return Programs(guest, tmp_path)


@pytest.fixture
def start_park(guest, programs, tmp_path):
    """Returns when it is ready, as it tells systemd."""
    started = []

    def start():
        path = str(tmp_path / f"notify{len(started)}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(DEADLINE)
            started.append(guest.popen(
                BUILD / "src/libexec/netvf_park", stderr=subprocess.PIPE, text=True,
                env={**programs.environment, "NOTIFY_SOCKET": path}))
            assert notify.recv(100) == b"READY=1"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        print(process.communicate()[1])


def end(park):
    park.send_signal(signal.SIGTERM)
    assert park.wait(DEADLINE) == 0


def rename(guest, old, new):
    guest.netlink.link("set", index=guest.namespace.index(old), ifname=new)


def is_bare(guest, ifname):
    link = guest.link(ifname)
    return not link["flags"] & 1 and not link.get_attr("IFLA_MASTER") and \
        not guest.addresses(ifname)


def test_a_vf_is_away_until_the_end(guest, start_park):
    """The hn stays as it is, and so does a card that is nobody's VF."""
    guest.attach_vf()
    guest.attach_vf("other0")
    before = guest.addresses("hn0"), guest.routes()
    park = start_park()
    assert not guest.link("vf0")
    assert guest.link("other0") and (guest.addresses("hn0"), guest.routes()) == before
    end(park)
    assert is_bare(guest, "vf0")
    assert (guest.addresses("hn0"), guest.routes()) == before


def test_a_vf_with_a_mac_address_of_its_own_stays(guest, start_park):
    """Somebody may look for that."""
    guest.topology.vf_mac = "02:15:5d:4e:56:31"
    guest.attach_vf()
    park = start_park()
    assert guest.link("vf0")
    end(park)


def test_a_vf_that_is_used_by_itself_stays(guest, programs, start_park):
    """Until hn is configured, and so it is kept."""
    guest.attach_vf()
    programs.run_dir.mkdir()
    mac = guest.link("hn0").get_attr("IFLA_ADDRESS")
    (programs.run_dir / f"unused-{mac}").touch()
    park = start_park()
    assert guest.link("vf0")
    end(park)


def test_udev_processes_an_hn_again_that_had_no_name_for_its_vf(guest, start_park):
    """The VF may have had it; no other interface is looked at again."""
    guest.attach_vf()
    guest.attach_vf("other0")
    guest.netlink.link("set", index=guest.namespace.index("hn0"), state="down")
    with uevent_socket(guest.namespace) as ear:
        ear.bind((0, KERNELS))
        park = start_park()
        told = [event for event in uevents(ear) if event.startswith("add@")]
    assert told == ["add@/devices/virtual/net/hn0"]
    end(park)


def test_a_vf_that_is_configured_stays(guest, start_park):
    """The root file system may be reached by it."""
    guest.attach_vf()
    guest.netlink.addr("add", index=guest.namespace.index("vf0"), address="192.0.2.1", prefixlen=24)
    park = start_park()
    assert guest.addresses("vf0") == {"192.0.2.1/24"}
    end(park)


def test_a_vf_that_comes_meanwhile_is_put_aside_too(guest, start_park):
    guest.attach_vf("late0")
    park = start_park()
    guest.attach_vf("other0")
    rename(guest, "late0", "vf0")
    wait_until(lambda: not guest.link("vf0"))
    end(park)
    assert is_bare(guest, "vf0")


def test_a_name_that_was_taken_meanwhile_is_left_to_who_has_it(guest, start_park):
    """As that of a set-name that goes by the MAC address, when the VF was probed first."""
    guest.attach_vf()
    mac = guest.link("vf0").get_attr("IFLA_ADDRESS")
    park = start_park()
    guest.attach_vf("other0")
    rename(guest, "hn0", "vf0")
    end(park)
    names = {link.get_attr("IFLA_IFNAME") for link in guest.netlink.get_links()
             if link.get_attr("IFLA_ADDRESS") == mac}
    assert {"vf0", "other0"} < names and names < {"vf0", "other0", "eth0", "eth1"}


def test_a_configuration_with_faults_costs_no_network(programs, start_park):
    programs.rcconf.write_text("netvf_pairs=hn0:vf0 echo\n")
    end(start_park())


def test_an_end_by_force_frees_the_namespace(guest, start_park):
    """Then the kernel gives PCI devices back, and deletes one like the VF of this test."""
    port = guest.attach_vf()
    park = start_park()
    park.kill()
    park.wait(DEADLINE)
    wait_until(lambda: not guest.host.netlink.link_lookup(ifname=port.host_name))
