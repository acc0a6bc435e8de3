# SPDX-License-Identifier: BSD-2-Clause
"""A user's process that calls itself a DHCP client decides nothing of what root does."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from harness import BUILD, wait_until
from netvf_lab.topology import GUEST_ADDRESS, HOST_ADDRESS
from programs import Programs
from test_dhcp import clients_files, end_clients, needs_dhclient, serving

assert clients_files  # a fixture, for this module too

NOBODY = 65534
TITLES = ["dhclient {}", "dhcpcd: {} x", "udhcpc -i {}"]
LAGGS = ["bpf", "bond"]


class Strangers:
    """Processes of a user's, by each title, that serve an interface as it seems."""

    def __init__(self, guest, directory, ifname):
        self.directory = directory
        self.guest = guest
        self.running = []
        for name in ("dhclient", "dhcpcd", "udhcpc"):
            program = shutil.copy(BUILD / "tests/stranger", directory / name)
            os.chown(program, NOBODY, NOBODY)
        for title in TITLES:
            self.start(title.format(ifname).split())

    def start(self, words):
        program = self.directory / words[0].rstrip(":")
        with self.guest.namespace.entered():
            process = process_of(NOBODY, program, words)
        self.running.append(process)
        wait_until(lambda: words[0].encode() in
                   pathlib.Path(f"/proc/{process}/cmdline").read_bytes())

    def assert_ignored(self):
        assert list(self.directory.glob("*.root")) == [], "a user's program ran as root"
        for pid in self.running:
            assert os.waitpid(pid, os.WNOHANG) == (0, 0), "a user's process was ended"

    def close(self):
        for pid in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def process_of(uid, program, words):
    """Runs a program by a user, with its command line as given; its process id."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.execv(program, words)
        finally:
            os._exit(127)
    return pid


@pytest.fixture
def open_directory(tmp_path):
    """Where a user keeps programs, and root's own may be found, too."""
    directory = tmp_path / "user"
    directory.mkdir()
    os.chown(directory, NOBODY, NOBODY)
    for parent in (directory, *directory.parents[:-1]):
        os.chmod(parent, parent.stat().st_mode | 0o5)
    return directory


@pytest.fixture
def strangers(guest, open_directory):
    with contextlib.ExitStack() as stack:
        yield lambda ifname: stack.enter_context(
            contextlib.closing(Strangers(guest, open_directory, ifname)))


def root_client(guest, words):
    """A real client of root's that finds no server."""
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    guest.run(*words)
    wait_until(lambda: serving(guest, words[-1]))


def kind_of_lagg(guest, kind):
    if kind == "bond" and guest.run("ip", "link", "add", "bond9", "type", "bond",
                                    check=False).returncode:
        pytest.skip("this kernel has no bonding")
    return f'netvf_lagg="{kind}"\n' if kind == "bond" else ""


@pytest.mark.parametrize("rcconf", ["", f'ifconfig_hn0="inet {GUEST_ADDRESS}/24"\n',
                                    'ifconfig_hn0="SYNCDHCP"\ndhclient_program="/nowhere/udhcpc"\n'
                                    ], ids=["live", "fixed", "dhcp"])
@pytest.mark.parametrize("lagg", LAGGS)
def test_a_users_client_does_not_move(guest, tmp_path, strangers, rcconf, lagg):
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    programs.write_rcconf(kind_of_lagg(guest, lagg) + rcconf)
    users = strangers("hn0")
    programs.run("hyperv_vfup", "hn0")
    assert guest.addresses("lagg0") == {f"{GUEST_ADDRESS}/24"}
    wait_until(lambda: guest.addresses("hn0") == set(), what="all has moved")
    users.assert_ignored()


@pytest.mark.parametrize("lagg", LAGGS)
def test_a_users_client_does_not_come_back(guest, start_netvfd, strangers, lagg):
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n' + kind_of_lagg(guest, lagg))
    guest.attach_vf()
    netvfd.wait_active("vf")
    wait_until(lambda: guest.addresses("lagg0"), what="hn0's address is on lagg0")
    users = strangers("lagg0")
    netvfd.ask("release", "hn0")
    assert guest.addresses("hn0") == {f"{GUEST_ADDRESS}/24"}
    users.assert_ignored()


@pytest.mark.parametrize("mode", ["", 'netvf_vf_transparent="YES"\nnetvf_vf_xpnt_attwait="0"\n'],
                         ids=["lagg", "transparent"])
def test_a_users_client_on_a_vf_is_left_alone(guest, start_netvfd, strangers, mode):
    """Though the address that he may have had somebody set there is taken off."""
    netvfd = start_netvfd(rcconf=f'netvf_pairs="hn0:vf0"\n{mode}')
    guest.attach_vf()
    netvfd.wait_active("vf")
    users = strangers("vf0")
    vf = guest.namespace.index("vf0")
    guest.netlink.addr("add", index=vf, address="10.99.0.1", prefixlen=24)
    wait_until(lambda: guest.addresses("vf0") == set(), what="the VF is bare")
    assert netvfd.status()
    users.assert_ignored()


