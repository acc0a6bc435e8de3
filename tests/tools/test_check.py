# SPDX-License-Identifier: BSD-2-Clause
"""tools/check must never call a broken suite a success."""

import importlib.machinery
import importlib.util
import pathlib
import sys
import types

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def check():
    loader = importlib.machinery.SourceFileLoader("check", str(TOP / "tools/check"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check", loader))
    sys.modules["check"] = module  # dataclasses look their module up
    loader.exec_module(module)
    return module


REPORT = """<?xml version="1.0"?>
<testsuites><testsuite name="s">
<testcase classname="c" name="good"/>
<testcase classname="c" name="bad"><failure message="1 != 2"/></testcase>
<testcase classname="c" name="ugly"><error>
no such file
more</error></testcase>
<testcase classname="c" name="absent"><skipped message="no VLANs in this kernel"/></testcase>
<testcase classname="c" name="tap"><skipped/><system-out>1..0 # SKIP no dog</system-out></testcase>
</testsuite></testsuites>"""


def test_reads_every_outcome(check, tmp_path):
    (tmp_path / "r.xml").write_text(REPORT)
    result = check.read_junit(tmp_path / "r.xml")
    assert result.passed == 1
    assert result.failures == [("c: bad", "1 != 2"), ("c: ugly", "no such file")]
    assert result.skips == [("c: absent", "no VLANs in this kernel"), ("c: tap", "no dog")]


def shell(check, report, script, timeout=20):
    return check.junit_suite("s", ["/bin/sh", "-c", script], report, timeout)


def test_suite_that_leaves_no_report_failed(check, tmp_path):
    result = shell(check, tmp_path / "r.xml", "exit 0")
    assert [test for test, _ in result.failures] == ["s"]


def test_old_report_is_not_believed(check, tmp_path):
    (tmp_path / "r.xml").write_text("<testsuite><testcase name='old'/></testsuite>")
    result = shell(check, tmp_path / "r.xml", "exit 0")
    assert result.passed == 0 and len(result.failures) == 1


def test_bad_exit_status_fails_in_spite_of_a_good_report(check, tmp_path):
    report = tmp_path / "r.xml"
    script = f"echo \"<testsuite><testcase name='a'/></testsuite>\" >{report}; exit 3"
    result = shell(check, report, script)
    assert result.passed == 1 and len(result.failures) == 1


def test_suite_without_tests_failed(check, tmp_path):
    report = tmp_path / "r.xml"
    assert len(shell(check, report, f"echo '<testsuite/>' >{report}").failures) == 1


def test_suite_that_hangs_is_stopped_with_its_children(check, tmp_path):
    result = shell(check, tmp_path / "r.xml", "sleep 1000 & wait", timeout=0.2)
    assert any("stopped" in why for _, why in result.failures)


@pytest.mark.parametrize("result, status", [
    ({"passed": 2}, 0), ({"passed": 2, "failures": [("a", "b")]}, 1), ({}, 1)])
def test_last_line_and_exit_status(check, capfd, monkeypatch, result, status):
    monkeypatch.setitem(check.SUITES, "unit", lambda options: check.Result(**result))
    monkeypatch.setattr(sys, "argv", ["check", "--only", "unit"])
    assert check.main() == status
    out = capfd.readouterr().out
    failed = len(result.get("failures", []))
    assert out.splitlines()[-1] == f"{result.get('passed', 0)} passed, {failed} failed, 0 skipped"


def test_fuzz_target_that_crashes_failed(check, tmp_path):
    target = tmp_path / "tests/fuzz/fuzz-a"
    target.parent.mkdir(parents=True)
    target.write_text("#!/bin/sh\nexit 77\n")
    target.chmod(0o755)
    result = check.fuzz(types.SimpleNamespace(sanitize=tmp_path, fuzz_seconds=0))
    assert [test for test, _ in result.failures] == ["fuzz-a"]
