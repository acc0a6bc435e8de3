# SPDX-License-Identifier: BSD-2-Clause
"""Debian as it is installed, with netvf's package, under each manager of its network: a VF comes,
goes for a migration, and comes back; then all is given back, and the package removed."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest

import root
from conftest import PLACES
from netvf_lab.topology import GUEST_MAC, HOST_ADDRESS
from netvf_lab.vm.dhcp import Server
from netvf_lab.vm.peers import Peer
from netvf_lab.vm.qemu import SLOTS
from netvf_lab.vm.session import Session

HN, VF, LAGG = "enp0s16", "enp1s0", "lagg016"  # udev's names, and what netvf makes of the first
NAME_SERVER = "192.0.2.53"
CARD = "e1000e"
PING_EVERY = 0.05  # seconds
GAP_MAX = 0.5  # seconds; emulation alone makes some 0.1
# With this set there are ten, and the lease of two minutes is renewed meanwhile.
MIGRATIONS = 10 if os.environ.get("NETVF_LONG") else 1
WITHIN = 60  # seconds, for any one thing in the guest

LOOPBACK = "auto lo\niface lo inet loopback\n"
NO_NM = root.masked("NetworkManager.service", "NetworkManager-wait-online.service")
# What a test has no use for, and what takes time.
QUIET = root.masked(
    "serial-getty@ttyS0.service", "getty@tty1.service", "apt-daily.timer",
    "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    # The kernel has them as a module, which is not there.
    "proc-sys-fs-binfmt_misc.automount", "systemd-binfmt.service")
NO_CONNMAN = root.masked("connman.service", "connman-wait-online.service")
NETWORKD = root.wanted("systemd-networkd.service", "systemd-networkd-wait-online.service")
# Else systemd 262's is another one after a restart if networkd began before udev named the
# interface: the number is made of the MAC address first, and of udev's name then.
ONE_CLIENT = {f"/etc/systemd/network/{name}.network.d/client.conf": "[DHCPv4]\nIAID=1\n"
              for name in ("lan", "10-netplan-lan")}
# A VF that is there at power-on is found before hn then.
VF_FIRST = ("e1000e", *root.MODULES)


class Manager:
    """upper: what carries the address while a VF is used; state: a command that tells how it sees
    its interfaces; healthy: what that says of hn; untouched: and of a VF that it leaves alone;
    restart: a command that has it begin anew; hn: its name; card: of a VF that is there at
    power-on; modules: as root.archive(); named: its DHCP client tells systemd-resolved of a name
    server, and of none if the lease has none, whatever somebody has said by hand; releases: leases
    that it gives back as it begins anew; discovers: how often its DHCP client asks for a lease from
    scratch until the pair ends."""

    def __init__(self, files, links, upper, form, state, healthy, untouched, restart, hn=HN,
                 card=None, modules=root.MODULES, named=False, releases=0, discovers=1):
        self.files, self.links = {"/etc/network/interfaces": LOOPBACK, **files}, {**QUIET, **links}
        self.upper, self.form = upper, form
        self.state, self.healthy, self.untouched = state, healthy, untouched
        self.restart, self.hn, self.card, self.modules = restart, hn, card, modules
        self.name_server = NAME_SERVER if named else None
        self.releases, self.discovers = releases, discovers


def ifupdown(client, links):
    return Manager(
        {"/etc/network/interfaces":
         f"{LOOPBACK}allow-hotplug {HN}\niface {HN} inet dhcp\n"},
        {**NO_NM, **links}, LAGG, "lagg",
        "ifquery --state", rf"(?m)^{HN}={HN}$", rf"(?s)\A(?!.*{VF})", "true",
        named=client != "isc-dhcp-client",
        # It keeps no lease, so that the one on the lagg knows of none.
        discovers=2 if client == "udhcpc" else 1)


def networkd(files, links, hn=HN, **more):
    return Manager(
        {**ONE_CLIENT, **files}, {**NO_NM, **NETWORKD, **links}, hn, "transparent",
        "networkctl --no-pager --no-legend", rf"{hn} +ether +routable +configured",
        rf"{VF} +ether +\w+ +unmanaged", "systemctl restart systemd-networkd", hn=hn, **more)


def network_manager(files, links, hn=HN, **more):
    return Manager(
        files, links, hn, "transparent",
        "nmcli -t -f DEVICE,STATE device", rf"(?m)^{hn}:connected$",
        rf"(?m)^{VF}:unmanaged$", "systemctl restart NetworkManager", hn=hn, **more)


def netplan(renderer, words):
    return {"/etc/netplan/lan.yaml": f"""\
network:
  version: 2
  renderer: {renderer}
  ethernets: {{lan: {{match: {words}, dhcp4: true}}}}
