# SPDX-License-Identifier: BSD-2-Clause
"""The guest's inside, by its serial ports: commands, and programs that run beside them."""

import shlex
import socket

from ..loop import Timeout

BOOTED_WITHIN = 120  # seconds; some 5 on a machine that has nothing else to do
DONE_WITHIN = 60


class CommandFailed(Timeout):
    """A command in the guest ended with another status than 0."""


class Input:
    """What a program in the guest reads; its end is the port's."""

    def __init__(self, port):
        self._port = port

    def write(self, data):
        self._port.sendall(data)  # ConnectionError: there is no guest any more

    def flush(self):
        """Nothing is kept back."""

    def close(self):
        self._port.shutdown(socket.SHUT_WR)


class Process:
    """A program in the guest; to the lab it looks like one of subprocess's."""

    def __init__(self, port):
        self.stdin = Input(port)
        self.stdout = port.makefile("rb", buffering=0)

    def wait(self):
        """The line that tells the end has been read, or nobody asks."""
        return None


class Guest:
    """What namespace.Namespace is to a simulated guest. slow: how many times as long as elsewhere
    its commands may take."""

    name = "guest"

    def __init__(self, loop, wires, slow=1):
        self._slow = slow
        self._loop = loop
        self._lines = wires.ours
        self._control = wires.ours["control"]
        self._received = b""
        self._ended = False
        self._free = [name for name in wires.ours if name.startswith("port")]
        self._control.setblocking(False)
        loop.watch(self._control, self._read)

    def _read(self):
        try:
            data = self._control.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self._ended = True
            self._loop.forget(self._control)
        self._received += data

    def _await(self, ready, seconds, what):
        self._loop.wait(lambda: ready() or self._ended, seconds, f"the guest: {what}")
        if not ready():
            raise Timeout(f"the guest ended before it was done: {what}")

    def _line(self, seconds, what):
        self._await(lambda: b"\n" in self._received, seconds, what)
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()

    def await_boot(self, within=None):
        self._line(within or BOOTED_WITHIN * self._slow, "boots")

    def _tell(self, command):
        try:
            self._control.sendall(command.encode() + b"\n")
        except ConnectionError as error:
            raise Timeout(f"the guest has ended, and cannot be told: {command}") from error

    def run(self, command, check=True, within=DONE_WITHIN):
        """Runs a line of sh; returns what it wrote."""
        within *= self._slow
        self._tell(command)
        status, size = map(int, self._line(within, command).split())
        self._await(lambda: len(self._received) >= size, within, command)
        output, self._received = self._received[:size].decode(), self._received[size:]
        if check and status:
            raise CommandFailed(f"in the guest: {command}: status {status}: {output.strip()}")
        return output

    def power_off(self):
        """Has systemd shut the guest down; returns when it has ended."""
        self._tell("systemctl --no-block poweroff")
        within = BOOTED_WITHIN * self._slow
        self._loop.wait(lambda: self._ended, within, "the guest: powers off")

    def write(self, path, lines):
        words = " ".join(shlex.quote(line) for line in lines)
        self.run(f"printf '%s\\n' {words} >{path}")

    def popen(self, argv, **_):
        """Starts a program with a serial port as its input and output."""
        if not self._free:
            raise Timeout("the guest has no serial port left")
        name = self._free.pop(0)
        words = [argv[0].rsplit("/", 1)[-1], *argv[1:]]
        self.run(
            f"( exec 3<>/dev/virtio-ports/{name}; {shlex.join(words)} <&3 >&3 3>&- 2>/dev/console;"
            ' echo "{\\"exit_status\\":$?}" >&3 ) >/dev/null 2>&1 &'
        )
        return Process(self._lines[name])
