# SPDX-License-Identifier: BSD-2-Clause
"""One machine of the lab: a network namespace and the mounts that belong to it."""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager

from pyroute2 import IPRoute

from . import sandbox

SIOCETHTOOL = 0x8946


class Namespace:
    """A network namespace with mounts of its own (its /sys shows its own links).

    It lives as long as this object or a process in it. Use it in a `with`, or call close().
    """

    def __init__(self, name):
        self.name = name
        self._netlink = None
        self._start()

    def _start(self):
        """Makes the namespaces in a thread: unshare is per thread, and so leaves ours alone."""
        result = {}

        def make():
            try:
                sandbox.unshare(sandbox.CLONE_NEWNS | sandbox.CLONE_NEWNET)
                sandbox.mount(None, "/", None, sandbox.MS_REC | sandbox.MS_PRIVATE)
                sandbox.mount("sysfs", "/sys", "sysfs")
                result["fds"] = [
                    os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
                    for kind in ("net", "mnt")
                ]
            except OSError as error:
                result["error"] = error

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if "error" in result:
            raise result["error"]
        self.net, self.mounts = result["fds"]
        self.netlink.link("set", index=1, state="up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._netlink:
            self._netlink.close()
            self._netlink = None
        for fd in (self.net, self.mounts):
            if fd >= 0:
                os.close(fd)
        self.net = self.mounts = -1

    @property
    def netlink(self):
        """A netlink socket in it (pyroute2's IPRoute)."""
        if not self._netlink:
            with self.entered():
                self._netlink = IPRoute()
        return self._netlink

    @contextmanager
    def entered(self):
        """The body's sockets and /proc/sys/net are the namespace's; files are not."""
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            sandbox.setns(self.net, sandbox.CLONE_NEWNET)
            yield self
        finally:
            sandbox.setns(here, sandbox.CLONE_NEWNET)
            os.close(here)

    def command(self, argv):
        """argv, so that it runs in the namespace, in the current directory."""
        me = os.getpid()
        return [
            "nsenter",
            f"--net=/proc/{me}/fd/{self.net}",
            f"--mount=/proc/{me}/fd/{self.mounts}",
            f"--wdns={os.getcwd()}",
            "--",
            *argv,
        ]

    def popen(self, argv, **options):
        return subprocess.Popen(self.command(argv), **options)

    def run(self, argv, **options):
        """Runs to the end; raises CalledProcessError unless told check=False."""
        options.setdefault("check", True)
        return subprocess.run(self.command(argv), **options)

    def index(self, ifname):
        """The interface's index; 0 when there is none of that name."""
        found = self.netlink.link_lookup(ifname=ifname)
        return found[0] if found else 0

    def ethtool(self, ifname, command, value):
        """Sets what one of linux/ethtool.h's commands with a struct ethtool_value sets."""
        wanted = ctypes.create_string_buffer(struct.pack("=II", command, value))
        request = struct.pack("16sP16x", os.fsencode(ifname), ctypes.addressof(wanted))
        with self.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, SIOCETHTOOL, request)

    def sysctl(self, path, value):
        """Writes a file below /proc/sys/net."""
        with self.entered():
            with open(os.path.join("/proc/sys/net", path), "w", encoding="ascii") as file:
                file.write(str(value))
