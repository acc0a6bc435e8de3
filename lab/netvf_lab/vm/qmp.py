# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's machine protocol, over a socket."""

import json
import time

from ..loop import Lines, Timeout

ANSWER_WITHIN = 30  # seconds


class Ended(Timeout):
    """There is no QEMU any more."""


class Monitor:
    """events: name (with the device or status) -> when QEMU last said so, by the lab's clock. slow:
    how many times as long as elsewhere an answer may take."""

    def __init__(self, loop, socket_, slow=1):
        self.events = {}
        self._loop = loop
        self._socket = socket_
        self._within = ANSWER_WITHIN * slow
        self._results = []
        self._lines = Lines(loop, socket_, self._message)

    def _message(self, line):
        message = json.loads(line)
        if "event" in message:
            data, at = message.get("data", {}), message["timestamp"]
            words = [message["event"], *(data[key] for key in ("device", "status") if key in data)]
            # QEMU tells the time of day, which may be set; the lab's clock may not.
            age = time.time_ns() - (at["seconds"] * 1_000_000 + at["microseconds"]) * 1000
            self.events[" ".join(words)] = time.monotonic_ns() - age
        if "return" in message or "error" in message:
            self._results.append(message)

    def command(self, verb, /, **arguments):
        """Does it and returns the answer. The first one is qmp_capabilities."""
        text = json.dumps({"execute": verb, "arguments": arguments})
        try:
            self._socket.sendall(text.encode() + b"\n")
        except ConnectionError:
            pass  # it has ended, which is told below
        self._loop.wait(
            lambda: self._results or self._lines.closed, self._within, f"QEMU obeys {verb}"
        )
        if not self._results:
            raise Ended("QEMU has ended")
        result = self._results.pop(0)
        if "error" in result:
            raise Timeout(f"QEMU refuses {verb} {arguments}: {result['error']['desc']}")
        return result["return"]

    def close(self):
        self._lines.close()
