# SPDX-License-Identifier: BSD-2-Clause
"""netvf's package is installed in a living guest, whose manager has given its VF an address. The
manager lets go of the VF, and then the VF comes and goes for a migration."""

import pytest

import root
import test_managers
from conftest import PLACES
from netvf_lab.vm.session import Session
from test_managers import (
    CARD, HN, LOOPBACK, MANAGERS, VF, Managed, Ping, addresses, ifupdown, to_time)

PACKAGE = "/netvf.deb"
BOTH = ifupdown(root.CLIENT, {})
BOTH.files["/etc/network/interfaces"] = LOOPBACK + "".join(
    f"allow-hotplug {name}\niface {name} inet dhcp\n" for name in (HN, VF))
# ifupdown knows no more than what it has done once.
BOTH.untouched = ""
EACH = {**MANAGERS, "ifupdown": BOTH}


class Story(test_managers.Story):
    """One whose guest has no netvf yet."""

    def __init__(self, session, manager, directory):
        # pylint: disable=super-init-not-called
        self.session, self.manager, self.hn = session, manager, manager.hn
        self.guest, self.directory = session.guest, directory
        self.await_(f"ip -4 -o address show dev {VF} | grep -q inet")

    def check_log(self, log):
        """ifupdown goes on to configure each VF."""
        assert log.count("somebody gave its VF") == 1 or self.manager.form == "lagg"

    def check_names(self, _):
        """Where they are for somebody by hand to say, nobody has."""

    def install(self):
        self.guest.run(f"dpkg --install {PACKAGE}", within=2 * test_managers.WITHIN)
        upper = self.manager.upper
        self.await_port("vf")
        self.await_(f"ip -4 -o address show dev {upper} | grep -q inet")
        self.await_healthy()
        self.address = addresses(self.guest)[upper][0]
        self.use()


@to_time
@pytest.mark.parametrize("name", EACH)
def test_a_manager_lets_go_of_the_vf_that_it_has(tmp_path, bare, name):
    kernel, busybox, image = bare
    manager, archive = EACH[name], str(tmp_path / "initramfs")
    root.archive(archive, kernel, busybox, manager.files, manager.links)
    with Session(Managed(str(tmp_path), manager.name_server), PLACES, kernel, archive,
                 disk=image, memory="1G", card=CARD) as session:
        session.boot(within=root.BOOTED_WITHIN)
        try:
            story = Story(session, manager, str(tmp_path))
            story.install()
            ping = Ping(session.host.host, story.address)
            story.unplug()
            story.plug()
            asked, lost, gap = ping.end()
            # netvfd has looked for DHCP clients.
            assert 'profile="netvfd"' not in story.guest.run("journalctl -b -k --no-pager")
            # systemd-networkd's client would live on.
            assert f"%{VF}:68" not in story.guest.run("ss -Hlun sport = 68")
        except BaseException:
            print("\n".join(session.log()))
            raise
    print(f"{name}: {story.address}, server {story.server()[0]}, pings: {asked} asked, {lost} lost,"
          f" gap {gap}")
    assert not lost
