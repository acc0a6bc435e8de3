# SPDX-License-Identifier: BSD-2-Clause
"""The timeline of a run as SVG: which path carried the traffic when, each event, each gap."""

import math
from xml.sax.saxutils import escape

from .agents import DIRECTIONS, FROM_GUEST, HN, TO_GUEST, VF

WIDTH = 1200
LEFT, RIGHT = 150, 1168  # the plot
LANE, LANE_GAP = 44, 5
GAP_STRIP = 26
FULL = 0.95  # of the rate, and more: drawn as all of it (a sender's clock is not the buckets')
ROW = 20  # of the bars at the end
ROWS_MAX = 24
LABEL_WIDTH = 62  # of a gap's length, so that two do not overlap
LABELLED_MS = 3  # a gap shorter than this has a mark, but no label, if nothing was lost in it

STYLE = """
  .back { fill: #ffffff } .ink { fill: #1f2933 } .soft { fill: #66727f }
  .grid { stroke: #e4e8ec; stroke-width: 1 } .lane { fill: #f4f6f8 }
  .vf { fill: #0d9488 } .hn { fill: #e08a00 } .bad { fill: #d42a2a }
  .attach { stroke: #0d9488 } .detach { stroke: #c2560a } .gap { stroke: #d42a2a }
  text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", Arial, sans-serif }
  .title { font-size: 21px; font-weight: 600 } .small { font-size: 11px }
  .halo { paint-order: stroke; stroke-width: 4px; stroke-linejoin: round; stroke: #ffffff }
  .strong { font-weight: 600 } .event { stroke-width: 1.3; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #10161d } .ink { fill: #e8edf2 } .soft { fill: #93a1af }
    .grid { stroke: #2a343f } .lane { fill: #19222c }
    .vf { fill: #2cc5b4 } .hn { fill: #f2a93b } .bad { fill: #ff6b6b }
    .halo { stroke: #10161d }
    .attach { stroke: #2cc5b4 } .detach { stroke: #f2a93b } .gap { stroke: #ff6b6b }
  }
"""

ARROWS = ("host → guest", "guest → host")


class Drawing:
    """SVG elements, in the order of painting."""

    def __init__(self):
        self._parts = []

    def text(self, x, y, text, style="ink", anchor="start"):
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def box(self, x, y, width, height, style, radius=0, tip=None):
        title = f"<title>{escape(tip)}</title>" if tip else ""
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
            f' rx="{radius}" class="{style}">{title}</rect>'
        )

    def line(self, x, y, x2, y2, style):
        self._parts.append(
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'
        )

    def path(self, data, style, tip=None):
        title = f"<title>{escape(tip)}</title>" if tip else ""
        self._parts.append(f'<path d="{data}" class="{style}">{title}</path>')

    def svg(self, height):
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}"'
            f' width="{WIDTH}" height="{height:.0f}" role="img">\n<style>{STYLE}</style>\n'
            f'<rect width="100%" height="100%" rx="8" class="back"/>\n'
            + "\n".join(self._parts)
            + "\n</svg>\n"
        )


def _milliseconds(value):
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms"


def _step(span):
    """A round distance for about ten marks over a span."""
    raw = span / 10
    power = 10 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)


