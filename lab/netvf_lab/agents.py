# SPDX-License-Identifier: BSD-2-Clause
"""netvf-lab-agent's processes as objects; what they do is said in agent/agent.h and its modes."""

import bisect
import json
import subprocess

from .loop import Lines, Timeout

TO_GUEST, FROM_GUEST = 0, 1
DIRECTIONS = ("to_guest", "from_guest")
HN, VF = 0, 1
PATHS = ("hn", "vf")

ANSWER_WITHIN = 30  # seconds


class Agent:
    """One process of netvf-lab-agent: commands go in, JSON lines come out."""

    def __init__(self, loop, namespace, program, *arguments):
        words = [str(word) for word in arguments]
        self._what = f"netvf-lab-agent {words[0]} ({namespace.name})"
        self._loop = loop
        self._answers = []
        self._status = None
        self._process = namespace.popen(
            [program, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._lines = Lines(loop, self._process.stdout, self._line)

    def _line(self, line):
        message = json.loads(line)
        if "exit_status" in message:  # a serial line has no other end
            self._status = message["exit_status"]
            return
        if not self.notice(message):
            self._answers.append(message)

    def notice(self, message):
        """Whether the message is no answer, but news."""
        return False

    def tell(self, command):
        try:
            self._process.stdin.write(command.encode() + b"\n")
            self._process.stdin.flush()
        except ConnectionError:
            pass  # it has ended; whoever waits for its answer is told

    def answer(self):
        """The next answer; waits for it."""
        self._loop.wait(
            lambda: self._answers or self._lines.closed or self._status is not None,
            ANSWER_WITHIN,
            f"{self._what}: an answer",
        )
        if not self._answers:
            status = self._process.wait() if self._status is None else self._status
            raise Timeout(f"{self._what} ended with status {status}")
        return self._answers.pop(0)

    def ask(self, command):
        self.tell(command)
        return self.answer()

    def close(self):
        """The end of its input ends it. Returns its exit status."""
        self._process.stdin.close()
        status = self._process.wait()
        if not self._lines.closed:
            self._loop.forget(self._process.stdout)
        self._process.stdout.close()
        return status


class Observer(Agent):
    """Tells which path carries the numbered datagrams of each direction.

    clock(at): the lab's time at a time of the agent's.
    """

    def __init__(self, loop, topology, program, to_guest_port, from_guest_port, clock):
        self._clock = clock
        self.path = [None, None]
        # Changes of path of each direction: (at, path), in nanoseconds.
        self.turns = ([], [])
        super().__init__(
            loop,
            topology.host,
            program,
            "observe",
            topology.switch.index,
            to_guest_port,
            from_guest_port,
            *(port.host_index for port in topology.hns),
        )

    def notice(self, message):
        if "dir" not in message:
            return False
        direction, path = message["dir"], message["path"]
        self.path[direction] = path
        self.turns[direction].append((self._clock(message["at"]), path))
        return True

    def packets(self):
        """How many datagrams each path has carried: [direction][path]."""
        return self.ask("packets")["packets"]

    def first(self, direction, path, since):
        """When the direction first went by the path at or after `since`; None: not yet. The guest
        may have left a VF before the host takes it."""
        turns = self.turns[direction]
        after = bisect.bisect_left(turns, (since,))
        if after and turns[after - 1][1] == path:
            return since
        for at, to in turns[after:]:
            if to == path:
                return at
        return None
