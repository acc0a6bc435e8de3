# SPDX-License-Identifier: BSD-2-Clause
"""What the lab boots that is not ours: Debian's kernel and busybox, and another QEMU than this
machine's. Packages are downloaded and unpacked into a directory, once; nothing is installed.

Which kernel and which QEMU is said in words (see kernel() and qemu()). What was found for a word is
kept under it: remove the directory to have it looked for again.
"""

import fcntl
import glob
import lzma
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field

from . import debian
from .debian import SUITES, Suite, Unavailable

__all__ = ["Cache", "Emulator", "Kernel", "Unavailable"]

# The cloud kernel would be smaller, but has not the drivers of the network cards that QEMU has.
KERNEL = "linux-image-amd64"
KERNEL_NAME = re.compile(r"linux-image-(\d+(?:\.\d+)*)\S*-amd64$")
VARIANT = re.compile(r"-(cloud|rt|unsigned|dbg|headers)\b")
# From Linux 6.19 on the image's package is empty, and needs these.
KERNEL_PARTS = re.compile(r"linux-(binary|modules|base)-\d")
BUSYBOX = "busybox-static"
QEMU = "qemu-system-x86"
PROGRAM = "qemu-system-x86_64"


@dataclass(frozen=True)
class Emulator:
    """argv: the words before QEMU's options; env: what is to be in its environment."""

    argv: list
    env: dict = field(default_factory=dict)

    def version(self):
        told = subprocess.run(
            [*self.argv, "--version"], env={**os.environ, **self.env},
            capture_output=True, text=True, check=False,
        ).stdout.splitlines()
        return told[0] if told else ""

    @classmethod
    def unpacked(cls, root):
        """With its own loader and libraries: this machine's may be older."""
        libraries = [
            f"{root}/usr/lib/x86_64-linux-gnu", f"{root}/lib/x86_64-linux-gnu",
            f"{root}/usr/lib/x86_64-linux-gnu/pulseaudio",
        ]
        firmware = [path for name in ("qemu", "seabios")
                    if os.path.isdir(path := f"{root}/usr/share/{name}")]
        loader = next(
            (path for lib in ("usr/lib64", "lib64", "usr/lib/x86_64-linux-gnu",
                              "lib/x86_64-linux-gnu")
             if os.path.exists(path := f"{root}/{lib}/ld-linux-x86-64.so.2")), None)
        if not loader:
            raise Unavailable(f"{root} has no C library that QEMU could run with")
        return cls(
            [loader, "--library-path", ":".join(libraries), f"{root}/usr/bin/{PROGRAM}",
             *(word for path in firmware for word in ("-L", path))],
            {"QEMU_MODULE_DIR": f"{root}/usr/lib/x86_64-linux-gnu/qemu"},
        )


@dataclass(frozen=True)
class Kernel:
    release: str
    image: str
    modules: str  # the directory

    @classmethod
    def of(cls, root):
        """The newest of those whose packages' files are below a directory."""
        found = glob.glob(f"{root}/lib/modules/*") + glob.glob(f"{root}/usr/lib/modules/*")
        for modules in sorted(found, key=os.path.getmtime, reverse=True):
            release = os.path.basename(modules)
            for image in (f"{root}/boot/vmlinuz-{release}", f"{modules}/vmlinuz"):
                if os.path.exists(image):
                    return cls(release, image, modules)
        raise Unavailable(f"{root} has no kernel: no vmlinuz and modules of one release")

    def closure(self, names, optional=()):
        """The modules' files, each after those that it needs; without what is built in.

        optional: modules that a kernel may not have, as it can do without.
        """
        files, built_in = self._files(), self._built_in()
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
            if name not in optional or name in files:
                add(name)
        return order

    def _files(self):
        files = {}
        for directory, _, names in os.walk(self.modules):
            for name in names:
                if name.endswith((".ko", ".ko.xz")):
                    files[_underscored(name.split(".")[0])] = os.path.join(directory, name)
        return files

    def _built_in(self):
        try:
            with open(os.path.join(self.modules, "modules.builtin"), encoding="ascii") as file:
                return {_underscored(os.path.basename(line.strip())[:-3]) for line in file}
        except FileNotFoundError as error:
            raise Unavailable(
                f"{self.modules} has no modules.builtin: from Linux 6.19 on, it is in the package"
                f" linux-base-{self.release}"
            ) from error


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


def _numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def _is_of(version, wanted):
    """Whether 6.12.117 is of 6.12."""
    return _numbers(version)[:len(_numbers(wanted))] == _numbers(wanted)


