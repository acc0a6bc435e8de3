# SPDX-License-Identifier: BSD-2-Clause
import dataclasses
import os
import pathlib
import sys
import tempfile

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NETVF_BUILD", TOP / "build"))
sys.path.insert(0, str(TOP / "lab"))

import root
from netvf_lab import sandbox
from netvf_lab.places import Places
from netvf_lab.vm.cache import Cache, Unavailable

PLACES = Places.of_build(TOP, BUILD)
if os.environ.get("NETVF_SUITE") and not PLACES.kernel:
    PLACES = dataclasses.replace(PLACES, kernel=f"debian:{root.SUITE}")


# What each of these fixtures has of Debian's.
PACKAGES = {"debian": root.PACKAGES, "bare": root.PACKAGES, "rare": root.RARE_PACKAGES,
            "cloud": root.CLOUD_PACKAGES, "plain": root.CLOUD_PACKAGES,
            **{maker: (*root.CLOUD_PACKAGES, maker) for maker in root.INITRAMFS_MAKERS}}


@pytest.fixture(scope="session")
def made(request):
    """made(name): (kernel, busybox, image), with netvf's package installed in the image;
    made(name, furnish): and furnished, by furnish(root, kernel). What is Debian's has been fetched;
    from now on the machine's own network is out of reach."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to make network namespaces")
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("there is no /dev/net/tun here, so QEMU can have no network")
    wanted = {name for item in request.session.items for name in item.fixturenames}
    wanted |= {item.callspec.params.get("maker") for item in request.session.items
               if hasattr(item, "callspec")}
    try:
        package = root.package(str(BUILD / "deb"))
        cache = Cache(PLACES)
        cache.qemu()
        kernel, busybox = cache.kernel(), cache.busybox()
        trees = {name: root.bootstrap(PLACES.cache, packages)
                 for name, packages in PACKAGES.items() if name in wanted}
    except Unavailable as why:
        pytest.skip(str(why))
    sandbox.isolate()

    with tempfile.TemporaryDirectory(dir=BUILD, prefix=".images-") as images:

        def make(name, furnish=None):
            image = os.path.join(images, name)
            root.image(image, trees[name], package, PLACES, name not in ("plain", "bare"),
                       furnish and (lambda top: furnish(top, kernel)))
            return kernel, busybox, image

        yield make


@pytest.fixture(scope="session")
def debian(made):
    return made("debian")


@pytest.fixture(scope="session")
def bare(made):
    """The same, with netvf's package at hand, and not installed."""
    return made("bare")


@pytest.fixture(scope="session")
def rare(made):
    """With another DHCP client, netplan and connman."""
    return made("rare")


@pytest.fixture(scope="session")
def cloud(made):
    """With cloud-init and netplan."""
    return made("cloud")


@pytest.fixture(scope="session")
def plain(made):
    """The same without netvf."""
    return made("plain")
