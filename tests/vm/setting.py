# SPDX-License-Identifier: BSD-2-Clause
"""Where the programs are that the guest runs, and what it boots from."""

import os
import pathlib
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NETVF_BUILD", TOP / "build"))
sys.path.insert(0, str(TOP / "lab"))

from netvf_lab.places import Places

ARCHIVE = "/run/initramfs"
PLACES = Places.of_build(TOP, BUILD)
# What other tests show in part is left out of the check that everybody waits for.
long = pytest.mark.skipif(
    not os.environ.get("NETVF_LONG"), reason="a minute or more of a guest; with NETVF_LONG=1")
# The oldest kernel that netvf is for, and Debian's newest.
ENDS = ("5.10", "debian:trixie-backports")
