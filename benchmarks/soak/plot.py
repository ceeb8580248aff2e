#!/usr/bin/env python3
"""Draws what `soak` has printed.

    plot.py soak.jsonl soak.svg
"""

import json
import math
import sys

WIDTH, HEIGHT, LEFT, TOP, GAP = 900, 180, 90, 30, 60
COLOURS = ["#1b6ca8", "#c0504d", "#5a9e6f", "#8d6cab"]


def polyline(points, colour):
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (f'<polyline points="{text}" fill="none" stroke="{colour}" '
            'stroke-width="1.2"/>')


def panel(top, title, seconds, series, logarithmic):
    """Lines over time: `series` is a list of (name, values)."""
    values = [v for _, line in series for v in line if v > 0 or not logarithmic]
    low = min(values) if logarithmic else 0
    high = max(values + [low + 1e-9])

    def place(value):
        if logarithmic:
            value = max(value, low)
            share = (math.log(value / low) / math.log(high / low)
                     if high > low else 0)
        else:
            share = value / high
        return top + HEIGHT * (1 - share)

    last = max(seconds[-1], 1)
    parts = [f'<text x="{LEFT}" y="{top - 10}" font-weight="bold">{title}'
             '</text>',
             f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" '
             'fill="none" stroke="#999"/>']
    for value in (low, high):
        parts.append(f'<text x="{LEFT - 8}" y="{place(value) + 4:.1f}" '
                     f'text-anchor="end">{value:.4g}</text>')
    for i, (name, line) in enumerate(series):
        colour = COLOURS[i % len(COLOURS)]
        parts.append(polyline([(LEFT + WIDTH * s / last, place(v))
                               for s, v in zip(seconds, line)], colour))
        parts.append(f'<text x="{LEFT + 260 + 150 * i}" y="{top - 10}" '
                     f'fill="{colour}">{name}</text>')
    return parts


def main(source, target):
    with open(source, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    samples = [row for row in rows if row["kind"] == "sample"]
    if not samples:
        sys.exit(f"{source}: no samples")
    seconds = [row["second"] for row in samples]
    mebibyte = 1 << 20
    panels = [
        ("Space, MiB", False,
         [("segments", [r["segment_bytes"] / mebibyte for r in samples]),
          ("bound", [r["bound_bytes"] / mebibyte for r in samples]),
          ("live", [r["live_bytes"] / mebibyte for r in samples])]),
        ("A put, microseconds", True,
         [(name, [r["us"][name] for r in samples])
          for name in ("p50", "p99", "p999", "max")]),
        ("Puts a second", False, [("puts", [r["puts"] for r in samples])]),
        ("Bytes written for each byte", False,
         [("so far", [r["write_amplification"] for r in samples])]),
    ]
    parts = []
    top = TOP + 10
    for title, logarithmic, series in panels:
        parts += panel(top, title, seconds, series, logarithmic)
        top += HEIGHT + GAP
    parts.append(f'<text x="{LEFT}" y="{top - GAP + 20}">0 to '
                 f'{seconds[-1]} seconds</text>')
    with open(target, "w", encoding="utf-8") as svg:
        svg.write('<svg xmlns="http://www.w3.org/2000/svg" '
                  f'width="{WIDTH + LEFT + 30}" height="{top}" '
                  'font-family="sans-serif" font-size="12">\n'
                  '<rect width="100%" height="100%" fill="white"/>\n')
        svg.write("\n".join(parts) + "\n</svg>\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
