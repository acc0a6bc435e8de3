# SPDX-License-Identifier: BSD-2-Clause
import os

import pytest
from setting import ARCHIVE, PLACES

from netvf_lab import sandbox
from netvf_lab.vm import initramfs, qemu
from netvf_lab.vm.cache import Cache, Unavailable


@pytest.fixture(scope="session")
def kernel():
    """What the guest boots; from here on the machine's own network is out of reach."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to make network namespaces")
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("there is no /dev/net/tun here, so QEMU can have no network")
    try:
        qemu.find()
        cache = Cache(PLACES.cache)
        found, busybox = cache.kernel(), cache.busybox()
    except Unavailable as why:
        pytest.skip(str(why))
    sandbox.isolate()
    initramfs.build(ARCHIVE, PLACES, found, busybox)
    return found
