# SPDX-License-Identifier: BSD-2-Clause
"""Where the programs are: in a build tree, or installed."""

import os
from dataclasses import dataclass, field
from typing import Optional

LIBEXEC = "/usr/libexec/hyperv"


@dataclass(frozen=True)
class Places:
    version: str
    netvfd: str
    netvf: str
    agent: str
    rules: str
    cache: str  # the guest's kernel, once fetched
    # Which kernel and QEMU, as vm/cache.py takes them; None: of this machine's release.
    kernel: Optional[str] = field(default_factory=lambda: os.environ.get("NETVF_LAB_KERNEL"))
    qemu: Optional[str] = field(default_factory=lambda: os.environ.get("NETVF_LAB_QEMU"))
    # Programs that must appear in /usr/libexec/hyperv, because rules name them there.
    libexec: list = field(default_factory=list)

    @classmethod
    def of_build(cls, top, build):
        """Those of a build that is not installed, with the rules of its source."""
        return cls(
            version="",
            netvfd=str(build / "src/netvfd/netvfd"),
            netvf=str(build / "src/netvf/netvf"),
            agent=str(build / "lab/netvf-lab-agent"),
            rules=str(top / "etc/devd/hyperv.conf"),
            cache=str(build / "vm-cache"),
            libexec=[str(build / f"src/libexec/hyperv_vf{what}") for what in ("attach", "up")],
        )

    def missing(self):
        """Those that are not there, to be told at once instead of failing in the middle."""
        programs = [self.netvfd, self.agent, *self.libexec]
        return [path for path in programs if not os.access(path, os.X_OK)]

    def path(self):
        """PATH for commands in the guest, with our own programs first."""
        own = [os.path.dirname(self.netvf), os.path.dirname(self.netvfd)]
        usual = os.environ.get("PATH", "/usr/bin:/bin").split(":")
        system = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return ":".join(dict.fromkeys(own + usual + system))
