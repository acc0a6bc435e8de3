# SPDX-License-Identifier: BSD-2-Clause
"""What the tests are written with: the guest, netvfd in it, and waiting with a deadline."""

import contextlib
import errno
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from pyroute2.netlink.exceptions import NetlinkError

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NETVF_BUILD", TOP / "build")).resolve()

DEADLINE = 30  # seconds; generous, because it is only spent when a test fails


def wait_until(predicate, deadline=DEADLINE, what=""):
    """Waits until predicate() is true, and returns what it returned; fails after the deadline.

    It is asked once more when the deadline is over: the machine itself may have stood still.
    @what may be a function, which says then what there is.
    """
    end = time.monotonic() + deadline
    over = False
    while not (result := predicate()):
        if over:
            said = what() if callable(what) else what or predicate
            pytest.fail(f"not within {deadline} s: {said}", pytrace=True)
        time.sleep(0.005)
        over = time.monotonic() > end
    return result


class Guest:
    """The guest of a Topology: what is so in it, and the host's deeds towards it."""

    def __init__(self, topology):
        self.topology = topology
        self.host = topology.host
        self.namespace = topology.guest

    @property
    def netlink(self):
        return self.namespace.netlink

    def attach_vf(self, name="vf0"):
        return self.topology.attach(name)

    def detach_vf(self, kind="unplug"):
        """`unplug`, `linkdown` (the host's doing), or `admindown` (the guest's)."""
        self.topology.detach(kind)

    def bring_back_vf(self, kind="unplug", name="vf0"):
        """Undoes detach_vf(kind)."""
        self.topology.bring_back(kind, name)

    def link(self, name):
        """The link as pyroute2 has it, or None; one request, as links come and go."""
        try:
            return self.netlink.link("get", ifname=name)[0]
        except NetlinkError as error:
            if error.code != errno.ENODEV:
                raise
        return None

    def is_up(self, name):
        link = self.link(name)
        return bool(link and link["flags"] & 1)

    def addresses(self, name):
        """ADDRESS/LENGTH of each, IPv6 link-local ones left out."""
        index = self.namespace.index(name)
        found = [(a.get_attr("IFA_LOCAL") or a.get_attr("IFA_ADDRESS"), a["prefixlen"])
                 for a in self.netlink.get_addr() if a["index"] == index]
        return {f"{address}/{length}" for address, length in found if address[:4] != "fe80"}

    def routes(self, family=socket.AF_INET):
        """(destination or "default", gateway or None, interface or None) of the main table.

        An interface that came or went meanwhile is None.
        """
        names = {link["index"]: link.get_attr("IFLA_IFNAME") for link in self.netlink.get_links()}
        found = set()
        for route in self.netlink.get_routes(family=family, table=254):
            destination = route.get_attr("RTA_DST")
            where = f"{destination}/{route['dst_len']}" if destination else "default"
            interface = names.get(route.get_attr("RTA_OIF"))
            found.add((where, route.get_attr("RTA_GATEWAY"), interface))
        return found

    def run(self, *argv, **options):
        """Runs a command in the guest to its end; its output is text."""
        options = {"capture_output": True, "text": True, "timeout": 60, **options}
        return self.namespace.run([str(word) for word in argv], **options)

    def popen(self, *argv, **options):
        return self.namespace.popen([str(word) for word in argv], **options)


KERNELS = 1  # the group of uevents that the kernel sends


def uevent_message(action, devpath, **keys):
    """A uevent as send_uevent() sends it."""
    text = [f"{action}@{devpath}", f"ACTION={action}", f"DEVPATH={devpath}"]
    text += [f"{key.upper()}={value}" for key, value in keys.items()]
    payload = "".join(line + "\0" for line in text).encode()
    nlmsg_min_type, nlm_f_request = 0x10, 1
    header = struct.pack("=LHHLL", 16 + len(payload), nlmsg_min_type, nlm_f_request, 0, 0)
    return header + payload


def uevent_socket(namespace):
    """What is sent to it the kernel tells the namespace as its own uevent (Linux 4.18, root)."""
    netlink_kobject_uevent = 15
    with namespace.entered():
        return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, netlink_kobject_uevent)


def uevents(ear):
    """What the socket has heard, each as ACTION@PATH."""
    heard = []
    with contextlib.suppress(BlockingIOError):
        while True:
            heard.append(ear.recv(4096, socket.MSG_DONTWAIT).split(b"\0")[0].decode())
    return heard


def send_uevent(namespace, action, devpath, **keys):
    """Has the kernel tell the namespace a uevent, as for a device that is not here."""
    with uevent_socket(namespace) as sender:
        sender.send(uevent_message(action, devpath, **keys))


# A command that runs another, which then sees a Linux older than 6.2: it cannot rename an interface
# that is up.
OLD_LINUX = ("setarch", "--uname-2.6")

UDEV_WAIT = 5  # seconds, for which udev is waited for there


@contextlib.contextmanager
def udev_busy():
    """udev runs, and has looked at nothing: it writes nIFINDEX into this directory when it has."""
    names = pathlib.Path("/run/udev/data")
    names.mkdir(parents=True)
    (names.parent / "control").touch()
    try:
        yield names
    finally:
        shutil.rmtree(names.parent)


