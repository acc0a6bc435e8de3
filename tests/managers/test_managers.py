# SPDX-License-Identifier: BSD-2-Clause
"""Debian as it is installed, with netvf's package, under each manager of its network: a VF comes,
goes for a migration, and comes back; then all is given back, and the package removed."""

import json
import os
import re
import signal
import subprocess
import threading

import pytest

import root
from conftest import PLACES
from netvf_lab.topology import HOST_ADDRESS
from netvf_lab.vm.dhcp import Server
from netvf_lab.vm.peers import Peer
from netvf_lab.vm.qemu import SLOTS
from netvf_lab.vm.session import Session

HN, VF, LAGG = "enp0s16", "enp1s0", "lagg016"  # udev's names, and what netvf makes of the first
NAME_SERVER = "192.0.2.53"
PING_EVERY = 0.05  # seconds
GAP_MAX = 0.5  # seconds; emulation alone makes some 0.1
# With this set there are ten, and the lease of two minutes is renewed meanwhile.
MIGRATIONS = 10 if os.environ.get("NETVF_LONG") else 1
WITHIN = 60  # seconds, for any one thing in the guest

ETC = "/etc/systemd/system"
WANTS = f"{ETC}/multi-user.target.wants"
LOOPBACK = "auto lo\niface lo inet loopback\n"
NO_NM = {f"{ETC}/NetworkManager.service": "/dev/null"}
# What a test has no use for, and what takes time.
QUIET = {f"{ETC}/{unit}": "/dev/null" for unit in (
    "serial-getty@ttyS0.service", "getty@tty1.service", "apt-daily.timer",
    "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer")}


class Manager:
    """upper: what carries the address while a VF is used; state: a command that tells how it sees
    its interfaces; healthy: what that says of hn; restart: a command that has it begin anew."""

    def __init__(self, files, links, upper, form, state, healthy, restart):
        self.files, self.links = files, {**QUIET, **links}
        self.upper, self.form = upper, form
        self.state, self.healthy, self.restart = state, healthy, restart


MANAGERS = {
    "ifupdown": Manager(
        {"/etc/network/interfaces":
         f"{LOOPBACK}allow-hotplug {HN}\niface {HN} inet dhcp\n"},
        NO_NM, LAGG, "lagg",
        "ifquery --state", rf"(?m)^{HN}={HN}$", "true"),
    # The pattern matches the VF as well, as those of many an image do.
    "systemd-networkd": Manager(
        {"/etc/network/interfaces": LOOPBACK,
         "/etc/systemd/network/lan.network": "[Match]\nName=en*\n\n[Network]\nDHCP=yes\n"},
        {**NO_NM, f"{WANTS}/systemd-networkd.service":
         "/lib/systemd/system/systemd-networkd.service"},
        HN, "transparent",
        "networkctl --no-pager --no-legend", rf"{HN} +ether +routable +configured",
        "systemctl restart systemd-networkd"),
    # It makes itself a connection for each card.
    "NetworkManager": Manager(
        {"/etc/network/interfaces": LOOPBACK}, {}, HN, "transparent",
        "nmcli -t -f DEVICE,STATE device", rf"(?m)^{HN}:connected$",
        "systemctl restart NetworkManager"),
}
# As each says that it leaves the VF alone.
UNTOUCHED = {
    "ifupdown": rf"(?s)\A(?!.*{VF})",
    "systemd-networkd": rf"{VF} +ether +\w+ +unmanaged",
    "NetworkManager": rf"(?m)^{VF}:unmanaged$",
}


class Managed(Peer):
    name = "debian"
    hn = ",addr=0x10"

    def __init__(self, directory):
        self._directory = directory

    def serve(self, host):
        return [Server(host.host, lease="2m", directory=self._directory)]

    def log(self, guest):
        return guest.run("journalctl -b --no-pager | tail -n 150; ip address; netvf status;"
                         " udevadm info --export-db --no-pager | grep -A 40 '^P: .*/net/'",
                         check=False)


