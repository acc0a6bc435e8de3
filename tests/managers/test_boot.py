# SPDX-License-Identifier: BSD-2-Clause
"""cloud-init configures a guest whose VF is there at power-on: as without the VF, and then the pair
works. NETVF_BOOTS: so many boots under each manager (2), every other one the first of a new
instance; if it is set, a few are compared with them of guests without a VF, with netvf and without.
What they show is kept in BUILD/boots. Guests have one processor, so that several of them fit on a
machine (pytest -n)."""

import contextlib
import json
import os
import statistics
import subprocess

import pytest

import root
from conftest import BUILD, PLACES
from netvf_lab.topology import GUEST_MAC, HOST_ADDRESS
from netvf_lab.vm.cache import Cache
from netvf_lab.vm.dhcp import Server
from netvf_lab.vm.peers import Peer
from netvf_lab.vm.report import machine
from netvf_lab.vm.session import Session
from test_managers import (
    LOOPBACK, NETWORKD, NO_NM, QUIET, SET_NAME, addresses, await_, netplan)

BOOTS = int(os.environ.get("NETVF_BOOTS", "2"))
FEW = 2  # of what is not counted, or is to compare with
KEPT = BUILD / "boots"
HN = "eth0"  # as the network configuration says
ONLINE = "network-online.target"
CARD = "e1000e"
SLEEPS = 10  # seconds for which nothing wakes netvf's processes

# How many programs there are at tcx of hn, which tc(8) does not show.
COUNT_TCX = f"""\
import ctypes, socket
bpf, total = ctypes.CDLL("libbpf.so.1"), 0
for place in (46, 47):  # BPF_TCX_INGRESS, BPF_TCX_EGRESS
    count = ctypes.c_uint32()
    bpf.bpf_prog_query(socket.if_nametoindex("{HN}"), place, 0, None, None, ctypes.byref(count))
    total += count.value
print(total)
"""
WAKEUPS = "for pid in $(pidof netvfd netvf_actions); do" \
    " grep -h ^voluntary_ctxt_switches /proc/$pid/task/*/status; done"

SEED = "/var/lib/cloud/seed/nocloud"
CLOUD = {
    f"{SEED}/meta-data": "instance-id: guest-1\nlocal-hostname: guest\n",
    f"{SEED}/user-data": "#cloud-config\nssh_pwauth: false\n",
    f"{SEED}/network-config": f"""\
version: 2
ethernets:
  lan:
    match: {{macaddress: "{GUEST_MAC}"}}
    set-name: {HN}
    dhcp4: true
""",
}
# Of what takes time, and has nothing to do with the network.
LAB = """\
datasource_list: [NoCloud]
cloud_init_modules: [seed_random, update_hostname]
cloud_config_modules: [runcmd]
cloud_final_modules: [final_message]
"""
SLOW = root.masked("e2scrub_reap.service", "polkit.service", "udisks2.service")
# An administrator's netplan names hn, and not cloud-init.
NO_CLOUD_INIT = {"/etc/cloud/cloud-init.disabled": "", **netplan("networkd", SET_NAME)}
# The VF is put aside after udev has processed hn, and before it has named the VF.
SLOW_VF = {
    "/etc/cloud/cloud.cfg.d/99-network.cfg": "network: {config: disabled}\n",
    **netplan("networkd", SET_NAME),
    "/etc/udev/rules.d/79-slow.rules":
    f'ACTION=="add", SUBSYSTEM=="net", DRIVERS=="{CARD}", PROGRAM="/bin/sleep 20"\n',
    f"{root.UNITS}/netvf-park.service.d/late.conf": "[Service]\nExecStartPre=/bin/sleep 10\n",
}


class Manager:
    """renderer: of cloud-init's; links: in the file system; upper: what has the address in the
    end."""

    def __init__(self, renderer, links, upper):
        self.links, self.upper = {**QUIET, **SLOW, **links}, upper
        self.files = {
            **CLOUD, "/etc/network/interfaces": f"{LOOPBACK}source /etc/network/interfaces.d/*\n",
            "/etc/cloud/cloud.cfg.d/99-lab.cfg":
            f"{LAB}system_info: {{network: {{renderers: [{renderer}]}}}}\n"}


MANAGERS = {
    "ifupdown": Manager("eni", NO_NM, "lagg0"),
    "systemd-networkd": Manager("networkd", {**NO_NM, **NETWORKD}, HN),
    "netplan": Manager("netplan", {**NO_NM, **NETWORKD}, HN),
    "NetworkManager": Manager("network-manager", {}, HN),
}


class Cloud(Peer):
    name = "cloud"
    hn = ",addr=0x10"

    def __init__(self, directory):
        self._directory = directory

    def serve(self, host):
        # netplan waits at boot for a name server, from Debian testing's version on.
        return [Server(host.host, lease="10m", directory=self._directory,
                       name_server=HOST_ADDRESS)]

    def log(self, guest):
        return guest.run(
            "journalctl -b --no-pager | tail -n 150; ip address; netvf status; cloud-init status"
            " --long; cat /run/cloud-init/result.json; systemctl --failed", check=False)


