# SPDX-License-Identifier: BSD-2-Clause
"""netvf doctor: nothing is wrong, or it is named, and how to mend it."""

import ctypes
import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess

import pytest
from conftest import RC_CONF, RULES
from harness import BUILD, dptool, wait_until

# The shipped rules name udevadm and Debian's hyperv-daemons, which need not be on this machine.
PRESENT = re.sub(r'action "udevadm [^"]*"', 'action "/bin/true"', RULES.read_text())
SO_BINDTODEVICE = 25
F_OFD_SETLK = 37


def run_doctor(guest, netvfd):
    return guest.run(BUILD / "src/netvf/netvf", "--run-dir", netvfd.run_dir, "doctor", "--json",
                     check=False)


def ask_doctor(guest, netvfd, status):
    done = run_doctor(guest, netvfd)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def wait_well(guest, netvfd):
    command = [BUILD / "src/netvf/netvf", "--run-dir", netvfd.run_dir, "doctor"]
    wait_until(lambda: guest.run(*command, check=False).returncode == 0, what="all is well")


def finding(guest, netvfd):
    """The only one there is: subject and problem."""
    findings = ask_doctor(guest, netvfd, 1)["findings"]
    assert len(findings) == 1, findings
    assert findings[0]["remedy"]
    return f"{findings[0]['subject']} {findings[0]['problem']}"


@pytest.fixture
def lagg(guest, start_netvfd):
    """A pair in lagg form, with which all is well."""
    netvfd = start_netvfd(rules=PRESENT)
    guest.attach_vf()
    wait_until(lambda: netvfd.pair()["form"] == "lagg", what="lagg0 is the upper")
    netvfd.wait_active("vf")
    wait_well(guest, netvfd)
    return netvfd


def test_a_pair_in_health(guest, lagg):
    said = ask_doctor(guest, lagg, 0)
    assert said["findings"] == []
    assert said["handover"] == lagg.status()["handover"]
    assert "nothing is wrong" in lagg.ask("doctor")
    for directory in lagg.run_dir.parents:  # pytest keeps its own from others
        directory.chmod(directory.stat().st_mode | 0o055)
    nobody = guest.run("setpriv", "--reuid=65534", "--clear-groups", BUILD / "src/netvf/netvf",
                       "--run-dir", lagg.run_dir, "doctor")
    assert "not looked at" in nobody.stdout


def test_a_netvfd_that_does_not_run(guest, lagg):
    lagg.kill()
    assert finding(guest, lagg).startswith("netvfd does not run")


def test_a_vf_that_is_away_or_never_came(guest, start_netvfd):
    netvfd = start_netvfd(rules=PRESENT)
    assert "hn0 no VF has appeared" in finding(guest, netvfd)
    guest.attach_vf()
    wait_until(lambda: netvfd.pair()["form"] == "lagg", what="lagg0 is the upper")
    netvfd.wait_active("vf")
    wait_well(guest, netvfd)
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    assert "hn0 its VF vf0 has been gone for" in finding(guest, netvfd)


def test_a_vf_without_a_link(guest, lagg):
    guest.detach_vf("linkdown")
    lagg.wait_active("hn")
    assert "vf0 is set up, but has no carrier" in finding(guest, lagg)


def test_programs_that_somebody_removed(guest, lagg):
    def is_noticed():
        """Not if netvfd has just attached its programs for a reason of its own."""
        dptool(guest, "strip", "lagg0")
        wait_until(lambda: dptool(guest, "programs", "lagg0")[1], what="the program is back")
        return run_doctor(guest, lagg).returncode == 1

    wait_until(is_noticed, what="netvfd has noticed that somebody removed it")
    assert "1 time, the last time" in finding(guest, lagg)
    lagg.stop()
    lagg.start()
    wait_well(guest, lagg)


def test_an_address_on_a_port(guest, lagg):
    """Goes, but not while a run of hyperv_vfup holds the lock."""
    with open(lagg.run_dir / "vfup.hn0.lock", "r+b") as lock:
        fcntl.fcntl(lock, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))
        guest.netlink.addr("add", index=guest.namespace.index("hn0"), address="192.0.2.77",
                           prefixlen=24)
        assert "hn0 is a port of lagg0, but has the address 192.0.2.77/24" in finding(guest, lagg)
    wait_well(guest, lagg)
    assert guest.addresses("hn0") == set()


def test_a_dhcp_client_on_a_port(guest, lagg):
    client = guest.popen("udhcpc", "-f", "-i", "vf0", "-s", "/bin/true", "-n", "-t", "1000",
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: b"udhcpc" in open(f"/proc/{client.pid}/cmdline", "rb").read())
        assert f"a DHCP client runs for it: udhcpc, process {client.pid}" in finding(guest, lagg)
    finally:
        client.kill()
        client.wait()


@pytest.mark.parametrize("kind,text", [
    (socket.SOCK_STREAM, "TCP port 5353 of "),
    (socket.SOCK_DGRAM, "UDP port 5353 of ")])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_socket_that_is_bound_to_hn(guest, lagg, family, kind, text):
    with guest.namespace.entered():
        bound = socket.socket(family, kind)
    with bound:
        bound.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b"hn0")
        bound.bind(("", 5353))
        if kind == socket.SOCK_STREAM:
            bound.listen()
        assert re.match(rf"hn0 {text}\S+, 1 socket: bound to hn0 by name", finding(guest, lagg))


