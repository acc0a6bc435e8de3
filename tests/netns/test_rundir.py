# SPDX-License-Identifier: BSD-2-Clause
"""Whose the run directory is, which one it is, and what is believed and said of what is there."""

import json
import os
import pathlib
import subprocess

import pytest
from conftest import RC_CONF, RULES

from harness import BUILD, Netvfd, wait_until
from netvf_lab.topology import GUEST_ADDRESS

NETVF = BUILD / "src/netvf/netvf"
NOBODY = 65534
AS_NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]


def command(directory):
    (directory / "rc.conf").write_text(RC_CONF)
    return [BUILD / "src/netvfd/netvfd", "-d", "-f", RULES, "-c", directory / "rc.conf",
            "--run-dir", directory / "place/run"]


@pytest.mark.parametrize("whose", ["users", "open", "in-users"])
def test_a_run_directory_that_others_can_write_is_refused(guest, tmp_path, whose):
    run = tmp_path / "place/run"
    run.mkdir(parents=True)
    if whose == "open":
        run.chmod(0o777)
    else:
        os.chown(run if whose == "users" else run.parent, NOBODY, NOBODY)
    done = guest.run(*command(tmp_path), check=False)
    assert done.returncode == 1
    assert f"cannot use the run directory {run}: users other than root" in done.stderr
    assert os.listdir(run) == []
    environment = {**os.environ, "NETVF_RUN_DIR": str(run)}
    for program in ("hyperv_vfup", "hn0"), ("hyperv_vfattach", "hn0", "0"):
        done = guest.run(BUILD / "src/libexec" / program[0], *program[1:], check=False,
                         env=environment)
        assert done.returncode != 0 and "is not trusted" in done.stderr


def sent_by(guest, name):
    return guest.link(name).get_attr("IFLA_STATS64")["tx_packets"]


@pytest.mark.parametrize("place", [
    "mount -t bpf bpf bpf && mount --rbind . . && mount -o remount,bind,ro .",
    "mount -t tmpfs -o mode=0755,nr_inodes=2 full . && cd $0 && mkdir bpf && mount -t bpf bpf bpf",
], ids=["read-only", "full"])
def test_where_no_socket_can_be_made_the_vf_is_used(guest, tmp_path, echo, place):
    """The pins have a file system of their own."""
    (tmp_path / "place/run/bpf").mkdir(parents=True)
    argv = ["unshare", "--mount", "sh", "-c", f'cd $0 && {place} && exec "$@"',
            tmp_path / "place/run", *command(tmp_path)]
    with guest.popen(*argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if " ready: " in line:
                    break
            assert [line for line in said if "netvf(1) cannot connect" in line], said
            guest.attach_vf()
            wait_until(lambda: echo.ask(20) == 20 and sent_by(guest, "vf0") >= 20,
                       what="the VF transmits")
        finally:
            process.kill()
            print(*said, process.stderr.read())


def test_a_user_finds_the_directory_of_his_namespace(guest, tmp_path):
    """Who may not look at process 1 is told of his own network namespace, not of the first."""
    daemon = Netvfd(guest, tmp_path, "", RC_CONF)
    daemon.run_dir = f"/run/netvf/netns-{os.stat(f'/proc/self/fd/{guest.namespace.net}').st_ino}"
    with guest.popen(BUILD / "src/netvfd/netvfd", "-d", "-f", daemon.rules, "-c", daemon.rcconf,
                     stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: guest.run(NETVF, "status", check=False).returncode == 0)
            pairs = json.loads(guest.run(*AS_NOBODY, NETVF, "--json", "status").stdout)["pairs"]
            assert [pair["hn"] for pair in pairs] == ["hn0"]
        finally:
            process.kill()


def test_root_without_ptrace_takes_no_other_namespaces_directory(guest):
    bounded = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-sys_ptrace", "--"]
    hidden = guest.run(*bounded, "stat", "-L", "/proc/1/ns/net", check=False).returncode
    assert hidden, "process 1 has more capabilities"
    number = os.stat(f"/proc/self/fd/{guest.namespace.net}").st_ino
    done = guest.run(*bounded, NETVF, "status", check=False)
    assert f"no netvfd runs with /run/netvf/netns-{number}:" in done.stderr


def test_a_release_that_could_not_give_all_back_says_so(start_netvfd, guest):
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n')
    guest.attach_vf()
    netvfd.wait_active("vf")
    wait_until(lambda: guest.link("lagg0") and not guest.addresses("hn0"))
    wait_until(lambda: (netvfd.pair() or {}).get("form") == "lagg")
    record = netvfd.run_dir / "vfup.hn0.json"
    text = record.read_text()
    impossible = json.loads(text)
    impossible["settings"]["mtu"] = 4000000
    record.write_text(json.dumps(impossible))

    def release():
        return guest.run(NETVF, "--run-dir", netvfd.run_dir, "release", "hn0", check=False)

    done = release()
    assert done.returncode != 0 and "as it was before" not in done.stderr
    assert "not all of its settings" in done.stderr
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/24"}
    record.write_text(text)
    done = release()
    assert done.returncode == 0 and "hn0 is as it was before" in done.stderr
    assert not record.exists()


def test_what_netvf_prints_of_names_is_fit_for_a_terminal(start_netvfd, guest):
    """Whoever may make an interface in the guest names it: here an escape, DEL, and C1's CSI."""
    name = "v\x1b[2J\x7f\u009b1m"
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n')
    vf = guest.attach_vf() and guest.namespace.index("vf0")
    guest.netlink.link("set", index=vf, ifname=name)
    guest.netlink.link("set", index=vf, state="up")
    wait_until(lambda: netvfd.pair()["last_vf"] or netvfd.pair()["vf_port"])
    guest.netlink.link("del", index=vf)
    wait_until(lambda: not guest.namespace.index(name))
    said = "".join(netvfd.ask(word, check=False) for word in ("status", "history", "doctor"))
    said += netvfd.log
    assert not [c for c in said if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], said


@pytest.fixture
def managers_files(guest):
    """Where systemd-networkd and udev keep what they know; networkd is no root."""
    links, data = pathlib.Path("/run/systemd/netif/links"), pathlib.Path("/run/udev/data")
    for directory in links, data:
        directory.mkdir(parents=True)
    (data.parent / "control").touch()
    return links, data


def test_a_managers_file_is_not_waited_for(start_netvfd, guest, managers_files, echo):
    links, data = managers_files
    os.mkfifo(links / str(guest.namespace.index("hn0")))
    os.mkfifo(data / f"n{guest.namespace.index('hn0')}")
    netvfd = start_netvfd()
    vf = guest.attach_vf() and guest.namespace.index("vf0")
    (data / f"n{vf}").write_text("I:1\n")
    guest.netlink.link("set", index=vf, ifalias="named")
    netvfd.wait_active("vf")
    assert echo.ask(20) == 20
    assert guest.run(NETVF, "--run-dir", netvfd.run_dir, "doctor", check=False, timeout=30).stdout
