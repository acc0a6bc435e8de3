# SPDX-License-Identifier: BSD-2-Clause
"""Which scenarios of a peer share a guest, without guests."""

import contextlib
import pathlib
import sys
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lab"))
from netvf_lab.loop import Timeout
from netvf_lab.vm import command, run

ARGUMENTS = SimpleNamespace(gone=["acpi", "pcie", "unbind"], rules=None, cycles=1, pps=1, size=1,
                            dwell=1, back="same", vf=None)


class Run:
    """A scenario; `kept` are those after which the guest does not let go of the VF."""

    kept = failed = ()

    def __init__(self, options, session):
        self.gone, self.guest = options.detach, session
        self.failure = "it fails" if self.gone in self.failed else None

    def run(self):
        pass

    def clear(self):
        if self.gone in self.kept:
            raise Timeout("the guest lets go of the VF: not within 30 s")


@pytest.mark.parametrize("kept,failed,guests", [((), (), [1, 1, 1]),
                                                (("acpi",), (), [1, 2, 2]),
                                                (("acpi", "pcie"), (), [1, 2, 3]),
                                                ((), ("pcie",), [1, 1, 2])])
def test_a_guest_that_keeps_the_vf_costs_no_scenario(monkeypatch, kept, failed, guests):
    monkeypatch.setattr(run, "VmRun", Run)
    monkeypatch.setattr(Run, "kept", kept)
    monkeypatch.setattr(Run, "failed", failed)
    booted = []

    def boot(peer):
        booted.append(peer)
        return contextlib.nullcontext(len(booted))

    peer = SimpleNamespace(has_vf=True)
    runs = list(command._round(ARGUMENTS, peer, boot))
    assert [one.gone for one in runs] == ARGUMENTS.gone
    assert [one.guest for one in runs] == guests