def test_a_packet_socket_and_a_group_of_hn(guest, lagg):
    with guest.namespace.entered():
        bound = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x88cc))
        joined = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("hn0", 0x88cc))
    request = socket.inet_aton("224.0.0.18") + bytes(4)
    request += struct.pack("=i", guest.namespace.index("hn0"))
    joined.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    with bound, joined:
        found = lagg.ask("doctor", check=False)
    assert re.search(r"^hn0 packet protocol 0x88cc of \S+, 1 socket: bound to hn0", found, re.M)
    assert "hn0 multicast group 224.0.0.18: bound to hn0 by name" in found


def test_where_frames_by_the_vf_are_counted(guest, lagg):
    told = "not looked at: who counts or captures frames on lagg0: those that leave by vf0 are not"
    assert told in lagg.ask("doctor", check=False)
    guest.detach_vf()
    lagg.wait_active("hn")
    assert told not in lagg.ask("doctor", check=False)


TBF = ("root", "tbf", "rate", "10mbit", "burst", "32k", "latency", "50ms")


@pytest.mark.parametrize("name", ["hn0", "lagg0"])
def test_a_shaper_that_frames_by_the_vf_do_not_pass(guest, lagg, name):
    """Told by the status too, unless the VF has one, and while the VF transmits."""
    assert guest.run("tc", "qdisc", "add", "dev", name, *TBF).returncode == 0
    assert f"{name} has the queueing discipline tbf, which no frame passes that leaves by vf0" in \
        finding(guest, lagg)
    told = f"{name}: its queueing discipline tbf does not hold for what leaves by the VF"
    assert told in lagg.ask("status")
    assert lagg.pair()["missed_qdiscs"] == [{"interface": name, "kind": "tbf"}]
    assert guest.run("tc", "qdisc", "add", "dev", "vf0", *TBF).returncode == 0
    wait_well(guest, lagg)
    assert told not in lagg.ask("status")


def test_an_xdp_program_of_hn(guest, lagg):
    xdp, pass_on = 6, 2
    words = (ctypes.c_uint64 * 2)(0xB7 | pass_on << 32, 0x95)  # r0 = that; exit
    bpf = ctypes.CDLL("libbpf.so.1")
    program = bpf.bpf_prog_load(xdp, b"others", b"GPL", words, ctypes.c_size_t(2), None)
    assert program >= 0
    with guest.namespace.entered():
        assert not bpf.bpf_xdp_attach(guest.namespace.index("hn0"), program, 1 << 1, None)
    assert "hn0 has an XDP program, which does not see what arrives by vf0" in finding(guest, lagg)


def test_a_packet_filter_that_names_hn(guest, lagg):
    if not shutil.which("nft", path="/usr/sbin:/sbin"):
        pytest.skip("there is no nft here")
    for words in (("table", "inet", "f"), ("chain", "inet", "f", "c"),
                  ("rule", "inet", "f", "c", "iifname", "hn0", "drop")):
        made = guest.run("/usr/sbin/nft", "add", *words, check=False)
        if made.returncode:
            pytest.skip(f"nft cannot do that here: {made.stderr}")
    assert "hn0 nftables, 1 place, the first a rule of inet f: bound to hn0 by name" in \
        finding(guest, lagg)


def test_managers(guest, lagg):
    links = "/run/systemd/netif/links"
    os.makedirs(links, exist_ok=True)
    path = f"{links}/{guest.namespace.index('vf0')}"
    with open(path, "w", encoding="ascii") as file:
        file.write("ADMIN_STATE=configured\n")
    assert "vf0 is managed by systemd-networkd" in finding(guest, lagg)


def test_rules_that_name_what_is_not_there(guest, lagg):
    lagg.rules.write_text(PRESENT + 'notify 1 { match "system" "X"; action "/no/such -x"; };\n')
    lagg.reload()
    wait_until(lambda: "1 rules" not in lagg.log.splitlines()[-1] and
               "read the configuration again" in lagg.log)
    assert f"/no/such does not exist or cannot be run, but the rule at {lagg.rules}:" in \
        finding(guest, lagg)


def test_no_answer_to_vf_up(guest, start_netvfd):
    netvfd = start_netvfd(rules="")
    guest.attach_vf()
    guest.netlink.link("set", index=guest.namespace.index("vf0"), state="up")
    netvfd.wait_active("vf")
    assert "hn0 no rule answers VF_UP" in finding(guest, netvfd)


def test_a_transparent_pair_in_health(guest, start_netvfd):
    netvfd = start_netvfd(rules=PRESENT, rcconf=RC_CONF + 'netvf_vf_transparent="YES"\n')
    guest.attach_vf()
    netvfd.wait_active("vf")
    wait_well(guest, netvfd)


# FreeBSD's rule of 2026: for Hyper-V alone.
HYPERV_ONLY = PRESENT.replace('"IFATTACH";', '"IFATTACH";\n\tmatch "vm_guest"\t\t"hv";')


def test_a_rule_for_another_hypervisor_sets_no_vf_up(guest, start_netvfd):
    netvfd = start_netvfd(rules=HYPERV_ONLY, rcconf=RC_CONF + 'netvf_vm_guest="kvm"\n')
    guest.attach_vf()
    wait_until(lambda: (netvfd.pair().get("vf_port") or {}).get("name") == "vf0",
               what="vf0 is found")
    found = finding(guest, netvfd)
    assert found.startswith("vf0 is not set up, because no rule answers its IFATTACH")
    assert 'requires vm_guest to be "hv", and it is "kvm"' in found
    assert not guest.is_up("vf0")


def test_the_key_makes_hyper_v_of_it(guest, start_netvfd):
    netvfd = start_netvfd(rules=HYPERV_ONLY, rcconf=RC_CONF + 'netvf_vm_guest="hv"\n')
    guest.attach_vf()
    wait_until(lambda: netvfd.pair()["form"] == "lagg", what="lagg0 is the upper")
    netvfd.wait_active("vf")
    wait_well(guest, netvfd)
