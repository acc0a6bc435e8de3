# SPDX-License-Identifier: BSD-2-Clause
"""Which kernel and which QEMU a word stands for; packages' layouts of different releases."""

import dataclasses
import lzma
import os
import pathlib
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "lab"))

from netvf_lab.places import Places
from netvf_lab.vm import cache as cache_module
from netvf_lab.vm.cache import Cache, Kernel, Unavailable

SUITES = {
    "bullseye": ["linux-image-5.10.0-30-amd64", "linux-image-5.10.0-32-amd64",
                 "linux-image-5.10.0-32-cloud-amd64", "linux-image-5.10.0-32-rt-amd64"],
    "trixie": ["linux-image-6.12.9+deb13-amd64", "linux-image-6.12.107+deb13-amd64"],
    "forky": ["linux-image-7.2.12+deb14-amd64"],
}
PARTS = ["linux-binary-7.2.12+deb14-amd64", "linux-modules-7.2.12+deb14-amd64",
         "linux-base-7.2.12+deb14-amd64"]
QEMUS = {"bullseye": "1:5.2+dfsg-11", "trixie": "1:10.0.13+ds-0", "forky": "1:11.1.2+ds-3"}


def module(name, needs=""):
    return b"\x7fELF\0name=" + name.encode() + b"\0depends=" + needs.encode() + b"\0"


def kernel_files(root, release, lib, image, built_in=("ext4",), packed=False):
    directory = root / lib / "modules" / release
    (directory / "kernel").mkdir(parents=True)
    for name, needs in (("e1000e", ""), ("net-failover", "failover"), ("failover", "")):
        path = directory / "kernel" / (f"{name}.ko.xz" if packed else f"{name}.ko")
        data = module(name, needs)
        path.write_bytes(lzma.compress(data) if packed else data)
    (directory / "modules.builtin").write_text("".join(f"k/{name}.ko\n" for name in built_in))
    path = root / image.format(release)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")


class FakeSuite:
    """Stands for apt and its lists."""

    fetched = []

    def __init__(self, directory, name=None):
        self.name = name

    def names(self, prefix):
        return SUITES.get(self.name, [])

    def version(self, package):
        return QEMUS.get(self.name)

    def depends(self, package):
        parts = PARTS if self.name == "forky" else []
        return [*parts, *SUITES[self.name][-1:], "kmod"]

    def fetch(self, packages, target):
        self.fetched.append((self.name, *packages))
        release = packages[0].removeprefix("linux-image-")
        kernel_files(pathlib.Path(target), release, "usr/lib", "boot/vmlinuz-{}")

    def fetch_all(self, package, target):
        self.fetched.append((self.name, package))
        library = pathlib.Path(target) / "usr/lib64"
        library.mkdir(parents=True)
        (library / "ld-linux-x86-64.so.2").touch()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "Suite", FakeSuite)
    monkeypatch.setattr(FakeSuite, "fetched", [])
    places = dataclasses.replace(
        Places.of_build(TOP, tmp_path), cache=str(tmp_path / "cache"), kernel=None, qemu=None)
    return lambda **words: Cache(dataclasses.replace(places, **words))


@pytest.mark.parametrize("word, release, packages", [
    ("5.10", "5.10.0-32-amd64", ("bullseye", "linux-image-5.10.0-32-amd64")),
    ("5", "5.10.0-32-amd64", ("bullseye", "linux-image-5.10.0-32-amd64")),
    ("6.12", "6.12.107+deb13-amd64", ("trixie", "linux-image-6.12.107+deb13-amd64")),
    ("6.12.9", "6.12.9+deb13-amd64", ("trixie", "linux-image-6.12.9+deb13-amd64")),
    ("debian:forky", "7.2.12+deb14-amd64", ("forky", "linux-image-7.2.12+deb14-amd64", *PARTS)),
    ("7.2", "7.2.12+deb14-amd64", ("forky", "linux-image-7.2.12+deb14-amd64", *PARTS)),
])
def test_a_kernel_by_its_version_or_suite_is_fetched_once(cache, word, release, packages):
    for _ in range(2):
        assert cache(kernel=word).kernel().release == release
        assert FakeSuite.fetched == [packages]


@pytest.mark.parametrize("word, suite", [("10", "trixie"), ("debian:forky", "forky")])
def test_a_qemu_by_its_version_or_suite_has_its_own_loader(cache, word, suite):
    for _ in range(2):
        emulator = cache(qemu=word).qemu()
        assert emulator.argv[0].endswith("/usr/lib64/ld-linux-x86-64.so.2")
        assert FakeSuite.fetched == [(suite, "qemu-system-x86")]


@pytest.mark.parametrize("directory", ["bin", "usr/bin"])
def test_busybox_is_where_its_package_has_it(cache, tmp_path, directory):
    program = tmp_path / "cache/busybox-static" / directory / "busybox"
    program.parent.mkdir(parents=True)
    with pytest.raises(Unavailable, match="has no busybox"):
        cache().busybox()
    program.touch()
    assert cache().busybox() == str(program)


@pytest.mark.parametrize("words", [
    {"kernel": "4.19"}, {"kernel": "6.1x"}, {"kernel": "/nowhere"},
    {"qemu": "9"}, {"qemu": "/nowhere/qemu"}, {"qemu": "debian"}])
def test_what_is_not_there_is_said(cache, words):
    with pytest.raises(Unavailable):
        cache(**words).kernel() if "kernel" in words else cache(**words).qemu()


def test_a_program_is_taken_as_it_is(cache, tmp_path):
    program = tmp_path / "my-qemu"
    program.touch(mode=0o755)
    assert cache(qemu=str(program)).qemu().argv == [str(program)]


@pytest.mark.parametrize("lib, image, packed", [
    ("lib", "boot/vmlinuz-{}", False),  # Linux 5.10
    ("usr/lib", "boot/vmlinuz-{}", True),  # 6.12
    ("usr/lib", "usr/lib/modules/{}/vmlinuz", True),  # 6.19
])
def test_a_directory_of_each_layout(cache, tmp_path, lib, image, packed):
    root = tmp_path / "root"
    kernel_files(root, "1.2.3-amd64", lib, image, packed=packed)
    kernel = cache(kernel=str(root)).kernel()
    assert kernel.release == "1.2.3-amd64" and os.path.exists(kernel.image)
    modules = kernel.closure(["net_failover", "ext4"])
    assert list(modules) == ["failover", "net_failover"]
    assert pathlib.Path(modules["failover"]).read_bytes() == module("failover")


def test_modules_that_a_kernel_has_not(tmp_path):
    kernel_files(tmp_path, "1.2.3-amd64", "lib", "boot/vmlinuz-{}")
    kernel = Kernel.of(str(tmp_path))
    assert not kernel.closure(["crc32c_generic"], optional=["crc32c_generic"])
    with pytest.raises(Unavailable, match="has no module crc32c_generic"):
        kernel.closure(["crc32c_generic"])


def test_a_directory_without_a_whole_kernel(cache, tmp_path):
    with pytest.raises(Unavailable, match="has no kernel"):
        cache(kernel=str(tmp_path)).kernel()
    kernel_files(tmp_path, "6.19.1-amd64", "usr/lib", "boot/vmlinuz-{}")
    (tmp_path / "usr/lib/modules/6.19.1-amd64/modules.builtin").unlink()
    with pytest.raises(Unavailable, match="linux-base-6.19.1-amd64"):
        cache(kernel=str(tmp_path)).kernel().closure(["e1000e"])
