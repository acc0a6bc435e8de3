# SPDX-License-Identifier: BSD-2-Clause
"""What the guest is made of that is not ours: Debian's kernel and busybox.

The packages are downloaded and unpacked into a directory, once; nothing is installed.
NETVF_LAB_KERNEL: a kernel's package as a file, to be taken instead of Debian's of today.
"""

import fcntl
import glob
import lzma
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass

# The cloud kernel would be smaller, but has not the drivers of the network cards that QEMU has.
KERNEL = "linux-image-amd64"
BUSYBOX = "busybox-static"


class Unavailable(Exception):
    """The VM lab cannot run here; says why."""


@dataclass(frozen=True)
class Kernel:
    release: str
    image: str
    modules: str  # the directory

    def closure(self, names):
        """The modules' files, each after those that it needs; without what is built in."""
        files, built_in = {}, self._built_in()
        for directory, _, names_there in os.walk(self.modules):
            for name in names_there:
                if name.endswith((".ko", ".ko.xz")):
                    files[_underscored(name.split(".")[0])] = os.path.join(directory, name)
        order = {}

        def add(name):
            name = _underscored(name)
            if name in order or name in built_in:
                return
            if name not in files:
                raise Unavailable(f"the kernel {self.release} has no module {name}")
            files[name] = _uncompressed(files[name])
            with open(files[name], "rb") as file:
                found = re.search(rb"\0depends=([^\0]*)\0", file.read())
            for needed in found[1].decode().split(",") if found else []:
                if needed:
                    add(needed)
            order[name] = files[name]

        for name in names:
            add(name)
        return order

    def _built_in(self):
        with open(os.path.join(self.modules, "modules.builtin"), encoding="ascii") as file:
            return {_underscored(os.path.basename(line.strip())[:-3]) for line in file}


def _uncompressed(path):
    plain = path.removesuffix(".xz")
    if os.path.exists(plain):
        return plain
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), delete=False) as new:
        with lzma.open(path) as file:
            new.write(file.read())
        os.rename(new.name, plain)
    return plain


def _underscored(name):
    return name.replace("-", "_")


def _run(argv, **options):
    try:
        return subprocess.run(
            argv, check=True, text=True, stdin=subprocess.DEVNULL, capture_output=True, **options
        ).stdout
    except FileNotFoundError as error:
        raise Unavailable(f"there is no {argv[0]} here") from error
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines()
        why = lines[-1] if lines else f"status {error.returncode}"
        raise Unavailable(f"{' '.join(argv)}: {why}") from error


class Cache:
    def __init__(self, directory):
        self._directory = directory

    def kernel(self):
        given = os.environ.get("NETVF_LAB_KERNEL")
        name = f"given-{os.path.basename(given)}" if given else "linux-image-*"
        found = os.path.join(self._directory, name, "lib/modules/*")
        if not glob.glob(found):
            self._unpack(name if given else self._kernel_package(), given)
        modules = max(glob.glob(found), key=os.path.getmtime)
        release = os.path.basename(modules)
        root = os.path.dirname(os.path.dirname(os.path.dirname(modules)))
        return Kernel(release, os.path.join(root, "boot", f"vmlinuz-{release}"), modules)

    def busybox(self):
        return os.path.join(self.package(BUSYBOX), "bin/busybox")

    def package(self, name):
        """The directory that has the package's files."""
        root = os.path.join(self._directory, name)
        if not os.path.exists(root):
            self._unpack(name)
        return root

    @staticmethod
    def _kernel_package():
        """The package that the one without a version stands for today."""
        depends = _run(["apt-cache", "depends", "--important", KERNEL])
        found = re.search(r"Depends: (linux-image-[0-9]\S+)", depends)
        if not found:
            raise Unavailable(f"apt knows no package {KERNEL} (try apt-get update)")
        return found[1]

    def _unpack(self, package, archive=None):
        """Whole, or not at all: a run that was cut off leaves nothing that looks complete."""
        os.makedirs(self._directory, exist_ok=True)
        target = os.path.join(self._directory, package)
        with open(os.path.join(self._directory, "lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(target):  # another run has not fetched it meanwhile
                self._fetch(package, target, archive)

    def _fetch(self, package, target, archive):
        with tempfile.TemporaryDirectory(dir=self._directory, prefix=".new-") as new:
            if not archive:
                print(f"netvf-lab: fetching Debian's {package}", flush=True)
                _run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package],
                     cwd=new)
                archive = glob.glob(os.path.join(new, "*.deb"))[0]
            root = os.path.join(new, "root")
            _run(["dpkg-deb", "--extract", archive, root])
            os.rename(root, target)
