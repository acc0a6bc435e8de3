# SPDX-License-Identifier: BSD-2-Clause
"""Rows of a table: what was measured beside something else, the ratio of both, and its bound."""

import math
import statistics

MANY = 20  # measurements from which on the spread leaves out the quarters at both ends


def ratio(beside, this):
    if beside:
        return this / beside
    return math.inf if this else 1.0


def spread(values):
    if len(values) < MANY:
        return [min(values), max(values)]
    low, _, high = statistics.quantiles(values, n=4)
    return [low, high]


def row(name, beside, this, bound=None):
    """beside, this: measured in turn, pair by pair. bound: the largest ratio; None: there is no
    bound. Nothing at all is within each bound."""
    ratios = [ratio(*pair) for pair in zip(beside, this)]
    middle = statistics.median(ratios)
    return {"name": name, "old": statistics.median(beside), "new": statistics.median(this),
            "ratio": middle, "spread": spread(ratios), "bound": bound,
            "ok": bound is None or middle <= bound or not any(this)}


def table(rows):
    """The lines. The spread is from the smallest to the largest ratio, of many the middle half."""
    width = max((len(row["name"]) for row in rows), default=0)
    yield (f"{'':{width}} {'beside':>10} {'this':>10} {'ratio':>7}  {'spread':15}"
           f" {'at most':>7}").rstrip()
    for row in rows:
        low, high = row["spread"]
        bound = f"{row['bound']:7.3f}  {'ok' if row['ok'] else 'NO'}" if row["bound"] else ""
        between = f"{low:.3f} - {high:.3f}"
        yield (f"{row['name']:{width}} {row['old']:10.4g} {row['new']:10.4g} {row['ratio']:7.3f}"
               f"  {between:15} {bound}").rstrip()
