# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NETVF_BUILD", TOP / "build"))
sys.path.insert(0, str(TOP / "lab"))

import root
from netvf_lab import sandbox
from netvf_lab.places import Places
from netvf_lab.vm.cache import Cache, Unavailable

PLACES = Places.of_build(TOP, BUILD)


@pytest.fixture(scope="session")
def debian():
    """(kernel, busybox, image): Debian's, with netvf's package installed in the image. From here on
    the machine's own network is out of reach."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to make network namespaces")
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("there is no /dev/net/tun here, so QEMU can have no network")
    image = str(BUILD / "managers.ext4")
    try:
        package = root.package(str(BUILD / "deb"))
        cache = Cache(PLACES)
        cache.qemu()
        found = cache.kernel(), cache.busybox(), image
        root.image(image, root.bootstrap(PLACES.cache), package, PLACES)
    except Unavailable as why:
        pytest.skip(str(why))
    sandbox.isolate()
    yield found
    os.unlink(image)
