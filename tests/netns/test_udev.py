# SPDX-License-Identifier: BSD-2-Clause
"""netvf_udev: what the managers of networks are to keep off."""

import os
import re
import shutil

import pytest

from harness import BUILD, KERNELS, TOP, uevent_socket, uevents, wait_until
from programs import Programs

OWN_MAC = "02:15:5d:4e:56:31"
LEFT_ALONE = "NM_UNMANAGED=1\nID_NET_MANAGED_BY=netvf\n"


@pytest.fixture
def programs(guest, tmp_path):
    guest.attach_vf()
    return Programs(guest, tmp_path)


def plug_another(guest, name, mac):
    """In the place of the VF. The host's switch takes its frames elsewhere when that can be."""
    state = ["cat", "/sys/class/net/p-hn0/brport/state"]
    wait_until(lambda: guest.host.run(state, capture_output=True).stdout == b"3\n")
    guest.topology.vf_mac = mac
    guest.detach_vf()
    guest.attach_vf(name)


def properties(guest, programs, *words, **known):
    environment = {**programs.environment, **known}
    done = guest.run(BUILD / "src/libexec/netvf_udev", *words, env=environment)
    assert done.stderr == ""
    return done.stdout


def test_vf_and_lagg_are_left_alone_and_nothing_else(guest, programs):
    found = {name: properties(guest, programs, name)
             for name in ("vf0", "lagg0", "hn0", "lo", "lagg1", "none")}
    assert found == {
        "vf0": LEFT_ALONE, "lagg0": LEFT_ALONE, "hn0": "", "lo": "", "lagg1": "", "none": ""}