@pytest.mark.parametrize("kind", ["fifo", "link", "file"])
@needs_dhclient
def test_a_lease_that_a_user_may_have_written_is_not_read(guest, tmp_path, open_directory, kind):
    """Though it is root's client that names it. A FIFO would be waited at for ever."""
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    leases = open_directory / "leases"
    root_client(guest, ["dhclient", "-nw", "-sf", "/bin/true", "-pf", "/run/dhclient.hn0.pid",
                        "-lf", str(leases), "hn0"])
    wait_until(leases.exists)
    leases.unlink()
    lease = f'lease {{ interface "hn0"; fixed-address {HOST_ADDRESS}; }}\n'
    if kind == "fifo":
        os.mkfifo(leases)
    elif kind == "link":
        leases.symlink_to(tmp_path / "other")
        (tmp_path / "other").write_text(lease)
    else:
        leases.write_text(lease)
    try:
        programs.run("hyperv_vfup", "hn0")
        wait_until(lambda: serving(guest, "lagg0"), what="lagg0 has a client")
    finally:
        end_clients(guest)
    copy = pathlib.Path("/var/lib/dhcp/dhclient.lagg0.leases")
    assert not copy.exists() or HOST_ADDRESS not in copy.read_text()


DHCLIENT = shutil.which("dhclient") or "dhclient"
# Its script does not end, so it never comes to open a socket, which it may not in each namespace.
FOREGROUND = ["-d", "-sf", "/bin/cat", "-pf", "/run/container.pid", "-lf", "/run/container.leases",
              "hn0"]


def move_beside(guest, programs, command):
    """What hyperv_vfup says when a root process serves hn0 that it is to leave alone."""
    with guest.popen(*command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        try:
            wait_until(lambda: serving(guest, "hn0"))
            said = programs.run("hyperv_vfup", "hn0")
            wait_until(lambda: guest.addresses("hn0") == set(), what="all has moved")
            assert serving(guest, "hn0") and client.poll() is None
            assert serving(guest, "lagg0") == []
        finally:
            for pid in serving(guest, "hn0"):
                os.kill(pid, signal.SIGKILL)
            client.wait()
    return said


@pytest.mark.parametrize("namespace", [["--user", "--map-root-user"], ["--pid", "--fork"]],
                         ids=["user", "pid"])
@needs_dhclient
def test_root_in_a_container_is_not_root(guest, tmp_path, namespace):
    """It has the guest's network, and a real client."""
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    move_beside(guest, programs, ["unshare", *namespace, DHCLIENT, *FOREGROUND])


@needs_dhclient
def test_the_same_path_in_another_mount_namespace_is_another_file(guest, tmp_path):
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    shutil.copy(DHCLIENT, tmp_path / "dhclient")
    over = f"mount --bind {tmp_path}/dhclient {DHCLIENT} && exec \"$@\""
    said = move_beside(guest, programs, ["unshare", "--mount", "sh", "-c", over, "sh", DHCLIENT,
                                         *FOREGROUND])
    assert "is left alone" in said


@needs_dhclient
def test_a_client_in_a_users_directory_is_left_alone(guest, tmp_path, open_directory):
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    program = shutil.copy(DHCLIENT, open_directory / "dhclient")
    said = move_beside(guest, programs, [program, *FOREGROUND])
    assert "is left alone" in said


@needs_dhclient
def test_a_client_that_was_upgraded_moves(guest, tmp_path):
    """Its program is not the file any more that runs."""
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    program = shutil.copy(DHCLIENT, "/run/dhclient")
    root_client(guest, [program, "-nw", "-sf", "/bin/true", "hn0"])
    os.rename(shutil.copy(DHCLIENT, "/run/new"), program)
    try:
        programs.run("hyperv_vfup", "hn0")
        client = wait_until(lambda: serving(guest, "lagg0"))[-1]
        assert os.path.samefile(f"/proc/{client}/exe", program)
    finally:
        end_clients(guest)


@needs_dhclient
def test_a_script_that_a_user_may_change_does_not_move(guest, tmp_path, open_directory):
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    script = shutil.copy("/bin/true", open_directory / "script")
    root_client(guest, [DHCLIENT, "-nw", "-v", "-sf", script, "hn0"])
    try:
        programs.run("hyperv_vfup", "hn0")
        client = wait_until(lambda: serving(guest, "lagg0"))[-1]
        words = pathlib.Path(f"/proc/{client}/cmdline").read_text().split("\0")
        assert "-v" in words and "-sf" not in words
    finally:
        end_clients(guest)
