# SPDX-License-Identifier: BSD-2-Clause
"""A root file system out of Debian's packages and netvf's own, and what boots it."""

import glob
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile

from netvf_lab.vm import initramfs
from netvf_lab.vm.cache import Unavailable

OLD = "bookworm"  # Debian 12, where some names are others
SUITE = os.environ.get("NETVF_SUITE") or platform.freedesktop_os_release()["VERSION_CODENAME"]
# The DHCP client that ifupdown takes by itself.
CLIENT = "isc-dhcp-client" if SUITE == OLD else "dhcpcd-base"
PACKAGES = (
    *("systemd", "systemd-sysv", "udev", "dbus", "kmod", "netbase", "procps", "iproute2"),
    *("iputils-ping", "ifupdown", "network-manager", "systemd-resolved"),
    "apparmor",
    CLIENT,
    # netvf's, so that installing it needs no network.
    *("libbpf1", "libbsd0", "libjansson4", "libmnl0"),
    "libevent-core-2.1-7" if SUITE == OLD else "libevent-core-2.1-7t64",
)
CLOUD_PACKAGES = (*PACKAGES, "cloud-init", "netplan.io")
# What makes an initramfs, and how.
INITRAMFS_MAKERS = {
    "initramfs-tools": "mkinitramfs -o /boot/initramfs {release}",
    "dracut": "dracut --quiet --no-hostonly --kver {release} /boot/initramfs",
}
# The DHCP client that ifupdown does not take by itself, and what few systems have.
RARE_CLIENT = {OLD: "dhcpcd-base", "trixie": "isc-dhcp-client"}.get(SUITE, "udhcpc")
RARE_PACKAGES = (
    *(name for name in PACKAGES if name != CLIENT), RARE_CLIENT, "netplan.io", "connman",
)
LEFT_OUT = ("man", "doc", "locale", "info")
BOOTED_WITHIN = 400  # seconds; some 30 on a machine that has nothing else to do
SPARE = 128 << 20  # bytes, for what the guest writes

MODULES = ("virtio_blk", "crc32c_generic", "ext4", "autofs4", *initramfs.MODULES)

UNITS = "/etc/systemd/system"
CONTROL = "dev-virtio\\x2dports-control.device"
# systemd's own limit of 90 s is too short for udev on a busy machine; and then nobody obeys.
PATIENCE = """\
[Unit]
JobRunningTimeoutSec=infinity
"""

OBEY_UNIT = f"""\
[Unit]
Description=Obeys the lab
BindsTo={CONTROL}
After={CONTROL} multi-user.target

[Service]
Type=simple
StandardError=null
ExecStart=/usr/sbin/obey
"""


def _run(argv, **options):
    try:
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, **options)
    except FileNotFoundError as error:
        raise Unavailable(f"there is no {argv[0]} here") from error
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines()
        raise Unavailable(f"{argv[0]}: {lines[-1] if lines else error}") from error


def bootstrap(cache, packages):
    """The directory with Debian's packages installed; made once."""
    key = hashlib.sha256(" ".join((SUITE, *packages)).encode()).hexdigest()[:12]
    target = os.path.join(cache, f"root-{key}")
    if os.path.exists(target):
        return target
    os.makedirs(cache, exist_ok=True)
    print("fetching a Debian root file system", flush=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as new:
        root = os.path.join(new, "root")
        # What it mounts in the root is nobody else's, and goes with it, also when it is cut off.
        _run(["unshare", "--mount",
              "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory",
              f"--include={','.join(packages)}",
              # A mirror that stands still for some weeks does for a test.
              '--aptopt=Acquire::Check-Valid-Until "false"',
              *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT), SUITE, root])
        try:
            os.rename(root, target)
        except OSError:
            if not os.path.exists(target):  # nor was another process quicker
                raise
    return target


def _install(root, path, source, mode=0o755):
    target = os.path.join(root, path)
    shutil.copyfile(source, target)
    os.chmod(target, mode)


