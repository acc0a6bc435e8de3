# SPDX-License-Identifier: BSD-2-Clause
import dataclasses
import os

import pytest
import strangers
from setting import ARCHIVE, ENDS, PLACES

from netvf_lab import sandbox
from netvf_lab.sriov import command
from netvf_lab.vm import initramfs
from netvf_lab.vm.cache import Cache, Unavailable

# Of the test run: what _fetch_ends() has found.
KERNELS = pytest.StashKey()
# {fixture: PLACES with a QEMU that has an igb, or why there is none}
CARD_QEMUS = pytest.StashKey()
CARDS = {"card_places": command.QEMU, "newest_places": command.NESTED_QEMU}


def _fetch_ends():
    """{word: the kernel, or why there is none}, in addition to the one that all tests run on."""
    if PLACES.kernel:
        return dict.fromkeys(ENDS, f"the tests run on the kernel {PLACES.kernel} alone")
    found = {}
    for word in ENDS:
        try:
            found[word] = Cache(dataclasses.replace(PLACES, kernel=word)).kernel()
        except Unavailable as why:
            found[word] = f"the kernel {word} cannot be had: {why}"
    return found


def _fetch_card_qemu(word):
    places = dataclasses.replace(PLACES, qemu=PLACES.qemu or word)
    try:
        Cache(places).qemu()
    except Unavailable as why:
        return f"no QEMU with virtual functions can be had: {why}"
    return places


@pytest.fixture(scope="session")
def debian(request):
    """Of the guest, what is Debian's: the kernel, busybox, and Hyper-V's daemons. From here on the
    machine's own network is out of reach."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to make network namespaces")
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("there is no /dev/net/tun here, so QEMU can have no network")
    try:
        cache = Cache(PLACES)
        cache.qemu()
        found = cache.kernel(), cache.busybox(), cache.package("hyperv-daemons")
    except Unavailable as why:
        pytest.skip(str(why))
    ends = {}
    if any("end" in item.fixturenames for item in request.session.items):
        ends = _fetch_ends()
    cards = {name: _fetch_card_qemu(word) for name, word in CARDS.items()
             if any(name in item.fixturenames for item in request.session.items)}
    sandbox.isolate()
    request.config.stash[CARD_QEMUS] = cards
    request.config.stash[KERNELS] = ends
    return found


@pytest.fixture(params=ENDS)
def end(debian, request):
    """(kernel, archive) of the oldest and of the newest kernel."""
    found = request.config.stash[KERNELS][request.param]
    if isinstance(found, str):
        pytest.skip(found)
    archive = f"/run/initramfs-{found.release}"
    initramfs.build(archive, PLACES, found, debian[1])
    return found, archive


def _card(request):
    found = request.config.stash[CARD_QEMUS][request.fixturename]
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="session")
def card_places(debian, request):
    """PLACES with a QEMU that has a card with virtual functions."""
    return _card(request)


@pytest.fixture(scope="session")
def newest_places(debian, request):
    """The same with the newest QEMU, which has virtio's virtual functions, and with an IOMMU loses
    no interrupts of the card."""
    return _card(request)


@pytest.fixture(scope="session")
def kernel(debian):
    """What the guest boots."""
    found, busybox, _ = debian
    initramfs.build(ARCHIVE, PLACES, found, busybox, programs=(strangers.PROGRAM,))
    return found