def page_faults(guest, programs, ifname):
    process = guest.popen(BUILD / "src/libexec/netvf_udev", ifname, env=programs.environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_minflt


def test_among_hundreds_of_links_an_interface_costs_what_it_costs_alone(guest, programs):
    """A list of all links takes memory for each."""
    guest.run("ip", "link", "add", "c0", "type", "veth", "peer", "name", "d0", check=True)
    alone = min(page_faults(guest, programs, "c0") for _ in range(3))
    ends = (f"link add c{n} type veth peer name d{n}\n" for n in range(1, 300))
    guest.run("ip", "-batch", "-", input="".join(ends), check=True)
    among = min(page_faults(guest, programs, "c299") for _ in range(3))
    assert among < alone + 10


def test_an_error_in_rcconf_does_not_keep_it_from_its_work(guest, programs):
    """VFs that have their hn's MAC address are known without rc.conf."""
    programs.rcconf.write_text("ifconfig_hn0=inet 192.0.2.1/24\n")
    done = guest.run(BUILD / "src/libexec/netvf_udev", "vf0", env=programs.environment)
    assert done.returncode == 0 and "counts as empty" in done.stderr


def test_two_vfs_of_one_hn_are_nobodys(guest, programs):
    programs.rcconf.write_text('netvf_pairs="hn0:vf0 hn0:vf1"\n')
    guest.topology.attach("vf1")
    assert properties(guest, programs, "vf1") == ""


def test_a_vf_does_not_take_a_name_that_is_taken(guest, programs):
    """As a rule that goes by the MAC address would give it."""
    keeps = "NETVF_NAME=vf0\n"
    found = {name: properties(guest, programs, "vf0", name) for name in ("hn0", "vf0", "free0")}
    assert found == {"hn0": LEFT_ALONE + keeps, "vf0": LEFT_ALONE, "free0": LEFT_ALONE}
    assert properties(guest, programs, "hn0", "vf0") == ""


def test_a_vf_is_named_by_its_place_and_not_by_its_mac_address(guest, programs, tmp_path):
    """udev's properties are the environment: those of netplan's set-name, and of a file by path."""
    def name(ifname="vf0", **known):
        text = properties(guest, programs, ifname, **known)
        return dict(line.split("=") for line in text.split()).get("NETVF_NAME")

    by_mac, by_path = tmp_path / "10-netplan-eth0.link", tmp_path / "10-fast.link"
    by_mac.write_text("[Match]\nPermanentMACAddress=02:00:00:00:00:01\n\n[Link]\nName=eth0\n")
    by_path.write_text("[Match]\nPath=pci-0000:01:00.0\n\n[Link]\nName=fast\n")
    place = {"ID_NET_NAME_SLOT": "ens1", "ID_NET_NAME_PATH": "enp1s0"}
    assert name(ID_NET_LINK_FILE=str(by_mac), ID_NET_NAME="eth0", **place) == "ens1"
    assert name(ID_NET_LINK_FILE=str(by_path), ID_NET_NAME="fast", **place) == "fast"
    assert name(ID_NET_NAME="ens1", **place) == "ens1"
    assert name(**place) == "ens1"  # net.ifnames=0
    assert name() is None
    # Another's name is not asked for: udev would keep nothing of the VF.
    assert name(ID_NET_NAME="hn0", **place) == "ens1"
    assert name(ID_NET_NAME="vf0", **place) == "vf0"
    # udev has given it its alternative names by then.
    guest.run("ip", "link", "property", "add", "dev", "vf0", "altname", "ens1")
    assert name(ID_NET_NAME="ens1", **place) == "ens1"
    assert name("hn0", ID_NET_LINK_FILE=str(by_mac), ID_NET_NAME="eth0", **place) is None


def test_a_vf_with_a_mac_address_of_its_own_is_known_by_the_name_that_it_gets(
        guest, programs, tmp_path):
    """And that may go by the address, which is no other interface's."""
    plug_another(guest, "eth7", OWN_MAC)
    by_mac = tmp_path / "10-fast.link"
    by_mac.write_text(f"[Match]\nMACAddress={OWN_MAC}\n\n[Link]\nName=vf0\n")
    known = {"ID_NET_LINK_FILE": str(by_mac), "ID_NET_NAME": "vf0", "ID_NET_NAME_SLOT": "ens1"}
    assert properties(guest, programs, "eth7", "vf0", **known) == LEFT_ALONE + "NETVF_NAME=vf0\n"
    # Whoever gives the name: a rule of udev's, or the kernel.
    known["ID_NET_NAME"] = "enp1s0"
    assert properties(guest, programs, "eth7", "vf0", **known) == LEFT_ALONE + "NETVF_NAME=vf0\n"
    assert properties(guest, programs, "eth7", "vf1", **known) == ""
    assert properties(guest, programs, "eth7", "hn0", **known) == ""


@pytest.mark.parametrize("words, record, told", [
    (["vf0"], False, ["hn0"]),
    (["vf0"], True, []),  # it has been processed
    (["vf0", "hn0"], True, []),
    (["vf0", "vf0"], True, []),
    (["vf0", "eth0"], True, ["hn0"]),  # and it could not get the name
    (["vf0", "eth0", "up"], True, []),
    (["hn0"], False, []),
    (["lo", "eth0"], False, []),
])
def test_once_a_vf_is_named_its_hn_is_processed_if_it_was_not(
        guest, programs, tmp_path, words, record, told):
    """udev could not, while the VF had the name that is hn's."""
    up = "up" in words
    guest.netlink.link("set", index=guest.namespace.index("hn0"), state="up" if up else "down")
    records = tmp_path / "data"
    records.mkdir()
    if record:
        (records / f"n{guest.namespace.index('hn0')}").touch()
    program = BUILD / "src/libexec/netvf_udev"
    with uevent_socket(guest.namespace) as ear:
        ear.bind((0, KERNELS))
        guest.run("unshare", "--mount", "sh", "-ec",
                  "mount -t tmpfs tmpfs /run; mkdir /run/udev"
                  f"; cp -r {records} /run/udev; exec {program} --named {' '.join(words[:2])}",
                  env=programs.environment, check=True)
        heard = uevents(ear)
    assert heard == [f"add@/devices/virtual/net/{one}" for one in told]


@pytest.mark.parametrize("own_mac", [None, OWN_MAC])
def test_of_a_pair_cloud_inits_handler_sees_the_hn(guest, programs, tmp_path, own_mac):
    """It stops at two interfaces of one MAC address, and these are all files that it reads of."""
    if own_mac:
        plug_another(guest, "vf0", own_mac)
    shutil.copy(TOP / "dist/netvf_class_net", tmp_path)
    (tmp_path / "netvf_udev").symlink_to(BUILD / "src/libexec/netvf_udev")
    guest.netlink.link("add", ifname="lagg0", kind="ifb",
                       address=guest.link("hn0").get_attr("IFLA_ADDRESS"))
    look = (f"{tmp_path}/netvf_class_net {tmp_path}/net && mount --bind {tmp_path}/net"
            " /sys/class/net && cd /sys/class/net && grep . */address && ls hn0/statistics")
    found = guest.run("unshare", "--mount", "sh", "-c", look, env=programs.environment)
    assert "rx_bytes" in found.stdout, found.stderr
    mac = guest.link("hn0").get_attr("IFLA_ADDRESS")
    assert re.findall(rf"(?m)^(\w+)/address:{mac}$", found.stdout) == ["hn0"]
    assert ("vf0/address" in found.stdout) == bool(own_mac)
    assert "lo/address" in found.stdout
