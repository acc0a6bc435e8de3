# SPDX-License-Identifier: BSD-2-Clause
"""Waits for things to happen, with a deadline; never sleeps blindly."""

import os
import selectors
import time


class Timeout(Exception):
    """What was waited for did not happen in time."""


TICK = 0.05  # seconds


class Loop:
    """Callbacks for descriptors; and one for the passing of time, every TICK at least."""

    def __init__(self, tick=lambda: None):
        self._selector = selectors.DefaultSelector()
        self._tick = tick

    def watch(self, file, callback):
        """Calls callback() whenever there is something to read."""
        self._selector.register(file, selectors.EVENT_READ, callback)

    def forget(self, file):
        self._selector.unregister(file)

    def turn(self, timeout):
        """Handles what is ready; waits for it up to timeout seconds, or a TICK."""
        for key, _ in self._selector.select(min(max(0, timeout), TICK)):
            key.data()
        self._tick()

    def wait(self, happened, seconds, what):
        """Turns until happened(); raises Timeout, which says `what`, after so many seconds."""
        deadline = time.monotonic() + seconds
        while not happened():
            left = deadline - time.monotonic()
            if left <= 0:
                raise Timeout(f"{what}: not within {seconds:g} s")
            self.turn(left)

    def dwell(self, seconds, over=lambda: False):
        """Lets time pass, handling what happens; ends early when over()."""
        deadline = time.monotonic() + seconds
        while not over() and (left := deadline - time.monotonic()) > 0:
            self.turn(left)


class Lines:
    """Cuts what comes from a descriptor into lines for a callback."""

    def __init__(self, loop, file, callback):
        self.closed = False
        self._loop, self._file, self._callback = loop, file, callback
        self._rest = b""
        os.set_blocking(file.fileno(), False)
        loop.watch(file, self._read)

    def _read(self):
        try:
            data = os.read(self._file.fileno(), 1 << 20)
        except BlockingIOError:
            return
        except ConnectionResetError:  # the other end has died with something unread
            data = b""
        if not data:
            self.closed = True
            self._loop.forget(self._file)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._callback(line.decode(errors="replace"))

    def close(self):
        """Reads no more, and closes the file."""
        if not self.closed:
            self.closed = True
            self._loop.forget(self._file)
        self._file.close()
