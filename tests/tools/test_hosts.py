# SPDX-License-Identifier: BSD-2-Clause
"""The examples of doc/hosts.md: valid for the host's own tools, and pairs."""

import pathlib
import subprocess
import xml.etree.ElementTree as ET

import pytest
import yaml

HOSTS = pathlib.Path(__file__).resolve().parents[2] / "doc/hosts"
XML = sorted(HOSTS.glob("*.xml"))


@pytest.mark.parametrize("path", XML, ids=lambda path: path.stem)
def test_xml_is_valid_for_libvirt(path):
    done = subprocess.run(["virt-xml-validate", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [path for path in XML if ET.parse(path).getroot().tag == "domain"],
                         ids=lambda path: path.stem)
def test_domain_has_a_pair(path):
    hn, vf = ET.parse(path).getroot().findall("devices/interface")
    assert hn.find("mac").get("address") == vf.find("mac").get("address")
    assert hn.find("model").get("type") == "virtio"
    pool = ET.parse(HOSTS / "libvirt-network.xml").getroot()
    assert vf.find("source").get("network") == pool.findtext("name")
    assert pool.find("forward").get("mode") == "hostdev"


def test_kubevirt_has_a_pair():
    machine = yaml.safe_load((HOSTS / "kubevirt.yaml").read_text())
    spec = machine["spec"]["template"]["spec"]
    hn, vf = spec["domain"]["devices"]["interfaces"]
    assert hn["macAddress"] == vf["macAddress"]
    assert hn["model"] == "virtio" and "sriov" in vf
    assert [network["name"] for network in spec["networks"]] == [hn["name"], vf["name"]]


def test_every_example_is_linked():
    page = (HOSTS.parent / "hosts.md").read_text()
    for path in HOSTS.iterdir():
        assert f"(hosts/{path.name})" in page
