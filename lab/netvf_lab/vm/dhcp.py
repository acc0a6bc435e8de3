# SPDX-License-Identifier: BSD-2-Clause
"""A DHCP server on the host's switch, which gives the guest's address to whoever asks."""

import shutil
import subprocess

from ..topology import GUEST_ADDRESS
from .cache import Unavailable


class Server:
    def __init__(self, host):
        if not shutil.which("dnsmasq"):
            raise Unavailable("there is no dnsmasq here (Debian's dnsmasq-base)")
        self._process = host.popen(
            [
                *("dnsmasq", "--keep-in-foreground", "--user=root", "--conf-file=", "--pid-file="),
                *("--port=0", "--no-hosts", "--no-resolv", "--log-facility=/dev/null"),
                *("--interface=switch0", "--bind-interfaces", "--no-ping", "--leasefile-ro"),
                "--dhcp-authoritative",
                f"--dhcp-range={GUEST_ADDRESS},{GUEST_ADDRESS},255.255.255.0,10m",
            ],
            stdin=subprocess.DEVNULL,
        )

    def close(self):
        self._process.kill()
        self._process.wait()
