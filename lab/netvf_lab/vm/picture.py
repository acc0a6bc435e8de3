# SPDX-License-Identifier: BSD-2-Clause
"""The table as a picture: at each switch, how much each peer lost and how long it was silent."""

import math
import statistics

from ..timeline import Drawing
from . import report

NAMES = 170  # where the bars of the first panel begin
PANEL, BETWEEN = 440, 70
ROW, HEAD = 18, 30
PANELS = (
    ("lost datagrams, both ways", ("lost_to_guest", "lost_from_guest"), sum, ""),
    ("longest gap, either way", ("gap_to_guest", "gap_from_guest"), max, " ms"),
)


def _number(value):
    return f"{value:,.0f}"


def _totals(line, keys, together):
    """Of each run."""
    return [together(run[key] for key in keys) for run in line.seen]


class Picture:
    def __init__(self, document, blocks, title):
        self.document = document
        self.blocks = blocks
        self.title = title
        self.drawing = Drawing()
        self.ends = [
            max(
                (max(_totals(line, keys, together), default=0)
                 for block in self.blocks for line in block.lines),
                default=0,
            )
            for _, keys, together, _ in PANELS
        ]

    def draw(self):
        drawing = self.drawing
        runs = self.document["runs"]
        drawing.text(24, 36, self.title, "ink title")
        pps = runs[0]["options"]["pps"] if runs else 0
        drawing.text(
            24, 60, f"{pps:,} datagrams/s each way. Bar: median of the runs; line: the worst."
            " Lengths are logarithmic.", "soft")
        for number, (title, *_) in enumerate(PANELS):
            drawing.text(self._left(number), 90, title, "ink strong")
        y = 100
        for block in self.blocks:
            drawing.line(24, y + 4, self._left(1) + PANEL, y + 4, "grid")
            drawing.text(24, y + 22, block.title, "ink strong")
            y += HEAD
            for line in block.lines:
                self._line(line, y)
                y += ROW
            y += 8
        for text in (self.document["machine"], self.document["qemu"]):
            y += 18
            drawing.text(24, y, text, "soft small")
        return drawing.svg(y + 20)

    @staticmethod
    def _left(panel):
        return NAMES + panel * (PANEL + BETWEEN)

    def _line(self, line, y):
        name = line.peer
        failed = line.tried - len(line.seen)
        self.drawing.text(NAMES - 10, y + 13, name, "ink small", "end")
        for number, (_, keys, together, unit) in enumerate(PANELS):
            left = self._left(number)
            totals = _totals(line, keys, together)
            if not totals:
                self.drawing.text(left, y + 13, "failed", "bad small strong")
                continue
            median, worst = statistics.median(totals), max(totals)
            style = "vf" if name.startswith("netvf") else "hn"
            at, end = (left + self._length(number, value) for value in (median, worst))
            self.drawing.box(left, y + 3, max(1, at - left), ROW - 7, style, 2)
            if end > at:
                self.drawing.line(at, y + ROW / 2, end, y + ROW / 2, "event attach"
                                  if style == "vf" else "event detach")
            text = _number(median) + unit
            if _number(worst) != _number(median):
                text += f", worst {_number(worst)}{unit}"
            if failed and number == 0:
                text += f"; {failed} failed"
            self.drawing.text(max(at, end) + 6, y + 13, text, "ink small")

    def _length(self, panel, value):
        room = PANEL - 130  # the text stands behind the bar
        return room * math.log1p(value) / math.log1p(max(self.ends[panel], 1))


def draw(document):
    blocks = report.blocks(document["runs"])
    return Picture(document, blocks, "A real card goes: who loses what").draw()
