# SPDX-License-Identifier: BSD-2-Clause
"""A DHCP server on the host's switch."""

import shutil
import subprocess

from ..topology import GUEST_ADDRESS
from .cache import Unavailable

FIRST, LAST = "10.77.0.50", "10.77.0.99"


class Server:
    """Gives the guest's address to whoever asks; or, where directory is given, each client an
    address of its own, and leaves there what it said ("log") and its leases ("leases").
    name_server: which it tells of."""

    def __init__(self, host, lease="10m", directory=None, name_server=None):
        if not shutil.which("dnsmasq"):
            raise Unavailable("there is no dnsmasq here (Debian's dnsmasq-base)")
        if directory:
            spread = f"{FIRST},{LAST}"
            files = [
                *("--log-dhcp", f"--log-facility={directory}/log"),
                f"--dhcp-leasefile={directory}/leases",
            ]
        else:
            spread = f"{GUEST_ADDRESS},{GUEST_ADDRESS}"
            files = ["--log-facility=/dev/null", "--leasefile-ro"]
        if name_server:
            files.append(f"--dhcp-option=option:dns-server,{name_server}")
        self._process = host.popen(
            [
                *("dnsmasq", "--keep-in-foreground", "--user=root", "--conf-file=", "--pid-file="),
                *("--port=0", "--no-hosts", "--no-resolv", "--interface=switch0"),
                *("--bind-interfaces", "--no-ping", "--dhcp-authoritative"),
                *(f"--dhcp-range={spread},255.255.255.0,{lease}", *files),
            ],
            stdin=subprocess.DEVNULL,
        )

    def close(self):
        self._process.kill()
        self._process.wait()
