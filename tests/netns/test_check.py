# SPDX-License-Identifier: BSD-2-Clause
"""netvfd --check: every fault with its place, and nothing executed."""

import subprocess

import pytest
from harness import BUILD, TOP


def check(*argv):
    return subprocess.run([BUILD / "src/netvfd/netvfd", "--check", *argv], capture_output=True,
                          text=True, timeout=20)


def check_texts(tmp_path, rules="", rcconf=""):
    (tmp_path / "devd.conf").write_text(rules)
    (tmp_path / "rc.conf").write_text(rcconf)
    return check("-f", tmp_path / "devd.conf", "-c", tmp_path / "rc.conf")


@pytest.mark.parametrize("rules,rcconf,place", [
    ('notify 10 { match "a" "("; };', "", "devd.conf:1:"),
    ('notify 10 {\n match "a" "b";\n', "", "devd.conf:"),
    ("notify { };", "", "devd.conf:1:"),
    ("", 'ifconfig_hn0="inet 192.0.2.1/24"\nx="$(reboot)"\n', "rc.conf:2:"),
    ("", "`reboot`\n", "rc.conf:1:"),
    ("", 'hyperv_vf_delay="soon"\n', "rc.conf:1"),
])
def test_each_fault_has_its_place(tmp_path, rules, rcconf, place):
    checked = check_texts(tmp_path, rules, rcconf)
    assert checked.returncode == 1
    assert f"{tmp_path}/{place}" in checked.stderr


def test_unknown_key_is_a_warning_with_the_nearest(tmp_path):
    checked = check_texts(tmp_path, rcconf='netvf_pears="hn0:vf0"\n')
    assert checked.returncode == 0
    assert "netvf_pairs" in checked.stderr


def test_unreadable_file_is_named(tmp_path):
    checked = check("-f", tmp_path / "none")
    assert checked.returncode == 1
    assert f"{tmp_path}/none" in checked.stderr


@pytest.mark.parametrize("rules", ["etc/devd.conf", "etc/devd/hyperv.conf"])
def test_shipped_files_are_good(tmp_path, rules):
    checked = check("-f", TOP / rules, "-c", TOP / "etc/rc.conf")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_seed_is_good():
    seed = TOP.parent / "shared/seed/hyperv.conf"
    if not seed.exists():
        pytest.skip("the seed's rules file is not beside this checkout")
    assert check("-f", seed).returncode == 0


HYPERV_ATTACH = """\
notify 10 {
    match "system"        "ETHERNET";
    match "type"        "IFATTACH";
    match "vm_guest"    "hv";
    action "/usr/libexec/hyperv/hyperv_vfattach $subsystem 0";
};
"""


def test_a_rule_for_another_hypervisor_is_a_warning(tmp_path):
    checked = check_texts(tmp_path, HYPERV_ATTACH, 'netvf_vm_guest="kvm"\n')
    assert checked.returncode == 0
    assert checked.stderr.startswith(f"{tmp_path}/devd.conf:4:25: warning: ")
    assert "vm_guest is kvm" in checked.stderr


def test_a_rule_for_this_hypervisor_is_none(tmp_path):
    checked = check_texts(tmp_path, HYPERV_ATTACH, 'netvf_vm_guest="hv"\n')
    assert (checked.returncode, checked.stderr) == (0, "")