def own_initramfs(root, kernel, maker, path):
    """Has a root make an initramfs of its own, with a kernel's modules, which it then has too."""
    release, modules = kernel.release, os.path.join(root, "lib/modules", kernel.release)
    for source in kernel.closure(MODULES, initramfs.OPTIONAL).values():
        target = os.path.join(modules, os.path.relpath(source, kernel.modules))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)
    for name in glob.glob(f"{kernel.modules}/modules.builtin*"):
        shutil.copy(name, modules)
    shutil.copy(os.path.join(os.path.dirname(kernel.image), f"config-{release}"),
                os.path.join(root, "boot"))
    _run(["unshare", "--mount", "sh", "-ec",
          f"mount -t proc proc {root}/proc; mount -t sysfs sysfs {root}/sys; exec chroot {root}"
          f" sh -ec 'depmod {release}; {INITRAMFS_MAKERS[maker].format(release=release)}'"],
         env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    shutil.move(os.path.join(root, "boot/initramfs"), path)


def image(path, tree, package, places, installed, furnish=None):
    """Writes a file system: the tree, netvf's package at hand, installed or not, and what obeys the
    lab. furnish(root): puts there what else is to be there."""
    lab = os.path.dirname(initramfs.__file__)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as new:
        root = os.path.join(new, "root")
        _run(["cp", "-a", "--reflink=auto", tree, root])
        _install(root, "netvf.deb", package, 0o644)
        if installed:
            _run(["chroot", root, "dpkg", "--install", "/netvf.deb"],
                 env={"PATH": "/usr/sbin:/usr/bin", "DEBIAN_FRONTEND": "noninteractive"})
        _install(root, "usr/sbin/obey", os.path.join(lab, "obey.sh"))
        _install(root, "usr/sbin/netvf-lab-agent", places.agent)
        units = os.path.join(root, UNITS.lstrip("/"))
        with open(os.path.join(units, "obey.service"), "w", encoding="utf-8") as file:
            file.write(OBEY_UNIT)
        os.mkdir(os.path.join(units, f"{CONTROL}.d"))
        with open(os.path.join(units, f"{CONTROL}.d/lab.conf"), "w", encoding="utf-8") as file:
            file.write(PATIENCE)
        os.symlink("../obey.service", os.path.join(units, "multi-user.target.wants/obey.service"))
        if furnish:
            furnish(root)
        used = int(subprocess.run(["du", "-s", "-B1", root], check=True, capture_output=True,
                                  text=True).stdout.split()[0])
        _run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-E", "nodiscard", "-d", root,
              path, f"{(used * 5 // 4 + SPARE) // 1024}k"])


def write(root, files, links):
    """A scenario's files by path, its symbolic links."""
    for name in (*files, *links):
        path = os.path.join(root, name.lstrip("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            os.unlink(path)
        if name in links:
            os.symlink(links[name], path)
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(files[name])


def masked(*units):
    """The links that make systemd leave them alone."""
    return {f"{UNITS}/{unit}": "/dev/null" for unit in units}


def wanted(*units):
    """The links that make systemd start them."""
    return {f"{UNITS}/multi-user.target.wants/{unit}": f"/lib/systemd/system/{unit}"
            for unit in units}


def archive(path, kernel, busybox, files, links, modules=MODULES):
    """Writes the initramfs of a scenario: its files by path, its symbolic links; modules: what is
    loaded there, in this order."""
    made = initramfs.Archive()
    for name in ("dev", "proc", "sys", "root"):
        made.directory(f"/{name}")
    made.file("/bin/busybox", busybox, 0o755)
    for name in ("sh", "mount", "umount", "insmod", "cp", "switch_root"):
        made.link(f"/bin/{name}", "busybox")
    made.file("/init", os.path.join(os.path.dirname(__file__), "init.sh"), 0o755)
    initramfs.add_modules(made, kernel, modules)
    made.directory("/scenario")
    for name, text in files.items():
        made.text(f"/scenario/{name}", text)
    for name, target in links.items():
        made.link(f"/scenario/{name}", target)
    made.write(path)


def package(directory):
    """netvf's, as `make deb` leaves it."""
    found = [name for name in glob.glob(os.path.join(directory, "netvf_*.deb"))]
    if not found:
        raise Unavailable(f"there is no package of netvf in {directory} (make deb)")
    return max(found, key=os.path.getmtime)