class Timeline:
    def __init__(self, report):
        self.report = report
        self.values = report.values()
        self.observed = report.results["observed"]
        self.drawing = Drawing()
        # From the first datagram to a little after the last.
        starts = [sent["start"] for sent in report.results["sent"]]
        self.begin = min(starts)
        bucket = self.observed["bucket"]
        buckets = max(len(lane) for way in self.observed["dirs"] for lane in way["buckets"])
        self.end = max(self.observed["start"] + (buckets + 1) * bucket, self.begin + bucket)

    def x(self, at):
        share = (at - self.begin) / (self.end - self.begin)
        return LEFT + (RIGHT - LEFT) * min(1, max(0, share))

    def draw(self):
        self._head()
        y = 132
        bottom = y + 2 * (2 * LANE + LANE_GAP + GAP_STRIP) + 18
        self._axis(y, bottom)
        self._events(96, bottom)
        for direction in (TO_GUEST, FROM_GUEST):
            self._panel(direction, y)
            y += 2 * LANE + LANE_GAP + GAP_STRIP + 18
        y = self._bars(bottom + 64)
        return self.drawing.svg(y + 18)

    def _head(self):
        values, drawing = self.values, self.drawing
        options = values["options"]
        what = "migration" if values["cycles"] == 1 else "migrations"
        drawing.text(24, 38, f"{values['cycles']} {what} ({options['detach']})", "ink title")
        lost = sum(values["lost"].values())
        sent = sum(values["sent"].values())
        duplicated = sum(values["duplicated"].values())
        tcp = values["tcp"]
        stall = _milliseconds(tcp["max_stall_ms"])
        facts = [
            f"{options['pps']:,} datagrams/s each way",
            f"{lost:,} of {sent:,} lost",
            f"{duplicated:,} duplicated",
            f"TCP survived, longest stall {stall}" if tcp["survived"] else "TCP was lost",
        ]
        drawing.text(24, 62, "   ·   ".join(facts), "soft")
        x = RIGHT
        legend = (("vf", "by VF"), ("hn", "by hn"), ("bad", "gap, and its length"))
        for style, name in reversed(legend):
            x -= 7 * len(name)
            drawing.text(x, 38, name, "soft")
            drawing.box(x - 18, 28, 12, 12, style, 3)
            x -= 36

    def _axis(self, top, bottom):
        seconds = (self.end - self.begin) / 1e9
        step = _step(seconds)
        for number in range(int(seconds / step) + 1):
            x = self.x(self.begin + int(number * step * 1e9))
            self.drawing.line(x, top, x, bottom, "grid")
            self.drawing.text(x, bottom + 18, f"{number * step:g} s", "soft small", "middle")

    def _events(self, y, bottom):
        """The host's deeds above the lanes, each with a line down through them."""
        last = {"attach": 0, "detach": 0}
        for switch in self.report.migration.switches:
            x = self.x(switch.at)
            kind = "detach" if switch.to == HN else "attach"
            triangle = f"M{x - 6:.1f},{y + 8} h12 l-6,9 z"
            if kind == "attach":
                triangle = f"M{x - 6:.1f},{y + 17} h12 l-6,-9 z"
            style = "hn" if kind == "detach" else "vf"
            self.drawing.line(x, y + 18, x, bottom, f"event {kind}")
            self.drawing.path(triangle, style, f"{kind} ({switch.kind})")
            if x - last[kind] > 60:
                name = switch.kind if kind == "detach" else kind
                self.drawing.text(x, y + 2, name, "soft small", "middle")
                last[kind] = x

    def _panel(self, direction, y):
        drawing = self.drawing
        drawing.text(24, y + LANE, ARROWS[direction], "ink strong")
        lost = self.values["lost"][DIRECTIONS[direction]]
        drawing.text(24, y + LANE + 18, f"{lost:,} lost", "bad strong" if lost else "soft")
        for path, name in ((VF, "vf"), (HN, "hn")):
            top = y if path == VF else y + LANE + LANE_GAP
            drawing.text(LEFT - 10, top + LANE / 2 + 5, name.upper() if path == VF else name,
                         "soft", "end")
            drawing.box(LEFT, top, RIGHT - LEFT, LANE, "lane", 3)
            self._lane(self.observed["dirs"][direction]["buckets"][path], top, name)
        self._gaps(direction, y + 2 * LANE + LANE_GAP)

    def _lane(self, counts, top, style):
        """How much of the datagrams this path carried, as an area: full height is all of them."""
        bucket, start = self.observed["bucket"], self.observed["start"]
        # Wide enough for a column, and for the sender's own unevenness to vanish.
        group = max(2, math.ceil(len(counts) / (RIGHT - LEFT)))
        full = self.values["options"]["pps"] * bucket * group / 1e9
        data, open_ = [], False
        base = top + LANE
        for first in range(0, len(counts), group):
            share = sum(counts[first:first + group]) / full
            if share >= FULL:
                share = 1
            left = self.x(start + first * bucket)
            right = self.x(start + (first + group) * bucket)
            if share == 0:
                data += ["z"] if open_ else []
                open_ = False
                continue
            if not open_:
                data.append(f"M{left:.1f},{base:.1f}")
            data.append(f"V{base - share * (LANE - 3):.1f}H{right:.1f}V{base:.1f}")
            open_ = True
        if data:
            self.drawing.path("".join(data) + "z", style)

    def _gaps(self, direction, y):
        """A mark for every gap, as long as the gap; the longest also say how long."""
        taken = []
        gaps = self.report.results["received"][direction]["gaps"]
        for at, length, _, missing in sorted(gaps, key=lambda gap: gap[1], reverse=True):
            x, width = self.x(at), self.x(at + length) - self.x(at)
            ms = length / 1e6
            text = _milliseconds(ms)
            tip = f"gap of {text}, {missing} not yet there"
            self.drawing.box(x, y + 2, max(1.5, width), 7, "bad", 0, tip)
            if ms < LABELLED_MS and not missing:
                continue
            if any(abs(x - other) < LABEL_WIDTH for other in taken):
                continue
            taken.append(x)
            middle = min(x + width / 2, RIGHT - 14)
            self.drawing.text(middle, y + 22, text, "bad small halo", "middle")

    def _bars(self, y):
        """How long after each deed the guest's first datagram took the new path."""
        switches = self.report.migration.switches
        halves = (
            (24, "detach", HN, "hn", "From the detach to the guest's first datagram by hn"),
            (612, "attach", VF, "vf", "From the attach to the guest's first datagram by the VF"),
        )
        last = y
        for left, kind, to, style, title in halves:
            self.drawing.text(left, y, title, "ink strong")
            rows = [switch for switch in switches if switch.to == to][:ROWS_MAX]
            times = [
                (switch.first[FROM_GUEST] - switch.at) / 1e6 if switch.first[FROM_GUEST] else None
                for switch in rows
            ]
            longest = max([time for time in times if time] or [1])
            for number, (switch, time) in enumerate(zip(rows, times)):
                row = y + 14 + number * ROW
                name = f"{kind} {switch.cycle}" if switch.cycle else "first attach"
                self.drawing.text(left + 82, row + 12, name, "soft small", "end")
                width = 370 * time / longest if time else 0
                self.drawing.box(left + 90, row + 3, max(2, width), ROW - 8, style, 2)
                text = _milliseconds(time) if time else "never"
                self.drawing.text(left + 96 + max(2, width), row + 13, text, "ink small")
                last = max(last, row + ROW)
        return last


def draw(report):
    """The timeline of a run whose traffic has been counted."""
    return Timeline(report).draw()
