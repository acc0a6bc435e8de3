# SPDX-License-Identifier: BSD-2-Clause
import os

import pytest
from setting import ARCHIVE, PLACES

from netvf_lab import sandbox
from netvf_lab.vm import initramfs
from netvf_lab.vm.cache import Cache, Unavailable


@pytest.fixture(scope="session")
def debian():
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
    sandbox.isolate()
    return found


@pytest.fixture(scope="session")
def kernel(debian):
    """What the guest boots."""
    found, busybox, _ = debian
    initramfs.build(ARCHIVE, PLACES, found, busybox)
    return found