class Story:
    """A disk that is booted again and again, each time in a new machine: a machine that is reset is
    slow under emulation. stack: an ExitStack, for the machine; session: makes one; name: of the
    manager."""

    def __init__(self, stack, session, name, card):
        self._stack, self._session, self.name, self.card = stack, session, name, card
        self.manager = MANAGERS[name]
        self.boot()

    def boot(self):
        self._stack.close()
        self.session = self._stack.enter_context(self._session())
        self.session.boot(within=root.BOOTED_WITHIN)

    @property
    def guest(self):
        return self.session.guest

    def await_(self, condition):
        await_(self.guest, condition)

    def reboot(self, clean):
        if clean:
            self.guest.run("cloud-init clean --logs")
        self.guest.power_off()
        self.boot()

    def online(self):
        """Seconds from the kernel's start."""
        return int(self.guest.run("systemctl show --property ActiveEnterTimestampMonotonic"
                                  f" {ONLINE}").strip().split("=")[1]) / 1e6

    def check(self, pair):
        """The network is as cloud-init was told, and the pair works."""
        self.await_("test -s /run/cloud-init/result.json")
        result = json.loads(self.guest.run("cat /run/cloud-init/result.json"))
        assert result["v1"]["errors"] == []
        if self.card:
            aside = self.guest.run("journalctl -b -u netvf-park --no-pager")
            assert "is hidden until" in aside and "is given back" in aside, aside
        self.await_(f"systemctl is-active {ONLINE}")
        self.check_network(pair)

    def check_network(self, pair):
        driver = self.guest.run(f"readlink /sys/class/net/{HN}/device/driver")
        assert driver.strip().endswith("/virtio_net")
        upper = self.manager.upper if pair else HN
        if pair:
            self.await_("netvf status --json | grep -q '\"active\": \"vf\"'")
            self.await_("! pidof hyperv_vfup hyperv_vfattach")
        self.await_(f"ip -4 -o address show dev {upper} | grep -q inet")
        found = addresses(self.guest)
        assert list(found) == [upper] and len(found[upper]) == 1, found
        assert self.guest.run("systemctl --failed --no-legend").strip() == ""
        self.guest.run(f"ping -c 1 -W 5 {HOST_ADDRESS}")


@pytest.fixture
def first_boot(tmp_path):
    """first_boot(kernel, image, archive, name, card, append): a Story of it."""
    stack = contextlib.ExitStack()

    def begin(kernel, image, archive, name, card, append=""):
        disk = str(tmp_path / "disk")
        subprocess.run(["cp", "--sparse=always", image, disk], check=True)
        stack.callback(os.unlink, disk)

        def session():
            return Session(Cloud(str(tmp_path)), PLACES, kernel, archive, disk=disk, kept=True,
                           memory="1G", card=card, processors=1, append=append)

        return Story(stack.enter_context(contextlib.ExitStack()), session, name, card)

    with stack:
        yield begin


@pytest.fixture
def boot(tmp_path, first_boot):
    """boot(made, name, card, masked, files, modules): a Story of its first boot. made: as the
    fixtures of images give it; masked: systemd's units that are; files: more of them, by path;
    modules: as root.archive()."""

    def begin(made, name, card=CARD, masked=(), files=None, modules=root.MODULES):
        kernel, busybox, image = made
        manager, archive = MANAGERS[name], str(tmp_path / "initramfs")
        links = {**manager.links, **root.masked(*masked)}
        root.archive(archive, kernel, busybox, {**manager.files, **(files or {})}, links, modules)
        return first_boot(kernel, image, archive, name, card)

    return begin


def keep(story, kind, number, seconds):
    """kind: what the guest has; number: of boots that were asked for; seconds: of those that were
    as they should be."""
    guest = story.guest
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{root.SUITE} {story.name} {kind}.json".replace(",", "").replace(" ", "-")
    path.write_text(json.dumps({
        "suite": root.SUITE, "manager": story.name, "kind": kind, "boots": number,
        "seconds": seconds, "linux": guest.run("uname -r").strip(),
        "cloud_init": guest.run("dpkg-query -W -f '${Version}' cloud-init"),
        "qemu": Cache(PLACES).qemu().version(), "machine": machine()}, indent=1) + "\n")


def boots(story, pair, kind, count=FEW):
    """Boots it so many times, each as it should be."""
    seconds = []
    for number in range(count):
        try:
            if number:
                story.reboot(clean=number % 2)
            story.check(pair)
        except BaseException:
            print("\n".join(story.session.log()))
            raise
        seconds.append(story.online())
        keep(story, kind, count, seconds)
        print(f"boot {number + 1}: {seconds[-1]:.1f} s", flush=True)
    print(f"{len(seconds)} boots, seconds to {ONLINE}: {min(seconds):.1f} to "
          f"{max(seconds):.1f}, median {statistics.median(seconds):.1f}")


