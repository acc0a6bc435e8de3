# SPDX-License-Identifier: BSD-2-Clause
"""What happens to a pair's interfaces and files behind netvfd's back, while lagg0 carries all."""

import json
import os
import signal
import subprocess
import threading

from conftest import RC_CONF
from echo import Numbered
from harness import BUILD, dptool, wait_until
from test_netvfd import wait_lagg

IFF_RUNNING = 0x40


def attach(guest, netvfd):
    guest.attach_vf()
    wait_lagg(netvfd)
    wait_until(lambda: guest.addresses("lagg0") and not guest.addresses("hn0"))


def assert_migrates(guest, netvfd, echo, hn):
    assert echo.ask(5) == 5
    guest.detach_vf("linkdown")
    netvfd.wait_active("hn", hn)
    assert echo.ask(5) == 5
    guest.bring_back_vf("linkdown")
    netvfd.wait_active("vf", hn)
    assert echo.ask(5) == 5


def test_a_reload_without_the_pair_leaves_lagg0_its_path(guest, netvfd, echo):
    attach(guest, netvfd)
    netvfd.rcconf.write_text(RC_CONF.replace("netvf_pairs", "# netvf_pairs"))
    netvfd.reload()
    wait_until(lambda: "its pair stays" in netvfd.pair()["why"])
    assert_migrates(guest, netvfd, echo, "hn0")
    netvfd.rcconf.write_text(RC_CONF)
    netvfd.reload()
    wait_until(lambda: not netvfd.pair()["why"])
    assert_migrates(guest, netvfd, echo, "hn0")


def test_an_hn_with_a_new_name_leaves_lagg0_its_path(guest, netvfd, echo):
    attach(guest, netvfd)
    guest.netlink.link("set", index=guest.namespace.index("hn0"), ifname="eth7")
    wait_until(lambda: netvfd.pair("eth7"))
    assert_migrates(guest, netvfd, echo, "eth7")


def test_without_a_lagg_an_unnamed_pair_is_forgotten(guest, netvfd, echo):
    assert netvfd.pair()
    netvfd.rcconf.write_text(RC_CONF.replace("netvf_pairs", "# netvf_pairs"))
    netvfd.reload()
    wait_until(lambda: not netvfd.pair())
    assert echo.ask(5) == 5


def test_a_vf_that_went_and_came_with_its_index_unseen(guest, netvfd, echo):
    attach(guest, netvfd)
    index = guest.namespace.index("vf0")
    os.kill(netvfd.process.pid, signal.SIGSTOP)
    guest.netlink.link("set", index=index, net_ns_fd=guest.host.net)
    guest.host.netlink.link("set", index=index, net_ns_fd=guest.namespace.net)
    assert guest.namespace.index("vf0") == index
    os.kill(netvfd.process.pid, signal.SIGCONT)
    wait_until(lambda: dptool(guest, "programs", "vf0")[0])
    netvfd.wait_active("vf")
    assert_migrates(guest, netvfd, echo, "hn0")


def unplug_hn(guest):
    guest.host.netlink.link("del", index=guest.topology.hn.host_index)


def plug_hn(guest):
    guest.topology.hn = guest.topology.plug_hn()


def test_an_hn_goes_and_returns_while_the_vf_works(guest, netvfd, echo):
    attach(guest, netvfd)
    traffic = Numbered(guest)
    traffic.wait_more()
    unplug_hn(guest)
    wait_until(lambda: "is gone" in netvfd.pair()["why"])
    assert netvfd.pair()["hn_port"] is None
    assert "  hn0: is gone" in netvfd.ask("status")
    traffic.wait_more()
    plug_hn(guest)
    wait_until(lambda: not netvfd.pair()["why"])
    wait_until(lambda: guest.is_up("hn0"), what="it is opened, to hear strays")
    traffic.wait_more()
    assert traffic.stop()[1] == {"guest": {}, "host": {}}
    assert_migrates(guest, netvfd, echo, "hn0")
    assert guest.addresses("lagg0") and not guest.addresses("hn0")


def test_a_restarted_netvfd_keeps_a_pair_without_its_hn(guest, netvfd, echo):
    attach(guest, netvfd)
    unplug_hn(guest)
    wait_until(lambda: "is gone" in netvfd.pair()["why"])
    netvfd.kill()
    netvfd.start()
    assert echo.ask(5) == 5
    plug_hn(guest)
    wait_until(lambda: guest.is_up("hn0"))
    assert_migrates(guest, netvfd, echo, "hn0")


def test_an_hn_that_went_last_has_its_lagg_again(guest, netvfd, echo):
    attach(guest, netvfd)
    guest.detach_vf("unplug")
    netvfd.wait_active("hn")
    unplug_hn(guest)
    wait_until(lambda: "so is its VF" in netvfd.pair()["why"])
    wait_until(lambda: not guest.link("lagg0")["flags"] & IFF_RUNNING)
    plug_hn(guest)
    wait_until(lambda: guest.link("lagg0")["flags"] & IFF_RUNNING, what="without a VF")
    assert echo.ask(5) == 5
    guest.attach_vf()
    wait_lagg(netvfd)
    wait_until(lambda: guest.link("lagg0")["flags"] & IFF_RUNNING)
    assert_migrates(guest, netvfd, echo, "hn0")


def test_names_that_are_no_text_are_told_all_the_same(guest, netvfd):
    attach(guest, netvfd)
    events = guest.popen(BUILD / "src/netvf/netvf", "--run-dir", netvfd.run_dir, "events",
                         "--json", stdout=subprocess.PIPE, text=True)
    heard = []
    reader = threading.Thread(target=lambda: heard.extend(events.stdout), daemon=True)
    reader.start()
    odd, shown = b"hn\xff0", "hn\\xff0"

    def rename(old, new):
        guest.run("ip", "link", "set", os.fsdecode(old), "name", os.fsdecode(new))

    def has_subscribed():
        rename(b"hn0", b"hn1")
        rename(b"hn1", b"hn0")
        return heard

    wait_until(has_subscribed)
    rename(b"hn0", odd)
    wait_until(lambda: netvfd.pair(shown))
    assert shown in netvfd.ask("status")
    guest.detach_vf("unplug")
    netvfd.wait_active("hn", shown)
    assert shown in [entry.get("to") for entry in json.loads(netvfd.ask("history", "--json"))]
    wait_until(lambda: any(shown in json.loads(line)["line"] for line in heard))
    events.kill()
    events.wait()


def test_a_reload_sets_the_time_limit_of_actions(guest, start_netvfd):
    netvfd = start_netvfd(rules="""
        notify 10 { match "type" "RENAME"; action "exec sleep 60"; };""")
    netvfd.rcconf.write_text(RC_CONF + 'netvf_action_timeout="1"\n')
    netvfd.reload()
    wait_until(lambda: "read the configuration again" in netvfd.log)
    guest.netlink.link("set", index=guest.namespace.index("hn0"), ifname="hn1")
    wait_until(lambda: "was ended at its time limit" in netvfd.log, 10)
