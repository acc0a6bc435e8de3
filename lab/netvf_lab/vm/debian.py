# SPDX-License-Identifier: BSD-2-Clause
"""Debian's packages, of this machine's release or of another one: found, fetched and unpacked into
a directory. Nothing is installed, and apt's own lists stay as they are."""

import glob
import os
import re
import subprocess
import tempfile

# Those that a kernel or a QEMU is looked for in, oldest first.
SUITES = ("bullseye", "bookworm", "bookworm-backports", "trixie", "trixie-backports", "forky")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
BACKPORTS = "-backports"


class Unavailable(Exception):
    """The VM lab cannot run here; says why."""


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


def unpack(archives, root):
    for archive in archives:
        _run(["dpkg-deb", "--extract", archive, root])


def _mirror():
    """Where this machine has Debian from."""
    lines = _run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)",
         "Created-By: Packages"]
    ).splitlines()
    for origin, codename, address in map(str.split, lines):
        if origin == "Debian" and "-" not in codename:
            return address
    raise Unavailable("apt has no lists of Debian's packages here (try apt-get update)")


class Suite:
    """One release's packages. name: "trixie"; None: what this machine's apt knows.

    directory: where apt's lists of another release are kept.
    """

    def __init__(self, directory, name=None):
        self.name = name
        self._directory = directory
        self._options = ["-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"]
        self._fresh = name is None
        if name:
            self._settle(os.path.join(directory, f"apt-{name}"))

    def _settle(self, home):
        lists, cache = os.path.join(home, "lists"), os.path.join(home, "cache")
        known = os.path.isdir(lists)
        for path in (os.path.join(lists, "partial"), os.path.join(cache, "archives/partial")):
            os.makedirs(path, exist_ok=True)
        sources = os.path.join(home, "sources.list")
        suites = [self.name.removesuffix(BACKPORTS)]
        if self.name.endswith(BACKPORTS):  # what these need besides is in the release itself
            suites.append(self.name)
        with open(sources, "w", encoding="utf-8") as file:
            for suite in suites:
                file.write(f"deb [signed-by={KEYRING}] {_mirror()} {suite} main\n")
        settings = {
            "Dir::Etc::SourceList": sources,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State::Lists": lists,
            "Dir::State::status": "/dev/null",
            "Dir::Cache": cache,
            "APT::Default-Release": self.name,
            "Debug::NoLocking": "1",
        }
        for key, value in settings.items():
            self._options += ["-o", f"{key}={value}"]
        if not known:
            self._refresh()

    def _refresh(self):
        if not self._fresh:
            _run(["apt-get", *self._options, "-o", "APT::Update::Error-Mode=any", "update"])
            self._fresh = True

    def _cache(self, *words):
        return _run(["apt-cache", *self._options, *words])

    def names(self, prefix):
        return self._cache("pkgnames", prefix).split()

    def version(self, package):
        """That would be fetched; None: there is no such package."""
        found = re.search(r"Candidate: (\d\S*)", self._cache("policy", package))
        return found[1] if found else None

    def depends(self, package):
        """What the package is nothing without."""
        return re.findall(r"Depends: (\S+)", self._cache("depends", "--important", package))

    def fetch(self, packages, target):
        """These packages' files, as one tree."""
        self._get(target, lambda new: _run(["apt-get", *self._options, "download", *packages],
                                           cwd=new))

    def fetch_all(self, package, target):
        """With all that it depends on, down to the C library. Not of this machine's release."""
        options = [*self._options, "-o", "APT::Install-Recommends=0"]

        def get(new):
            options.extend(["-o", f"Dir::Cache::archives={new}"])
            os.mkdir(os.path.join(new, "partial"))
            _run(["apt-get", *options, "-y", "--download-only", "install", package])

        self._get(target, get)

    def _get(self, target, get):
        """Whole, or not at all: a run that was cut off leaves nothing that looks complete."""
        with tempfile.TemporaryDirectory(dir=self._directory, prefix=".new-") as new:
            try:
                get(new)
            except Unavailable:
                if self._fresh:
                    raise
                self._refresh()  # what the lists of some time ago name may be gone
                get(new)
            root = os.path.join(new, "root")
            unpack(glob.glob(os.path.join(new, "*.deb")), root)
            os.rename(root, target)
