# SPDX-License-Identifier: BSD-2-Clause
"""tools/conventions must find each breach, at its line, and nothing in a tree that has none."""

import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
SPDX = "/* SPDX-License-Identifier: BSD-2-Clause */\n"
HASH = "# SPDX-License-Identifier: BSD-2-Clause\n"
MARK = "TO" "DO"


def conventions(tmp_path, path, text):
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return subprocess.run(
        [TOP / "tools/conventions", "--root", tmp_path], capture_output=True, text=True)


def function(name, lines, before="static "):
    """A function of so many lines, signature and braces included."""
    return f"{before}int {name}(void)\n{{\n" + "\treturn 0;\n" * (lines - 3) + "}\n"


def body(line):
    return SPDX + f"static int f(void)\n{{\n\t{line}\n}}\n"


ENUM = "enum nv_tea { NV_GREEN, NV_BLACK };\n"


def switch(labels):
    return f"static void f(int x)\n{{\n\tswitch (x) {{\n{labels}\t}}\n}}\n"


BAD = {
    "long file": ("src/base/a.c", SPDX + "\n" * 999, 1000, "divide it"),
    "no last newline": ("src/base/a.c", SPDX + "int a;", 2, "no newline"),
    "trailing space": ("src/base/a.c", SPDX + "int a; \n", 2, "white space"),
    "wide line": ("src/base/a.c", SPDX + f"/* {'x' * 95} */\n", 2, "100 columns"),
    "no licence": ("src/base/a.c", "int a;\n", 1, "SPDX"),
    "script without licence": ("tools/a", "#!/bin/sh\ntrue\n", 2, "SPDX"),
    "mark": ("README.md", f"a\n{MARK}: b\n", 2, "finish it"),
    "machine path": ("README.md", "see /ho" "me/me/netvf\n", 1, "machine"),
    "other python": ("tools/a", "#!/usr/bin/env python3\n" + HASH, 1, "Debian"),
    "long function": ("src/base/a.c", SPDX + function("f", 60), 2, "60 lines"),
    "public name": ("src/base/a.c", SPDX + function("f", 5, ""), 2, "nv_"),
    "system": ("src/devd/a.c", body("return system(1);"), 4, "shell"),
    "strcpy": ("src/devd/a.c", body("strcpy(a, b);"), 4, "nv_strcopy"),
    "assert_in_range": ("tests/unit/a.c", body("assert_in_range(a, 1, 2);"), 4, "cmocka 2"),
    "goto": ("src/devd/a.c", body("goto out;"), 4, "cleanup"),
    "cleanup": ("src/devd/a.c", body("__attribute__((cleanup(f_auto))) int f;"), 4, "NV_AUTO"),
    "sleep in C": ("tests/unit/a.c", body("usl" "eep(1);"), 4, "deadline"),
    "sleep in Python": ("tests/netns/test_a.py", HASH +
                        "import time\n\n\ndef test_a():\n    time.sl" "eep(1)\n", 6, "deadline"),
    "default": ("src/base/a.c", SPDX + ENUM + switch("\tcase NV_GREEN:\n\tdefault:\n\t\tbreak;\n"),
                7, "name every value"),
    "no pragma": ("src/base/a.h", SPDX, 1, "pragma"),
    "no comment": (
        "src/base/a.h", SPDX + "#pragma once\n\nint nv_a(int b,\n\tint c);\n", 4, "comment"),
    "wrong include": ("src/base/a.c", SPDX + '#include "kernel/kernel.h"\n', 2, "may not include"),
    "pure include": ("src/pair/a.c", SPDX + '#include "kernel/kernel.h"\n', 2, "may not include"),
    "library": ("src/devd/a.c", SPDX + "#include <libmnl/libmnl.h>\n", 2, "only kernel"),
    "split message": (
        "src/base/a.c", body('nv_err("cannot read %s: "\n\t\t"%s", a, b);'), 4, "one literal"),
    "result alone": ("src/base/a.c", body("if (r)"), 4, "r < 0"),
    "no result": ("src/base/a.c", body("if (a && !r)"), 4, "r == 0"),
    "result chosen by": ("src/base/a.c", body("return r ? r : b;"), 4, "r < 0"),
    "result that is not 0": ("src/base/a.c", body("a = r != 0;"), 4, "r < 0"),
    "call alone": ("src/base/a.c", body("if (f(a, (b)))"), 4, "f() as a truth value"),
    "no call": ("src/base/a.c", body("return !f(a) == b;"), 4, "f() as a truth value"),
    "call among others": ("src/base/a.c", body("a = f(b) && c;"), 4, "f() as a truth value"),
    "new directory": ("src/attic/a.c", SPDX, 1, "unknown directory"),
}