pytestmark = pytest.mark.timeout(root.BOOTED_WITHIN * (max(BOOTS, FEW) + 1), func_only=True)
to_compare = pytest.mark.skipif(
    "NETVF_BOOTS" not in os.environ, reason="only to compare with: NETVF_BOOTS=2")


@pytest.mark.parametrize("name", MANAGERS)
def test_a_guest_with_a_vf_boots(boot, cloud, name):
    boots(boot(cloud, name), True, "VF", BOOTS)


def test_a_vf_that_udev_is_slow_to_name_does_not_cost_hn_its_name(boot, cloud):
    """The VF, probed first, is eth0 until it is put aside."""
    story = boot(cloud, "netplan", files=SLOW_VF, modules=(CARD, *root.MODULES))
    story.check(pair=True)


def test_where_cloud_init_is_disabled_hn_has_its_name(boot, cloud):
    """/run/cloud-init is there all the same, and no VF is put aside."""
    story = boot(cloud, "netplan", files=NO_CLOUD_INIT, modules=(CARD, *root.MODULES))
    story.check_network(pair=True)


@pytest.mark.parametrize("maker", root.INITRAMFS_MAKERS)
def test_a_vf_that_an_initramfs_of_debians_has_driven(first_boot, made, tmp_path, maker):
    """udev runs there without netvf's rules."""
    name, archive = "netplan", str(tmp_path / "initramfs")

    def furnish(top, kernel):
        root.write(top, MANAGERS[name].files, MANAGERS[name].links)
        root.own_initramfs(top, kernel, maker, archive)

    kernel, _, image = made(maker, furnish)
    story = first_boot(kernel, image, archive, name, CARD, append="root=/dev/vda rw")
    boots(story, True, f"VF, {maker}")


@pytest.mark.parametrize("name", ["systemd-networkd"])
def test_without_netvfd_the_hn_works_and_the_vf_is_there(boot, cloud, name):
    story = boot(cloud, name, masked=["netvfd.service"])
    boots(story, False, "VF, netvfd masked")
    others = f"grep -l {GUEST_MAC} /sys/class/net/*/address | grep -v /{HN}/"
    vf, = story.guest.run(others).split()
    assert story.guest.run(f"cat {vf.replace('address', 'operstate')}").strip() == "down"


def test_in_a_guest_without_a_vf_netvf_sleeps(boot, cloud):
    """Its two processes wait for a VF, and no interface has a program. Before Linux 6.6 hn has its
    programs from the start: clsact loses frames as it is added, which a VF is not to cost."""
    story = boot(cloud, "systemd-networkd", card=None)
    guest = story.guest
    story.check(pair=False)
    units = guest.run("systemctl list-units --type=service --state=running --plain --no-legend"
                      " | cut -d ' ' -f 1").split()
    assert [unit for unit in units if "netvf" in unit] == ["netvf-actions.service",
                                                           "netvfd.service"]
    processes = guest.run("ps -e -o comm=").split()
    assert sorted(name for name in processes if "netvf" in name and name != "netvf-lab-agent") == [
        "netvf_actions", "netvfd"]
    story.await_(f'{{ woken=$({WAKEUPS}); sleep {SLEEPS}; [ "$woken" = "$({WAKEUPS})" ]; }}')
    release = guest.run("uname -r")
    filters = guest.run(f"for way in ingress egress; do tc filter show dev {HN} $way; done")
    guest.write("/run/count-tcx", COUNT_TCX.splitlines())
    assert guest.run("python3 /run/count-tcx").strip() == "0"
    assert ("netvf" in filters) == (tuple(map(int, release.split(".")[:2])) < (6, 6))
    print(f"Linux {release.strip()}, woken in {SLEEPS} s: never, filters at {HN}: {filters}")


@to_compare
@pytest.mark.parametrize("name", MANAGERS)
def test_a_guest_without_a_vf_boots(boot, cloud, name):
    boots(boot(cloud, name, card=None), False, "no VF")


@to_compare
@pytest.mark.parametrize("name", MANAGERS)
def test_a_guest_without_netvf_boots(boot, plain, name):
    boots(boot(plain, name, card=None), False, "no VF, no netvf")


@to_compare
@pytest.mark.parametrize("name", ["systemd-networkd"])
def test_without_netvf_a_vf_leaves_a_guest_without_a_network(boot, plain, name):
    """What netvf-park.service is for."""
    story = boot(plain, name)
    story.await_("test -s /run/cloud-init/result.json")
    assert "duplicate mac found" in story.guest.run("cat /run/cloud-init/result.json")
    assert addresses(story.guest) == {}
