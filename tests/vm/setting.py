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
PLACES = Places.of_build(TOP, BUILD)
# The oldest kernel that netvf is for, and Debian's newest.
ENDS = ("5.10", "debian:trixie-backports")
