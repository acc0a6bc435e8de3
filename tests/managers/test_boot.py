# SPDX-License-Identifier: BSD-2-Clause
"""cloud-init configures a guest whose VF is there at power-on: as without the VF, and then the pair
works. NETVF_BOOTS: so many boots of each kind (2), every other one the first of a new instance;
each boot's time until network-online.target is told."""

import json
import os
import statistics

import pytest

import root
from conftest import PLACES
from netvf_lab.topology import GUEST_MAC, HOST_ADDRESS
from netvf_lab.vm.dhcp import Server
from netvf_lab.vm.peers import Peer
from netvf_lab.vm.session import Session
from test_managers import ETC, LOOPBACK, NO_NM, QUIET, WANTS, addresses

BOOTS = int(os.environ.get("NETVF_BOOTS", "2"))
HN = "eth0"  # as the network configuration says
WITHIN = 60  # seconds, for any one thing in the guest
CARD = "e1000e"

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
SLOW = {f"{ETC}/{unit}": "/dev/null" for unit in (
    "e2scrub_reap.service", "polkit.service", "proc-sys-fs-binfmt_misc.automount",
    "systemd-binfmt.service", "udisks2.service")}
NETWORKD = {f"{WANTS}/{unit}": f"/lib/systemd/system/{unit}" for unit in (
    "systemd-networkd.service", "systemd-networkd-wait-online.service")}


class Manager:
    """renderer: of cloud-init's; links: in the file system; upper: what has the address in the
    end."""

    def __init__(self, renderer, links, upper):
        self.links, self.upper = {**QUIET, **SLOW, **links}, upper
        self.files = {
            **CLOUD, "/etc/network/interfaces": f"{LOOPBACK}source /etc/network/interfaces.d/*\n",
            "/etc/cloud/cloud.cfg.d/99-lab.cfg":
            f"{LAB}system_info: {{network: {{renderers: [{renderer}]}}}}\n"}


NO_NM = {**NO_NM, f"{ETC}/NetworkManager-wait-online.service": "/dev/null"}
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
        return [Server(host.host, lease="10m", directory=self._directory)]

    def log(self, guest):
        return guest.run(
            "journalctl -b --no-pager | tail -n 150; ip address; netvf status; cloud-init status"
            " --long; cat /run/cloud-init/result.json; systemctl --failed", check=False)


class Story:
    def __init__(self, session, manager, card):
        self.session, self.manager, self.card = session, manager, card
        self.guest = session.guest

    def await_(self, condition):
        self.guest.run(
            f"i=0; until {condition}; do i=$((i + 1)); [ $i -lt {WITHIN * 5} ] || exit 1;"
            " sleep 0.2; done", within=3 * WITHIN)

    def reboot(self, clean):
        if clean:
            self.guest.run("cloud-init clean --logs")
        self.guest.run("systemctl --no-block reboot")
        self.guest.await_boot(root.BOOTED_WITHIN)

    def online(self):
        """Seconds from the kernel's start."""
        return int(self.guest.run("systemctl show --property ActiveEnterTimestampMonotonic"
                                  " network-online.target").strip().split("=")[1]) / 1e6

    def check(self, pair, upper):
        """The network is as cloud-init was told, and the pair works."""
        self.await_("test -s /run/cloud-init/result.json")
        result = json.loads(self.guest.run("cat /run/cloud-init/result.json"))
        assert result["v1"]["errors"] == []
        driver = self.guest.run(f"readlink /sys/class/net/{HN}/device/driver")
        assert driver.strip().endswith("/virtio_net")
        if self.card:
            aside = self.guest.run("journalctl -b -u netvf-park --no-pager")
            assert "is hidden until" in aside and "is given back" in aside, aside
        if pair:
            self.await_("netvf status --json | grep -q '\"active\": \"vf\"'")
            self.await_("! pidof hyperv_vfup hyperv_vfattach")
        self.await_(f"ip -4 -o address show dev {upper} | grep -q inet")
        self.await_("systemctl is-active network-online.target")
        found = addresses(self.guest)
        assert list(found) == [upper] and len(found[upper]) == 1, found
        assert self.guest.run("systemctl --failed --no-legend").strip() == ""
        self.guest.run(f"ping -c 1 -W 5 {HOST_ADDRESS}")


@pytest.fixture
def boot(cloud, tmp_path):
    """boot(name, card, masked): a Story of its first boot. masked: systemd's units that are."""
    kernel, busybox, image = cloud
    sessions = []

    def start(name, card=CARD, masked=()):
        manager = MANAGERS[name]
        archive = str(tmp_path / "initramfs")
        links = {**manager.links, **{f"{ETC}/{unit}": "/dev/null" for unit in masked}}
        root.archive(archive, kernel, busybox, manager.files, links)
        sessions.append(Session(Cloud(str(tmp_path)), PLACES, kernel, archive, disk=image,
                                memory="1G", card=card, reboots=True))
        sessions[-1].boot(within=root.BOOTED_WITHIN)
        return Story(sessions[-1], manager, card)

    yield start
    for session in sessions:
        session.__exit__()


def boots(story, pair, upper):
    """Boots it so many times, each as it should be."""
    seconds = []
    for number in range(BOOTS):
        try:
            if number:
                story.reboot(clean=number % 2)
            story.check(pair, upper)
        except BaseException:
            print("\n".join(story.session.log()))
            raise
        seconds.append(story.online())
        print(f"boot {number + 1}: {seconds[-1]:.1f} s", flush=True)
    print(f"{len(seconds)} boots, seconds to network-online.target: {min(seconds):.1f} to "
          f"{max(seconds):.1f}, median {statistics.median(seconds):.1f}")


pytestmark = pytest.mark.timeout(root.BOOTED_WITHIN * (BOOTS + 1), func_only=True)


@pytest.mark.parametrize("name", MANAGERS)
def test_a_guest_with_a_vf_boots(boot, name):
    story = boot(name)
    boots(story, pair=True, upper=story.manager.upper)


@pytest.mark.parametrize("name", ["systemd-networkd"])
def test_without_netvfd_the_hn_works_and_the_vf_is_there(boot, name):
    story = boot(name, masked=["netvfd.service"])
    boots(story, pair=False, upper=HN)
    others = f"grep -l {GUEST_MAC} /sys/class/net/*/address | grep -v /{HN}/"
    vf, = story.guest.run(others).split()
    assert story.guest.run(f"cat {vf.replace('address', 'operstate')}").strip() == "down"


@pytest.mark.skipif("NETVF_BOOTS" not in os.environ, reason="only to compare the time with")
@pytest.mark.parametrize("name", MANAGERS)
def test_a_guest_without_a_vf_boots(boot, name):
    boots(boot(name, card=None), pair=False, upper=HN)