"""}


BY_NAME = f"{{name: {HN}}}"
# As cloud-init writes it.
SET_NAME = f'{{macaddress: "{GUEST_MAC}"}}, set-name: eth0'

MANAGERS = {
    "ifupdown": ifupdown(root.CLIENT, {}),
    # The pattern matches the VF as well, as those of many an image do.
    "systemd-networkd": networkd(
        {"/etc/systemd/network/lan.network": "[Match]\nName=en*\n\n[Network]\nDHCP=yes\n"}, {}),
    # It makes itself a connection for each card.
    "NetworkManager": network_manager({}, {}),
}
# Each with what few systems have.
RARE_MANAGERS = {
    f"ifupdown-{root.RARE_CLIENT}": ifupdown(root.RARE_CLIENT, NO_CONNMAN),
    "netplan": networkd(netplan("networkd", BY_NAME), NO_CONNMAN),
    "netplan-set-name": networkd(netplan("networkd", SET_NAME), NO_CONNMAN, hn="eth0"),
    "netplan-set-name-at-boot": networkd(
        netplan("networkd", SET_NAME), NO_CONNMAN, hn="eth0", card=CARD),
    "netplan-set-name-vf-first": networkd(
        netplan("networkd", SET_NAME), NO_CONNMAN, hn="eth0", card=CARD, modules=VF_FIRST),
    "netplan-NetworkManager": network_manager(
        netplan("NetworkManager", BY_NAME), NO_CONNMAN),
    "netplan-NetworkManager-vf-first": network_manager(
        netplan("NetworkManager", SET_NAME), NO_CONNMAN, hn="eth0", card=CARD, modules=VF_FIRST),
    # It looks at an interface before udev has named it, and heeds no property.
    "connman": Manager(
        {"/etc/connman/main.conf": "[General]\nNetworkInterfaceBlacklist=eth,enp1s\n",
         "/etc/netvf/rc.conf": "netvf_vf_transparent=YES\n"},
        NO_NM, HN, "transparent", "connmanctl services; connmanctl technologies",
        r"(?m)^\*A[RO] +Wired", rf"(?s)\A(?!.*{VF})", "systemctl restart connman", releases=1),
}


def served(directory):
    """What the DHCP server said, and its leases."""
    return [pathlib.Path(directory, name).read_text(encoding="utf-8") for name in ("log", "leases")]


class Managed(Peer):
    name = "debian"
    hn = ",addr=0x10"

    def __init__(self, directory, name_server=None):
        self._directory = directory
        self._name_server = name_server

    def serve(self, host):
        return [Server(host.host, lease="2m", directory=self._directory,
                       name_server=self._name_server)]

    def log(self, guest):
        return "".join(served(self._directory)) + guest.run(
            "journalctl -b --no-pager | tail -n 150; ip address; netvf status;"
            " udevadm info --export-db --no-pager | grep -A 40 '^P: .*/net/'", check=False)


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
        """(questions, those without an answer, the longest time between two answers in seconds).
        The last question may be under way."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        self._reader.join()
        output = "".join(self._lines)
        answers = re.findall(r"(?m)^\[([0-9.]+)\] \d+ bytes from .* icmp_seq=(\d+) ", output)
        asked = int(re.search(r"(\d+) packets transmitted", output)[1])
        lost = set(range(1, asked)) - {int(number) for _, number in answers}
        at = [float(when) for when, _ in answers]
        return asked, sorted(lost), max(b - a for a, b in zip(at, at[1:]))


def addresses(guest):
    """Of IPv4, by interface."""
    found = {}
    for link in json.loads(guest.run("ip -j address")):
        words = [info["local"] for info in link["addr_info"] if info["family"] == "inet"]
        if words and link["ifname"] != "lo":
            found[link["ifname"]] = words
    return found


def await_(guest, condition, pause=0.2):
    guest.run(f"i=0; until {condition}; do i=$((i + 1)); [ $i -lt {WITHIN * 5} ] || exit 1;"
              f" sleep {pause}; done", within=3 * WITHIN)


