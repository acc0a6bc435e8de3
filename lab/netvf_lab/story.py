# SPDX-License-Identifier: BSD-2-Clause
"""What happens, as it happens: printed line by line, and kept for the report."""

import time
from dataclasses import dataclass


@dataclass
class Event:
    at: int  # nanoseconds of CLOCK_MONOTONIC
    who: str  # lab, host, guest, devd, path
    text: str
    mark: str = ""  # attach, detach, return: what the timeline shows as the host's deed


HOLD = 30_000_000  # nanoseconds that a line waits for earlier ones that are told later


class Story:
    def __init__(self, quiet=False):
        self.quiet = quiet  # kept for the report, not printed
        self.start = time.monotonic_ns()
        self.events = []
        self._waiting = []

    def tell(self, who, text, at=None, mark=""):
        """Records what happened, now or at a time that was found out later."""
        event = Event(at or time.monotonic_ns(), who, text, mark)
        self.events.append(event)
        self._waiting.append(event)

    def print(self, everything=False):
        """Prints, in order of time, what is due."""
        if self.quiet or not self._waiting:
            return
        until = time.monotonic_ns() - (0 if everything else HOLD)
        due = [event for event in self._waiting if event.at <= until]
        self._waiting = [event for event in self._waiting if event.at > until]
        for event in sorted(due, key=lambda event: event.at):
            seconds = (event.at - self.start) / 1e9
            print(f"{seconds:8.3f} s  {event.who:5}  {event.text}", flush=True)
