# SPDX-License-Identifier: BSD-2-Clause
"""The guest's file system: a cpio archive, of the form "newc", which is what the kernel reads."""

import glob
import os
import re
import stat
import subprocess

from ..places import LIBEXEC
from .cache import Unavailable

MODULES = (
    "virtio_pci",
    "virtio_console",
    "virtio_net",
    "e1000e",
    "e1000",
    "vmxnet3",
    "net_failover",
    "bonding",
    "dummy",
    "8021q",
    "ifb",
    "sch_ingress",
    "cls_bpf",
    "act_bpf",
)
# Not modules of their own in every kernel: crc32c is in the kernel itself since Linux 6.16 or so.
OPTIONAL = ("crc32c_generic",)
MODULE_OPTIONS = {
    # These would make devices that nobody asked for.
    "bonding": "max_bonds=0",
    "dummy": "numdummies=0",
    "ifb": "numifbs=0",
    # An emulated IOMMU does not remap the interrupts of an emulated processor of AMD's.
    "vfio_iommu_type1": "allow_unsafe_interrupts=1",
}


class Archive:
    """Files, in the order in which they are to be unpacked."""

    def __init__(self):
        self._parts = []
        self._known = set()

    def _add(self, path, mode, data=b""):
        name = path.strip("/").encode() + b"\0"
        fields = [len(self._parts) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
        self._parts.append(head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4))

    def directory(self, path):
        path = path.strip("/")
        if path in self._known or not path:
            return
        self.directory(os.path.dirname(path))
        self._known.add(path)
        self._add(path, stat.S_IFDIR | 0o755)

    def _new(self, path):
        self.directory(os.path.dirname(path))
        new = path not in self._known
        self._known.add(path)
        return new

    def link(self, path, target):
        if self._new(path):
            self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def text(self, path, text, mode=0o644):
        if self._new(path):
            self._add(path, stat.S_IFREG | mode, text.encode())

    def file(self, path, source, mode=0o644):
        if self._new(path):
            with open(source, "rb") as file:
                self._add(path, stat.S_IFREG | mode, file.read())

    def program(self, path, source):
        """A program and the libraries that it needs."""
        self.file(path, source, 0o755)
        for library in _libraries(source):
            self.file("/usr" + library if library.startswith("/lib") else library, library, 0o755)

    def write(self, path):
        self._add("TRAILER!!!", 0)
        with open(path, "wb") as file:
            file.write(b"".join(self._parts))


def _libraries(program):
    """As the dynamic loader of this machine finds them."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    if "not found" in listed:
        raise Unavailable(f"{program}: libraries are missing:\n{listed}")
    return re.findall(r"(/\S+) \(0x", listed)


def _commands(archive, busybox):
    archive.file("/usr/bin/busybox", busybox, 0o755)
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout
    for name in names.split():
        if name not in ("busybox", "ip", "sh"):
            archive.link(f"/usr/bin/{name}", "busybox")


def add_modules(archive, kernel, names):
    """With /etc/modules, which tells their order and options."""
    modules = kernel.closure(names, OPTIONAL)
    for name, source in modules.items():
        archive.file(f"/lib/modules/{name}.ko", source)
    archive.text(
        "/etc/modules", "".join(f"{name} {MODULE_OPTIONS.get(name, '')}\n" for name in modules)
    )


def build(path, places, kernel, busybox, programs=(), modules=(), files=None):
    """Writes the archive to a file. programs: more, for /usr/sbin; modules: more, by name; files:
    more, path -> source."""
    archive = Archive()
    for name in ("bin", "sbin", "lib", "lib64"):
        archive.directory(f"/usr/{name}")
        archive.link(f"/{name}", f"usr/{name}")
    for name in ("dev", "proc", "sys", "run", "tmp", "var", "etc/netvf/devd"):
        archive.directory(f"/{name}")
    archive.link("/var/run", "../run")
    for source in (places.netvfd, places.netvf, places.agent, *programs):
        archive.program(f"/usr/sbin/{os.path.basename(source)}", source)
    for source in places.libexec or glob.glob(f"{LIBEXEC}/*"):
        archive.program(f"{LIBEXEC}/{os.path.basename(source)}", source)
    archive.program("/usr/sbin/ip", "/bin/ip")
    archive.program("/usr/sbin/tc", "/sbin/tc")
    # Not busybox's, which prefers its own commands to what PATH has.
    archive.program("/usr/bin/sh", "/bin/dash")
    _commands(archive, busybox)
    archive.file("/etc/netvf/devd/hyperv.conf", places.rules)
    archive.text("/etc/netvf/devd.conf", 'options { directory "/etc/netvf/devd"; };\n')
    archive.text("/etc/passwd", "root:x:0:0::/:/bin/sh\n")
    archive.text("/etc/group", "root:x:0:\n")
    here = os.path.dirname(os.path.abspath(__file__))
    archive.file("/init", os.path.join(here, "init.sh"), 0o755)
    for name in ("obey", "on-vf", "join-bond", "hyperv-scripts", "on-lease"):
        archive.file(f"/usr/sbin/{name}", os.path.join(here, f"{name}.sh"), 0o755)
    add_modules(archive, kernel, [*MODULES, *modules])
    for name, source in (files or {}).items():
        archive.file(name, source)
    archive.write(path)