class Story:
    """One scenario's guest, with what must hold at each moment."""

    def __init__(self, session, manager, directory):
        self.session, self.manager, self.hn = session, manager, manager.hn
        self.guest, self.directory = session.guest, directory
        self.await_(f"ip -4 -o address show dev {self.hn} | grep -q inet")
        self.address = addresses(self.guest)[self.hn][0]

    def await_(self, condition):
        await_(self.guest, condition, pause=0.1)

    def await_port(self, port):
        """And until the last action has ended."""
        self.await_(f"netvf status --json | grep -q '\"active\": \"{port}\"'")
        if self.manager.form == "lagg":
            self.await_(f"ip -4 -o address show dev {LAGG} | grep -q inet")
            self.await_(f"! ip -4 -o address show dev {self.hn} | grep -q inet")
        self.await_("! pidof hyperv_vfup hyperv_vfattach")

    def await_healthy(self):
        manager = self.manager
        for _ in range(WITHIN):
            state = self.guest.run(manager.state)
            if re.search(manager.healthy, state) and re.search(manager.untouched, state):
                return
            self.guest.run("sleep 1")
        raise AssertionError(state)

    def check(self, upper):
        """One address, on one interface; one client; nothing has failed."""
        assert addresses(self.guest) == {upper: [self.address]}
        assert self.guest.run("systemctl --failed --no-legend").strip() == ""
        state = self.guest.run(self.manager.state)
        assert re.search(self.manager.healthy, state), state
        if VF in self.guest.run("ip -br link"):
            assert re.search(self.manager.untouched, state), state
        self.check_log(self.guest.run("journalctl -b -u netvfd --no-pager"))

    def check_log(self, log):
        assert "somebody gave its VF" not in log

    def name_server(self):
        """systemd-resolved's for hn, where that is for somebody by hand to say."""
        if self.manager.form == "lagg":
            if not self.manager.name_server:
                self.guest.run(f"resolvectl dns {self.hn} {NAME_SERVER}")
            self.check_names(self.hn)

    def check_names(self, upper):
        """Only the interface that has the address has a name server, too."""
        if self.manager.form == "lagg":
            lines = self.guest.run("resolvectl dns").splitlines()
            assert [line for line in lines if NAME_SERVER in line] == [
                line for line in lines if f"({upper})" in line], lines

    def plug(self):
        self.session.plug(CARD, SLOTS["acpi"][0])
        self.use()

    def use(self):
        """A VF that is there."""
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

    def migrate(self):
        """Ping's figures."""
        self.await_("systemctl is-active netvfd >/dev/null")
        if self.manager.card:
            self.use()
        else:
            self.check(self.hn)
            self.name_server()
        ping = Ping(self.session.host.host, self.address)
        if not self.manager.card:
            self.plug()
        for _ in range(MIGRATIONS):
            self.unplug()
            self.plug()
        if MIGRATIONS > 1:  # a minute and more, so that the lease has been renewed
            self.await_renewal()
        said = self.server()[0]
        assert said["DISCOVER"] == self.manager.discovers, said
        return ping.end()

    def give_back(self):
        """The manager begins anew, the pair ends, the package goes. Ping's figures."""
        guest = self.guest
        # networkd has no address for a while then, and asks for one anew.
        guest.run(self.manager.restart)
        self.await_healthy()
        self.check(self.manager.upper)
        ping = Ping(self.session.host.host, self.address)
        guest.run(f"netvf release {self.hn}", within=WITHIN)
        self.check(self.hn)
        self.check_names(self.hn)
        guest.run("dpkg --remove netvf", within=2 * WITHIN)
        assert "netvf" not in guest.run(f"tc filter show dev {self.hn} ingress; mount")
        assert "lagg" not in guest.run("ip link")
        assert addresses(guest) == {self.hn: [self.address]}
        guest.run(f"ping -c 2 {HOST_ADDRESS}")
        return ping.end()

    def server(self):
        """What the DHCP server heard and said, by kind; and its leases."""
        log, leases = served(self.directory)
        kinds = ("DISCOVER", "REQUEST", "ACK", "NAK", "RELEASE")
        return {kind: log.count(f"DHCP{kind}(") for kind in kinds}, leases.splitlines()


def migrate(name, manager, made):
    kernel, busybox, image = made
    archive = f"/run/{name}.initramfs"
    root.archive(archive, kernel, busybox, manager.files, manager.links, manager.modules)
    directory = f"/run/dhcp-{name}"
    os.mkdir(directory)
    peer = Managed(directory, manager.name_server)
    with Session(peer, PLACES, kernel, archive, disk=image, memory="1G",
                 card=manager.card) as session:
        session.boot(within=root.BOOTED_WITHIN)
        try:
            story = Story(session, manager, directory)
            pings = [story.migrate(), story.give_back()]
        except BaseException:
            print("\n".join(session.log()))
            raise
    said, leases = story.server()
    gap = max(gap for _, _, gap in pings)
    print(f"{name}: {story.address}, server {said}, pings (asked, lost, gap): {pings}")
    assert len(leases) == 1 and leases[0].split()[2] == story.address, leases
    assert said["NAK"] == 0 and said["RELEASE"] == manager.releases
    assert not any(lost for _, lost, _ in pings)
    assert gap < GAP_MAX


to_time = pytest.mark.timeout(root.BOOTED_WITHIN + 280, func_only=True)


@to_time
@pytest.mark.parametrize("name", MANAGERS)
def test_a_vf_comes_and_goes_and_all_is_given_back(debian, name):
    migrate(name, MANAGERS[name], debian)


@to_time
@pytest.mark.parametrize("name", RARE_MANAGERS)
def test_so_it_does_under_what_few_systems_have(rare, name):
    migrate(name, RARE_MANAGERS[name], rare)
