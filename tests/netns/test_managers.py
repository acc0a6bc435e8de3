# SPDX-License-Identifier: BSD-2-Clause
"""Network managers: what they configure stays theirs, and what they do to a VF is mended."""

import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest

from conftest import RC_CONF
from harness import BUILD, DEADLINE, bounded_as_the_unit, wait_until
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS
from programs import Programs

RULES = f"""\
notify 10 {{
    match "system" "HYPERV_NIC_VF"; match "type" "VF_UP";
    action "{BUILD}/src/libexec/hyperv_vfup '$subsystem'";
}};
"""
NO_WAIT = RC_CONF + 'netvf_vf_xpnt_attwait="0"\n'
STATES = {
    "systemd-networkd": ("/run/systemd/netif/links", "ADMIN_STATE=configured\n"),
    "NetworkManager": ("/run/NetworkManager/devices", "[device]\nmanaged=true\n"),
}


@pytest.fixture
def manage(guest):
    """Call it to have a manager say that it configures an interface."""
    def write(manager, name):
        directory, text = STATES[manager]
        path = pathlib.Path(directory, str(guest.namespace.index(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


@pytest.mark.parametrize("manager", STATES)
def test_what_a_manager_configures_keeps_it(guest, start_netvfd, manage, manager):
    manage(manager, "hn0")
    netvfd = start_netvfd(rcconf=NO_WAIT)
    guest.attach_vf()
    netvfd.wait_active("vf")
    assert netvfd.pair()["form"] == "transparent"
    assert netvfd.pair()["manager"] == manager
    assert f"{manager} configures it" in netvfd.ask("status")
    assert netvfd.log.count(f"hn0: {manager} configures it") == 1
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/24"}
    assert not guest.link("lagg0")
    assert netvfd.ask("sysctl", "-n", "dev.hn.0.vf_xpnt_enabled") == "1\n"


@pytest.fixture
def booting(guest):
    """Of a manager that runs, and has not looked at hn yet, which nobody else has configured."""
    started = pathlib.Path("/run/NetworkManager/devices")
    started.mkdir(parents=True)
    index = guest.namespace.index("hn0")
    guest.netlink.flush_addr(index=index)
    guest.netlink.link("set", index=index, state="down")
    return index


def configure(guest, index):
    guest.netlink.link("set", index=index, state="up")
    guest.netlink.addr("add", index=index, address=GUEST_ADDRESS, prefixlen=24)


def attach(guest, netvfd):
    """Until netvfd has done what it does first for a VF that is usable."""
    guest.attach_vf()
    guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
    wait_until(lambda: netvfd.pair()["vf_port"] and netvfd.pair()["vf_port"]["usable"])


def test_a_manager_may_come_later_than_the_vf(guest, start_netvfd, manage, booting):
    netvfd = start_netvfd(rules=RULES, rcconf='netvf_pairs="hn0:vf0"\n')
    attach(guest, netvfd)
    assert netvfd.pair()["form"] == "transparent" and netvfd.pair()["active"] == "hn"
    manage("NetworkManager", "hn0")
    configure(guest, booting)
    netvfd.wait_active("vf")
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/24"}
    assert "NetworkManager configures it" in netvfd.log
    assert "VF_UP" not in netvfd.log


def test_what_no_manager_wants_has_its_lagg_when_it_is_configured(guest, start_netvfd, booting):
    netvfd = start_netvfd(rules=RULES, rcconf='netvf_pairs="hn0:vf0"\n')
    attach(guest, netvfd)
    assert netvfd.pair()["active"] == "hn"
    configure(guest, booting)
    wait_until(lambda: guest.addresses("lagg0") == {f"{GUEST_ADDRESS}/24"})
    wait_until(lambda: netvfd.pair()["form"] == "lagg" and netvfd.pair()["active"] == "vf")


@pytest.mark.skipif(not os.environ.get("NETVF_LONG"), reason="half a minute; with NETVF_LONG")
def test_a_manager_that_says_nothing_is_not_waited_for_for_ever(guest, start_netvfd, booting):
    netvfd = start_netvfd(rules=RULES, rcconf='netvf_pairs="hn0:vf0"\n')
    attach(guest, netvfd)
    netvfd.wait_event("subsystem=hn0 type=VF_UP", deadline=2 * DEADLINE)


def test_rc_conf_overrules_a_manager(guest, start_netvfd, manage):
    manage("NetworkManager", "hn0")
    netvfd = start_netvfd(rules=RULES, rcconf=NO_WAIT + 'netvf_vf_transparent="NO"\n')
    guest.attach_vf()
    guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
    wait_until(lambda: netvfd.pair()["form"] == "lagg")
    wait_until(lambda: guest.addresses("lagg0") == {f"{GUEST_ADDRESS}/24"})


def test_by_hand_it_is_said_who_configures_hn(guest, tmp_path, manage):
    programs = Programs(guest, tmp_path)
    guest.attach_vf()
    manage("systemd-networkd", "hn0")
    assert programs.run("hyperv_vfattach", "vf0", "0") == ""
    assert not guest.is_up("vf0")
    assert "because systemd-networkd configures it" in programs.run("hyperv_vfup", "hn0")
    assert not guest.link("lagg0")


def addresses(guest, name):
    index = guest.namespace.index(name)
    return [a for a in guest.netlink.get_addr() if a["index"] == index]


@pytest.mark.parametrize("rcconf, form", [
    (NO_WAIT + 'netvf_vf_transparent="YES"\n', "transparent"), (NO_WAIT, "lagg")])
def test_an_address_on_a_vf_is_taken_off(guest, start_netvfd, echo, rcconf, form):
    netvfd = start_netvfd(rules=RULES, rcconf=rcconf)
    guest.attach_vf()
    index = guest.namespace.index("vf0")
    guest.netlink.link("set", index=index, state="up")
    netvfd.wait_active("vf")
    wait_until(lambda: netvfd.pair()["form"] == form)
    for address, prefixlen in ("10.77.0.77", 24), ("fd77::77", 64), ("10.77.0.78", 24):
        guest.netlink.addr("add", index=index, address=address, prefixlen=prefixlen)
    wait_until(lambda: not addresses(guest, "vf0"))
    assert echo.ask(20) == 20
    assert netvfd.log.count("somebody gave its VF vf0 the address 10.77.0.77/24") == 1
    assert "the address 10.77.0.78" not in netvfd.log


def udev_properties(guest, programs):
    return guest.run(BUILD / "src/libexec/netvf_udev", "vf0", env=programs.environment).stdout


@pytest.mark.parametrize("hn, manager", [("down", None), ("up", None), ("up", "NetworkManager")])
def test_a_vf_that_is_configured_in_place_of_hn_keeps_it(
        guest, tmp_path, start_netvfd, manage, hn, manager):
    """The guest has no other address. When hn has one, the VF serves it. A network manager may have
    set hn up, and hear nothing there."""
    guest.attach_vf()
    if manager:
        manage(manager, "hn0")
    for words in ("address flush dev hn0", f"link set hn0 {hn}", "link set vf0 up",
                  f"address add {GUEST_ADDRESS}/24 dev vf0"):
        guest.run("ip", *words.split())
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\nnetvf_vf_xpnt_attwait="0"\n')
    wait_until(lambda: netvfd.pair()["form"] == "exclusive")
    guest.run("ping", "-c", "1", "-W", "5", HOST_ADDRESS)
    assert guest.addresses("vf0") == {f"{GUEST_ADDRESS}/24"}
    assert "the VF is used by itself" in netvfd.log
    assert "is not configured, and its VF is, so" in netvfd.ask("doctor", check=False)
    programs = Programs(guest, tmp_path)
    programs.run_dir = netvfd.run_dir
    assert udev_properties(guest, programs) == ""
    if not manager:
        assert "is used by itself" in programs.run("hyperv_vfattach", "vf0", "0")
    guest.run("ip", "address", "add", f"{GUEST_ADDRESS}/24", "dev", "hn0")
    form = "transparent" if manager else "lagg"
    wait_until(lambda: netvfd.pair()["form"] == form and not guest.addresses("vf0"))
    netvfd.wait_active("vf")
    guest.run("ping", "-c", "1", "-W", "5", HOST_ADDRESS)
    assert "ID_NET_MANAGED_BY=netvf" in udev_properties(guest, programs)


def test_what_a_vf_has_that_is_used_exclusively_is_its_own(guest, start_netvfd):
    netvfd = start_netvfd(rules="", rcconf='netvf_pairs="hn0:vf0"\n')
    guest.attach_vf()
    index = guest.namespace.index("vf0")
    guest.netlink.link("set", index=index, state="up")
    guest.netlink.addr("add", index=index, address="10.77.0.77", prefixlen=24)
    wait_until(lambda: netvfd.pair()["form"] == "exclusive")
    guest.netlink.addr("add", index=index, address="10.77.0.78", prefixlen=24)
    wait_until(lambda: guest.addresses("vf0") == {"10.77.0.77/24", "10.77.0.78/24"})
    netvfd.ask("status")  # it has heard of them by now
    assert guest.addresses("vf0") == {"10.77.0.77/24", "10.77.0.78/24"}


@contextlib.contextmanager
def udhcpc_on_vf0(guest):
    """A client with all of root's rights; its address is given by hand, for there is no server."""
    with guest.popen("udhcpc", "-f", "-i", "vf0", "-s", "/bin/true",
                     stderr=subprocess.DEVNULL) as client:
        cmdline = pathlib.Path(f"/proc/{client.pid}/cmdline")
        wait_until(lambda: cmdline.read_bytes().startswith(b"udhcpc"), what="nsenter has run it")
        guest.netlink.addr("add", index=guest.namespace.index("vf0"), address="10.77.0.77",
                           prefixlen=24)
        try:
            yield client
        finally:
            client.kill()


needs_udhcpc = pytest.mark.skipif(not shutil.which("udhcpc"), reason="udhcpc is not installed")
BOUNDED = {"under": bounded_as_the_unit(), "actions": True}


@needs_udhcpc
@pytest.mark.parametrize("mode", ["", 'netvf_vf_transparent="YES"\n'], ids=["lagg", "transparent"])
@pytest.mark.parametrize("rights", [{}, BOUNDED], ids=["all", "unit"])
def test_a_dhcp_client_on_a_vf_is_ended(guest, start_netvfd, mode, rights):
    """Also one that netvfd may not look at; and the next one, which comes soon after."""
    netvfd = start_netvfd(rcconf=NO_WAIT + mode, **rights)
    guest.attach_vf()
    netvfd.wait_active("vf")
    for _ in range(2):
        with udhcpc_on_vf0(guest) as client:
            wait_until(lambda: client.poll() is not None)
        wait_until(lambda: not guest.addresses("vf0"))
        text = (f"udhcpc (process {client.pid}) runs on its VF vf0, where no DHCP client may run:"
                " it is ended")
        wait_until(lambda: text in netvfd.log)
    assert guest.is_up("vf0")


@needs_udhcpc
def test_a_dhcp_client_on_a_vf_that_is_used_exclusively_stays(guest, start_netvfd, tmp_path):
    netvfd = start_netvfd(rules="", rcconf=RC_CONF)
    guest.attach_vf()
    guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
    wait_until(lambda: netvfd.pair()["form"] == "exclusive")
    programs = Programs(guest, tmp_path)
    programs.run_dir = netvfd.run_dir
    with udhcpc_on_vf0(guest) as client:
        programs.run("hyperv_vfattach", "vf0", "0")
        assert client.poll() is None