@pytest.mark.parametrize("name", BAD)
def test_finds(tmp_path, name):
    path, text, line, words = BAD[name]
    result = conventions(tmp_path, path, text)
    assert result.returncode == 1
    reports = result.stdout.splitlines()
    assert len(reports) == 1, reports
    assert reports[0].startswith(f"{path}:{line}: ")
    assert words in reports[0]


GOOD = {
    "compared results": ("src/base/a.c", body(
        "if (r < 0 && f(r) < 0 && r != -EPERM && !a->r && g(r) && (c = f(r)) > 1)")),
    "function of 59 lines": ("src/base/a.c", SPDX + function("f", 59)),
    "strcpy in a test": ("tests/unit/a.c", body("strcpy(a, b);")),
    "main": ("src/netvf/a.c", SPDX + function("main", 5, "")),
    "wide literal": ("src/base/a.c", SPDX + f'static const char a[] = "{"x" * 100}";\n'),
    "text of two lines": (
        "src/base/a.c", body('puts("one\\n"\n\t\t"two\\n");')),
    "split in a comment": ("src/base/a.c", SPDX + '/* "a"\n "b" */\n'),
    "names in comments and strings": (
        "src/base/a.c", SPDX + '/* system("a"); goto a; */\n'
        'static const char a[] = "system(1)";\n'),
    "default over numbers": (
        "src/base/a.c", SPDX + ENUM + switch("\tcase AF_INET:\n\tdefault:\n\t\tbreak;\n")),
    "default of an inner switch": (
        "src/base/a.c", SPDX + ENUM + switch(
            "\tcase NV_GREEN:\n\t\tswitch (y) {\n"
            "\t\tcase 1:\n\t\tdefault:\n\t\t\tbreak;\n\t\t}\n")),
    "comments of all kinds": (
        "src/base/a.h", SPDX + "#pragma once\n\n/* Makes it. */\nint nv_a(void);\nint nv_b(void);\n"
        "\nint nv_c(void); /* the third */\n\nvoid nv_x_auto(void *x);\n"),
    "the helper that polls": (
        "tests/netns/a.py", HASH +
        "import time\n\n\ndef wait_until(predicate):\n    time.sl" "eep(1)\n"),
    "types of another directory": ("src/pair/a.c", SPDX + '#include "kernel/types.h"\n'),
    "fuzzing input": ("tests/fuzz/corpus/conf/1", f"{MARK} "),
}


@pytest.mark.parametrize("name", GOOD)
def test_accepts(tmp_path, name):
    result = conventions(tmp_path, *GOOD[name])
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_finds_a_name_twice(tmp_path):
    (tmp_path / "src/base").mkdir(parents=True)
    (tmp_path / "src/base/b.c").write_text(SPDX + function("walk", 5) + function("main", 5, ""))
    result = conventions(tmp_path, "src/loop/a.c", SPDX + function("walk", 5) +
                         function("main", 5, ""))
    assert result.stdout == "src/loop/a.c:2: walk() is another function in src/base/b.c\n"


def test_finds_a_circle(tmp_path):
    (tmp_path / "src/base").mkdir(parents=True)
    for name, include in (("a.h", ""), ("a.c", "a b"), ("b.h", "c"), ("c.h", ""), ("c.c", "c a")):
        lines = "".join(f'#include "base/{word}.h"\n' for word in include.split())
        pragma = "#pragma once\n" if name.endswith("h") else ""
        (tmp_path / "src/base" / name).write_text(SPDX + pragma + lines)
    result = conventions(tmp_path, "src/base/d.c", SPDX + '#include "base/a.h"\n')
    circle = "src/base/a -> src/base/b -> src/base/c -> src/base/a"
    assert result.stdout == f"src:1: they include each other: {circle}\n"
    (tmp_path / "src/base/c.c").unlink()
    assert conventions(tmp_path, "src/base/e.c", SPDX).returncode == 0


def test_finds_directories_that_include_each_other(tmp_path):
    (tmp_path / "src/kernel").mkdir(parents=True)
    (tmp_path / "src/kernel/types.h").write_text(SPDX + "#pragma once\n")
    (tmp_path / "src/kernel/a.c").write_text(SPDX + '#include "pair/b.h"\n')
    result = conventions(tmp_path, "src/pair/b.h", SPDX +
                         '#pragma once\n#include "kernel/types.h"\n')
    assert "src:1: they include each other: kernel -> pair -> kernel\n" in result.stdout


def test_finds_a_permission_that_nobody_uses(tmp_path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/conventions").write_text(HASH)
    result = conventions(tmp_path, "src/event/a.c", SPDX + '#include "base/str.h"\n')
    assert "src/event does not" not in result.stdout
    assert "src/loop does not use its permission for base" in result.stdout