def udev_tells(data, text):
    """As udev writes its database: nobody sees a file without its content."""
    new = data.with_name(f".#{data.name}")
    new.write_text(text)
    new.rename(data)


def dptool(guest, command, ifname):
    """[id of the program at ingress, id at egress] of an interface, 0: none; or takes them off."""
    tool = BUILD / "tests/netns/datapath/dptool"
    return json.loads(guest.run(tool, command, ifname).stdout).get("value")


class Netvfd:
    """netvfd in the guest, with files of its own; events are read from devd's socket."""

    def __init__(self, guest, directory, rules, rcconf):
        self.guest = guest
        self.run_dir = directory / "run"
        self.rules = directory / "devd.conf"
        self.rcconf = directory / "rc.conf"
        self.log_path = directory / "log"
        self.rules.write_text(rules)
        self.rcconf.write_text(rcconf)
        self.program = BUILD / "src/netvfd/netvfd"
        self.process = None
        self.actions = None  # netvf_actions
        self.events = []  # every line so far, also over a restart
        self._news = threading.Condition()

    def start_actions(self):
        """As the units do: starts netvf_actions, which a netvfd that is started then asks to run
        the actions, and has the pins made for one that may not."""
        log = open(self.log_path, "ab")
        self.actions = self.guest.popen(
            *bounded_as_the_unit("netvf-actions"), BUILD / "src/libexec/netvf_actions",
            "-f", self.rules, "-c", self.rcconf, "--run-dir", self.run_dir,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.guest.run(
            BUILD / "src/netvfd/netvfd", "--repin", "--run-dir", self.run_dir, check=True)
        wait_until((self.run_dir / "actions.sock").exists, what="netvf_actions listens")

    def start(self, *options, under=()):
        """Starts it and waits until it answers; @under: a command that runs it, as nice(1) does."""
        log = open(self.log_path, "ab")
        if self.actions:
            options = ("--actions", self.run_dir / "actions.sock", *options)
        self.process = self.guest.popen(
            *under, self.program, "-d", "-f", self.rules, "-c", self.rcconf,
            "--run-dir", self.run_dir, *options,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        try:
            wait_until(self._answers, what="netvfd answers")
        except BaseException:
            self.kill()
            raise
        return self

    def _answers(self):
        assert self.process.poll() is None, f"netvfd ended at its start:\n{self.log}"
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            client.connect(str(self.run_dir / "devd.seqpacket.pipe"))
            self.status()
        except (OSError, subprocess.CalledProcessError):
            client.close()
            return False
        threading.Thread(target=self._read_events, args=(client,), daemon=True).start()
        return True

    def _read_events(self, client):
        with client:
            while line := client.recv(8192):
                with self._news:
                    self.events.append(line.decode(errors="replace").rstrip("\n"))
                    self._news.notify_all()

    def wait_event(self, part, since=0, deadline=DEADLINE):
        """The first event from the since'th on that has `part` in it; waits for it."""
        def found():
            return next((line for line in self.events[since:] if part in line), None)

        with self._news:
            self._news.wait_for(found, deadline)
            line = found()
        assert line, f"no event with '{part}' in {deadline} s; there are {self.events[since:]}"
        return line

    def ask(self, *argv, check=True):
        """netvf in the guest; returns what it prints."""
        command = [BUILD / "src/netvf/netvf", "--run-dir", self.run_dir, *argv]
        return self.guest.run(*command, check=check).stdout

    def status(self):
        return json.loads(self.ask("status", "--json"))

    def pair(self, hn="hn0"):
        """Status of one pair, or None."""
        return next((p for p in self.status()["pairs"] if p["hn"] == hn), None)

    def wait_active(self, port, hn="hn0", deadline=DEADLINE):
        """Waits until the pair transmits on "hn" or "vf"."""
        wait_until(lambda: (self.pair(hn) or {}).get("active") == port, deadline,
                   f"{hn} transmits on {port}")

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self, number=signal.SIGTERM):
        """Ends it; returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)

    def kill(self, actions=False):
        """As a crash: without a chance to clean up."""
        if actions and self.actions:
            self.actions.kill()
            self.actions.wait(DEADLINE)
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE)


def bounded(names):
    """A command that runs another with these capabilities, and no more."""
    # As setpriv wants them: all taken away, then those.
    bounds = ",".join(["-all", *(f"+{name}" for name in names)])
    return ["setpriv", "--no-new-privs", "--inh-caps=-all", f"--bounding-set={bounds}", "--"]


def bounded_as_the_unit(unit="netvfd"):
    """A command that runs another with the rights of netvfd's unit, and no more."""
    text = (TOP / f"dist/{unit}.service.in").read_text()
    lines = re.findall(r"^CapabilityBoundingSet=(.+)", text, re.MULTILINE)
    names = [name.removeprefix("CAP_").lower() for line in lines for name in line.split()]
    assert "net_admin" in names
    return bounded(names)
