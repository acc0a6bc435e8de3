# SPDX-License-Identifier: BSD-2-Clause
"""Where the programs are that the guest runs, and what it boots from."""

import os
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NETVF_BUILD", TOP / "build"))
sys.path.insert(0, str(TOP / "lab"))

from netvf_lab.places import Places

ARCHIVE = "/run/initramfs"
PLACES = Places(
    version="test",
    netvfd=str(BUILD / "src/netvfd/netvfd"),
    netvf=str(BUILD / "src/netvf/netvf"),
    agent=str(BUILD / "lab/netvf-lab-agent"),
    rules=str(TOP / "etc/devd/hyperv.conf"),
    cache=str(BUILD / "vm-cache"),
    libexec=[str(BUILD / f"src/libexec/hyperv_vf{what}") for what in ("attach", "up")],
)
