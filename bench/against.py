#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures this build beside that of another revision, and prints the ratio of each figure.

The other revision is built once, into BUILD/bench/REVISION. Both builds have a world of their own
for each row (worker.py), in which they do the same thing in turn: old, new, new, old, and so on. A
ratio is the median of those of the pairs; beside it stand the smallest and the largest. A row that
compares two sizes compares them within the new build. What frames cost beside the bare VF follows
(bench_datapath.py).

NETVF_BENCH_PAIRS: how many pairs of measurements, 7 unless said. NETVF_BENCH_SLICES: of each form
beside the bare VF, 60 unless said. NETVF_BENCH_ROWS: only rows whose name has this in it.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import ratios

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
COUNT = int(os.environ.get("NETVF_BENCH_PAIRS", "7"))
PROGRAMS = ["src/netvfd/netvfd", "src/netvf/netvf", "src/libexec/hyperv_vfattach",
            "src/libexec/hyperv_vfup"]


@dataclass
class Row:
    """What a worker measures; `bounds`: what it calls a figure, and the largest ratio, if any."""

    name: str
    new: list
    bounds: dict
    old: list = None  # None: the same, by the old build
    rounds: int = COUNT


ROWS = [
    Row("netvfd, 64 pairs, started", ["start", 64],
        {"ready, pairs known ms": 1 / 4, "resident memory KiB": 1 / 2}),
    Row("netvfd, 250 pairs, first start", ["first", 250],
        {"ready ms": 1 / 20, "all by their VF ms": None}, rounds=3),
    Row("netvfd, 250 pairs, 250 carriers go", ["carriers", 250],
        {"followed ms": 1 / 10, "processor ms": 1 / 10}),
    Row("one switch, 1,024 pairs and 1", ["switch", 1024],
        {"switch ms": 1.2, "processor ms": 1.2}, old=["switch", 1]),
    Row("another's link event, 1,024 pairs and 1", ["event", 1024],
        {"processor ms": 1.5, "idle, processor ms a second": None}, old=["event", 1]),
    Row("1,000 new links of others, a VF behind", ["links", 1000],
        {"processor ms": 1 / 50, "VF up ms": None}, rounds=3),
    Row("hyperv_vfup, 3 addresses, 5 routes", ["vfup", 5],
        {"time ms": 1 / 3, "instructions": 1 / 3}),
    Row("hyperv_vfup, 10,000 routes", ["vfup", 10000], {"time ms": 1 / 2, "instructions": 1 / 2},
        rounds=3),
    Row("attached to first packet, lagg", ["attach", "lagg"], {"first packet ms": 1 / 3}),
    Row("attached to first packet, transparent", ["attach", "transparent"],
        {"first packet ms": 1 / 3}),
    Row("attached behind 1,000 new links, and none", ["behind", 1000], {"first packet ms": 1.5},
        old=["behind", 0]),
]
FRAMES = "beside the bare VF"


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def git(*argv):
    return subprocess.run(["git", "-C", TOP, *argv], check=True, capture_output=True,
                          text=True).stdout.strip()


def build_revision(build, revision):
    """The build directory of a revision, which is made unless it is there."""
    commit = git("rev-parse", "--verify", f"{revision}^{{commit}}")
    made = build / "bench" / commit
    if all((made / program).exists() for program in PROGRAMS):
        return made
    say(f"building {git('log', '-1', '--format=%h %s', commit)}")
    with tempfile.TemporaryDirectory() as directory:
        tree = f"{directory}/tree"
        git("worktree", "add", "--quiet", "--detach", tree, commit)
        try:
            quiet = {"check": True, "stdin": subprocess.DEVNULL, "stdout": sys.stderr}
            subprocess.run(["tools/deps"], cwd=tree, **quiet)  # it may need what is not needed now
            subprocess.run(["meson", "setup", made], cwd=tree, **quiet)
            subprocess.run(["ninja", "-C", made, *PROGRAMS], **quiet)
        finally:
            git("worktree", "remove", "--force", tree)
    return made


class Worker:
    """Measures one thing by one build, each time it is asked."""

    def __init__(self, programs, what):
        env = dict(os.environ, NETVF_BUILD=str(programs), NETVF_LAB_BUILD=str(NEW),
                   PYTHONDONTWRITEBYTECODE="1")
        self.process = subprocess.Popen(
            ["/usr/bin/python3", HERE / "worker.py", *map(str, what)], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def sample(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended with status {self.process.wait()}")
        return json.loads(line)


def measure(row, old_programs):
    """[(old's figures, new's figures), ...]"""
    say(row.name)
    beside = Worker(NEW, row.old) if row.old else Worker(old_programs, row.new)
    with beside, Worker(NEW, row.new) as new:
        taken = []
        for number in range(row.rounds):
            if number % 2:
                after = new.sample()
                taken.append((beside.sample(), after))
            else:
                before = beside.sample()
                taken.append((before, new.sample()))
    return taken


def figures(row, taken):
    for name, bound in row.bounds.items():
        yield ratios.row(f"{row.name}: {name}", [before[name] for before, _ in taken],
                         [after[name] for _, after in taken], bound)


def frames():
    """What frames cost beside the bare VF: the rows of bench_datapath.py."""
    say(FRAMES)
    env = dict(os.environ, NETVF_BUILD=str(NEW), PYTHONDONTWRITEBYTECODE="1")
    env.setdefault("NETVF_BENCH_SLICES", "60")
    done = subprocess.run(["/usr/bin/python3", HERE / "bench_datapath.py"], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(f"ended with status {done.returncode}")
    return [{**row, "name": f"{FRAMES}: {row['name']}"}
            for row in json.loads(done.stdout)["rows"]]


def main():
    old = build_revision(NEW, sys.argv[2])
    wanted = os.environ.get("NETVF_BENCH_ROWS", "")
    rows, failed = [], []
    for row in ROWS:
        if wanted not in row.name:
            continue
        try:
            rows += figures(row, measure(row, old))
        except RuntimeError as error:
            failed.append(f"{row.name}: {error}")
    if wanted in FRAMES:
        try:
            rows += frames()
        except RuntimeError as error:
            failed.append(f"{FRAMES}: {error}")
    (NEW / "bench/against.json").write_text(json.dumps({"figures": rows}, indent=2) + "\n")
    print(*ratios.table(rows), sep="\n")
    for line in failed:
        say(line)
    return 1 if failed or not all(row["ok"] for row in rows) else 0


NEW = pathlib.Path(sys.argv[1]).resolve()

if __name__ == "__main__":
    sys.exit(main())
