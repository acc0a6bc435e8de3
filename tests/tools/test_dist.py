# SPDX-License-Identifier: BSD-2-Clause
"""What `meson install` puts where, and whether systemd understands the units."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NETVF_BUILD", TOP / "build"))

INSTALLED = {
    "etc/apparmor.d/netvfd",
    "etc/netvf/devd.conf",
    "etc/netvf/devd/hyperv.conf",
    "etc/netvf/rc.conf",
    "usr/bin/netvf",
    "usr/libexec/hyperv/hyperv_vfattach",
    "usr/libexec/hyperv/hyperv_vfup",
    "usr/lib/systemd/network/00-netvf.network",
    "usr/lib/udev/rules.d/80-netvf.rules",
    "usr/lib/udev/rules.d/91-netvf.rules",
    "usr/libexec/netvf/netvf_actions",
    "usr/libexec/netvf/netvf_class_net",
    "usr/libexec/netvf/netvf_park",
    "usr/libexec/netvf/netvf_udev",
    "usr/sbin/netvfd",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", root],
                   check=True, stdout=subprocess.DEVNULL)
    return root


def paths(root):
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}


def test_installs_every_face(installed):
    assert INSTALLED <= paths(installed)


def test_installs_nothing_by_accident(installed):
    """Besides the faces: manual pages, a sample, units, the lab. No test, no library, no header."""
    allowed = re.compile(r"usr/share/(man/man\d/|doc/netvf/)|(usr/)?lib/systemd/system/"
                         r"|usr/(bin/netvf-lab$|libexec/netvf/|share/netvf/lab/)")
    assert [p for p in sorted(paths(installed) - INSTALLED) if not allowed.match(p)] == []


def test_every_program_and_file_format_has_a_manual_page(installed):
    pages = {p.name for p in installed.rglob("usr/share/man/man*/*")}
    assert {"netvfd.8", "netvf.1", "hyperv_vfattach.8", "hyperv_vfup.8",
            "netvf-devd.conf.5", "netvf-rc.conf.5"} <= pages


def test_every_program_runs_from_where_it_is_installed(installed):
    """No program may need something of the build directory."""
    for path in "usr/sbin/netvfd", "usr/bin/netvf":
        dynamic = subprocess.run(["ldd", installed / path], capture_output=True, text=True)
        assert "not found" not in dynamic.stdout


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_accepts_the_units(installed, tmp_path):
    for unit in installed.rglob("systemd/system/*.*"):
        if unit.is_dir():  # of what is added to another package's unit
            continue
        text = unit.read_text().replace("/usr/", f"{installed}/usr/")
        (tmp_path / unit.name).write_text(text)
    units = sorted(tmp_path.iterdir())
    assert [u.name for u in units] == [
        "netvf-actions.service", "netvf-park.service", "netvf-unpark.service", "netvfd.service",
        "run-netvf-bpf.mount"]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units],
                          capture_output=True, text=True)
    own = [line for line in done.stderr.splitlines() if "netvf" in line]
    assert own == []
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_the_daemon_may_do_little(installed):
    """Of 100; systemd-networkd has 28 (Debian 12)."""
    unit, = installed.rglob("systemd/system/netvfd.service")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=25", unit],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_udevs_rule_runs_the_program_that_is_installed(installed):
    rules = (installed / "usr/lib/udev/rules.d/80-netvf.rules").read_text()
    program = re.search(r'(?m)IMPORT\{program\}="/(\S+) %k \$name"$', rules)[1]
    assert os.access(installed / program, os.X_OK)


def test_udev_does_not_drop_what_a_vf_has_it_run(installed):
    """RUN= drops what rules before it have added."""
    directory = installed / "usr/lib/udev/rules.d"
    rules = "".join(file.read_text() for file in sorted(directory.iterdir()))
    program, = re.findall(r'RUN\+="/(\S+) --named \$name ', rules)
    assert os.access(installed / program, os.X_OK)
    assert 0 < rules.rindex("RUN=") < rules.index("RUN+=")


def test_an_administrators_file_stays(tmp_path):
    ours, theirs = tmp_path / "rc.conf", tmp_path / "etc/rc.conf"
    ours.write_text("a=1\n")

    def install():
        subprocess.run([TOP / "tools/install-config", "/etc", ours], check=True,
                       env=dict(os.environ, DESTDIR=str(tmp_path)), stdout=subprocess.DEVNULL)

    install()
    assert theirs.read_text() == "a=1\n"
    theirs.write_text("a=mine\n")
    install()
    assert theirs.read_text() == "a=mine\n"
    assert (tmp_path / "etc/rc.conf.new").read_text() == "a=1\n"
    theirs.write_text("a=1\n")
    install()
    assert sorted(p.name for p in theirs.parent.iterdir()) == ["rc.conf"]


SEED_RULES = [
    ("10", {"system": "DEVFS", "subsystem": "CDEV", "type": "CREATE", "cdev": "hv_kvp_dev"},
     "/usr/sbin/hv_kvp_daemon"),
    ("10", {"system": "DEVFS", "subsystem": "CDEV", "type": "DESTROY", "cdev": "hv_kvp_dev"},
     "pkill -x hv_kvp_daemon"),
    ("11", {"system": "DEVFS", "subsystem": "CDEV", "type": "CREATE", "cdev": "hv_fsvss_dev"},
     "/usr/sbin/hv_vss_daemon"),
    ("11", {"system": "DEVFS", "subsystem": "CDEV", "type": "DESTROY", "cdev": "hv_fsvss_dev"},
     "pkill -x hv_vss_daemon"),
    ("10", {"system": "HYPERV_NIC_VF", "type": "VF_UP"},
     "/usr/libexec/hyperv/hyperv_vfup $subsystem"),
    ("10", {"system": "ETHERNET", "type": "IFATTACH"},
     "/usr/libexec/hyperv/hyperv_vfattach $subsystem 0"),
]


def test_shipped_rules_are_freebsds():
    """But for the question whether systemd starts the daemon."""
    text = re.sub(r"#.*", "", (TOP / "etc/devd/hyperv.conf").read_text())
    rules = [
        (priority, dict(re.findall(r'match\s+"(.*?)"\s+"(.*?)"', body)),
         re.search(r'action "(.*?)"', body, re.DOTALL)[1].split("|| exec ")[-1])
        for priority, body in re.findall(r"notify (\d+) \{(.*?)\};", text, re.DOTALL)]
    assert rules == SEED_RULES