class Ping:
    """From the host to the guest, all the time. What it says is read as it comes: ping waits while
    its pipe is full."""

    def __init__(self, host, address):
        self._process = host.popen(
            ["ping", "-n", "-D", "-i", str(PING_EVERY), address],
            stdout=subprocess.PIPE, text=True)
        self._lines = []
        # A test that fails does not end ping, and pytest is not to wait for it.
        self._reader = threading.Thread(
            target=self._lines.extend, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def end(self):
        """(questions, answers, the longest time between two answers in seconds)"""
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        self._reader.join()
        output = "".join(self._lines)
        at = [float(line) for line in re.findall(r"(?m)^\[([0-9.]+)\] \d+ bytes from", output)]
        asked, answered = map(int, re.search(
            r"(\d+) packets transmitted, (\d+) received", output).groups())
        return asked, answered, max(b - a for a, b in zip(at, at[1:]))


def addresses(guest):
    """Of IPv4, by interface."""
    found = {}
    for link in json.loads(guest.run("ip -j address")):
        words = [info["local"] for info in link["addr_info"] if info["family"] == "inet"]
        if words and link["ifname"] != "lo":
            found[link["ifname"]] = words
    return found


class Story:
    """One scenario's guest, with what must hold at each moment."""

    def __init__(self, session, name, directory):
        self.session, self.name, self.manager = session, name, MANAGERS[name]
        self.guest, self.directory = session.guest, directory
        self.await_(f"ip -4 -o address show dev {HN} | grep -q inet")
        self.address = addresses(self.guest)[HN][0]

    def await_(self, condition):
        self.guest.run(
            f"i=0; until {condition}; do i=$((i + 1)); [ $i -lt {WITHIN * 5} ] || exit 1;"
            " sleep 0.1; done", within=3 * WITHIN)

    def await_port(self, port):
        """And until the last action has ended."""
        self.await_(f"netvf status --json | grep -q '\"active\": \"{port}\"'")
        if self.manager.form == "lagg":
            self.await_(f"ip -4 -o address show dev {LAGG} | grep -q inet")
            self.await_(f"! ip -4 -o address show dev {HN} | grep -q inet")
        self.await_("! pidof hyperv_vfup hyperv_vfattach")

    def check(self, upper):
        """One address, on one interface; one client; nothing has failed."""
        assert addresses(self.guest) == {upper: [self.address]}
        assert self.guest.run("systemctl --failed --no-legend").strip() == ""
        state = self.guest.run(self.manager.state)
        assert re.search(self.manager.healthy, state), state
        if VF in self.guest.run("ip -br link"):
            assert re.search(UNTOUCHED[self.name], state), state
        assert "somebody gave its VF" not in self.guest.run("journalctl -b -u netvfd --no-pager")

    def name_server(self):
        """systemd-resolved's for hn, where that is for somebody by hand to say."""
        if self.manager.form == "lagg":
            self.guest.run(f"resolvectl dns {HN} {NAME_SERVER}")
            self.check_names(HN)

    def check_names(self, upper):
        """Only the interface that has the address has a name server, too."""
        if self.manager.form == "lagg":
            lines = self.guest.run("resolvectl dns").splitlines()
            assert [line for line in lines if NAME_SERVER in line] == [
                line for line in lines if f"({upper})" in line], lines

    def plug(self):
        self.session.plug("e1000e", SLOTS["acpi"][0])
        self.await_port("vf")
        pair, = json.loads(self.guest.run("netvf status --json"))["pairs"]
        assert pair["form"] == self.manager.form
        assert pair["vf_port"]["name"] == VF, "udev could name it"
        self.check(self.manager.upper)
        self.check_names(self.manager.upper)

    def unplug(self):
        self.session.host.point_to_hn()
        self.session.qemu.unplug()
        self.session.qemu.await_unplugged()
        self.await_port("hn")
        self.check(self.manager.upper)

    def await_renewal(self):
        for _ in range(2 * WITHIN):
            if self.server()[0]["ACK"] > 1:
                return
            self.guest.run("sleep 1")
        raise AssertionError("the lease is not renewed")

    def server(self):
        """What the DHCP server heard and said, by kind; and its leases."""
        with open(f"{self.directory}/log", encoding="utf-8") as file:
            log = file.read()
        with open(f"{self.directory}/leases", encoding="utf-8") as file:
            leases = file.read().splitlines()
        kinds = ("DISCOVER", "REQUEST", "ACK", "NAK", "RELEASE")
        return {kind: log.count(f"DHCP{kind}(") for kind in kinds}, leases


@pytest.mark.timeout(root.BOOTED_WITHIN + 280, func_only=True)
@pytest.mark.parametrize("name", MANAGERS)
def test_a_vf_comes_and_goes_and_all_is_given_back(debian, name):
    kernel, busybox, image = debian
    manager = MANAGERS[name]
    archive = f"/run/{name}.initramfs"
    root.archive(archive, kernel, busybox, manager.files, manager.links)
    directory = f"/run/dhcp-{name}"
    os.mkdir(directory)
    with Session(Managed(directory), PLACES, kernel, archive, disk=image, memory="1G") as session:
        session.boot(within=root.BOOTED_WITHIN)
        guest = session.guest
        try:
            story = Story(session, name, directory)
            story.await_("systemctl is-active netvfd >/dev/null")
            story.check(HN)
            story.name_server()
            ping = Ping(session.host.host, story.address)
            story.plug()
            for _ in range(MIGRATIONS):
                story.unplug()
                story.plug()
            if MIGRATIONS > 1:  # a minute and more, so that the lease has been renewed
                story.await_renewal()
            said = story.server()[0]
            assert said["DISCOVER"] == 1, said
            pings = [ping.end()]
            # networkd has no address for a while then, and asks for one anew.
            guest.run(manager.restart)
            story.await_(f"{manager.state} | grep -Eq '{HN}.*(=|configured|:connected)'")
            story.check(manager.upper)
            ping = Ping(session.host.host, story.address)
            guest.run(f"netvf release {HN}", within=WITHIN)
            story.check(HN)
            story.check_names(HN)
            guest.run("dpkg --remove netvf", within=2 * WITHIN)
            assert "netvf" not in guest.run(f"tc filter show dev {HN} ingress; mount")
            assert LAGG not in guest.run("ip link")
            assert addresses(guest) == {HN: [story.address]}
            guest.run(f"ping -c 2 {HOST_ADDRESS}")
            pings.append(ping.end())
        except BaseException:
            print("\n".join(session.log()))
            raise
    said, leases = story.server()
    gap = max(gap for _, _, gap in pings)
    print(f"{name}: {story.address}, server {said}, pings (asked, answered, gap): {pings}")
    assert len(leases) == 1 and leases[0].split()[2] == story.address, leases
    assert said["NAK"] == said["RELEASE"] == 0
    assert gap < GAP_MAX