class Cache:
    """What places.cache has, or gets. places.kernel and places.qemu: the words."""

    def __init__(self, places):
        self._directory = places.cache
        self._kernel = places.kernel
        self._qemu = places.qemu

    def kernel(self):
        """As said: "6.18", one of a suite of Debian's that has it; "debian:trixie", that suite's;
        a package's file; a directory with packages' files in it; nothing, this machine's suite's.
        """
        word = self._kernel
        if word and os.path.isdir(word):
            return Kernel.of(word)
        if word and os.path.isfile(word):
            return Kernel.of(self._given(word))
        return Kernel.of(self._found("kernel", word or "debian", self._fetch_kernel))

    def qemu(self):
        """As said: "10.0", "debian:trixie-backports", a program's path; nothing, this machine's."""
        word = self._qemu or PROGRAM
        if path := shutil.which(word):
            return Emulator([path])
        if not self._qemu:
            raise Unavailable(f"there is no {PROGRAM} here (Debian's {QEMU})")
        return Emulator.unpacked(self._found("qemu", word, self._fetch_qemu))

    def busybox(self):
        root = self.package(BUSYBOX)
        for path in (f"{root}/bin/busybox", f"{root}/usr/bin/busybox"):  # until Debian 13; since
            if os.path.exists(path):
                return path
        raise Unavailable(f"{root} has no busybox")

    def package(self, name):
        """The directory that has the package's files, of this machine's suite."""
        with self._locked():
            return self._unpacked(Suite(self._directory), name)

    def _locked(self):
        os.makedirs(self._directory, exist_ok=True)
        lock = open(os.path.join(self._directory, "lock"), "w", encoding="utf-8")
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def _unpacked(self, suite, name, also=(), whole=False):
        root = os.path.join(self._directory, f"{name}-{suite.name}" if whole else name)
        if not os.path.exists(root):
            print(f"netvf-lab: fetching Debian's {name}", flush=True)
            if whole:
                suite.fetch_all(name, root)
            else:
                suite.fetch([name, *also], root)
        return root

    def _given(self, path):
        path = os.path.abspath(path)
        root = os.path.join(self._directory, f"given-{os.path.basename(path)}")
        with self._locked():
            if not os.path.exists(root):
                with tempfile.TemporaryDirectory(dir=self._directory, prefix=".new-") as new:
                    debian.unpack([path], os.path.join(new, "root"))
                    os.rename(os.path.join(new, "root"), root)
        return root

    def _found(self, what, word, fetch):
        """What was fetched for a word, under which a link leads to it."""
        link = os.path.join(self._directory, f"{what}-{word.replace('/', '_')}")
        with self._locked():
            if not os.path.exists(link):
                root = fetch(word)
                new = f"{link}.new"
                if os.path.lexists(new):
                    os.unlink(new)
                os.symlink(os.path.basename(root), new)
                os.replace(new, link)
        return os.path.realpath(link)

    def _suites(self, word):
        """Where to look for what a word says, and which version it must be of."""
        if word == "debian":
            return [Suite(self._directory)], ""
        if word.startswith("debian:"):
            return [Suite(self._directory, word.removeprefix("debian:"))], ""
        if not re.fullmatch(r"\d+(\.\d+)*", word):
            raise Unavailable(
                f"{word}: neither a version, nor a file or directory, nor debian:SUITE"
            )
        return (Suite(self._directory, name) for name in SUITES), word

    def _fetch_kernel(self, word):
        suites, version = self._suites(word)
        for suite in suites:
            if package := self._kernel_package(suite, version):
                also = [name for name in suite.depends(package) if KERNEL_PARTS.match(name)]
                return self._unpacked(suite, package, also)
        raise Unavailable(f"no suite of Debian's has Linux {version}: {', '.join(SUITES)}")

    @staticmethod
    def _kernel_package(suite, version):
        """The newest of that version; of none, the one that KERNEL stands for today."""
        if version:
            fit = [name for name in suite.names("linux-image-")
                   if (found := KERNEL_NAME.match(name)) and not VARIANT.search(name)
                   and _is_of(found[1], version)]
            return max(fit, key=_numbers, default=None)
        for package in suite.depends(KERNEL):
            if KERNEL_NAME.match(package):
                return package
        raise Unavailable(f"apt knows no package {KERNEL} (try apt-get update)")

    def _fetch_qemu(self, word):
        if word == "debian":
            raise Unavailable("debian: of which suite? Say debian:SUITE")
        suites, version = self._suites(word)
        for suite in suites:
            found = suite.version(QEMU)
            if found and _is_of(found.partition(":")[2] or found, version):
                return self._unpacked(suite, QEMU, whole=True)
        raise Unavailable(f"no suite of Debian's has QEMU {version}: {', '.join(SUITES)}")
