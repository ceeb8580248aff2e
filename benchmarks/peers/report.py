#!/usr/bin/env python3
"""Makes a table (results.md) and plots (*.svg) of what `compare` has measured.

    report.py results.json DIRECTORY

A figure is the median of the rounds. A ratio is stave's figure by the peer's,
of the same run; over 1: stave is faster.
"""

import html
import json
import math
import os
import statistics
import sys
from collections import defaultdict

OURS = "stave"
COLOURS = ["#1b6ca8", "#e07b39", "#5a9e6f", "#8d6cab", "#c0504d", "#7f7f7f",
           "#b5a642"]
# Workloads that are told by their time, not by operations a second.
TIMED = ["close", "open", "open-killed"]


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Results:
    """Medians by (configuration, workload, engine, field)."""

    def __init__(self, lines):
        self.values = defaultdict(list)
        self.configurations = []
        self.workloads = []
        self.engines = []
        for line in lines:
            if line["kind"] != "result":
                continue
            configuration = (line["keys"], line["value_bytes"], line["threads"])
            for known, value in ((self.configurations, configuration),
                                 (self.workloads, line["workload"]),
                                 (self.engines, line["engine"])):
                if value not in known:
                    known.append(value)
            for field, value in line.items():
                if isinstance(value, (int, float)):
                    key = (configuration, line["workload"], line["engine"],
                           field)
                    self.values[key].append(value)

    def get(self, configuration, workload, engine, field):
        values = self.values.get((configuration, workload, engine, field))
        return statistics.median(values) if values else None

    def rounds(self, configuration, engine):
        return max((len(values) for key, values in self.values.items()
                    if key[0] == configuration and key[2] == engine), default=0)

    def workloads_of(self, configuration, timed):
        return [w for w in self.workloads if (w in TIMED) == timed and any(
            self.get(configuration, w, e, "seconds") for e in self.engines)]


def rate(value):
    if value >= 1e6:
        return f"{value / 1e6:.2f} M"
    if value >= 1e4:
        return f"{value / 1e3:.0f} K"
    return f"{value:,.0f}"


def duration(nanoseconds):
    for limit, unit in ((1e3, "ns"), (1e6, "us"), (1e9, "ms")):
        if nanoseconds < limit:
            value = nanoseconds / (limit / 1e3)
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"
    return f"{nanoseconds / 1e9:.1f} s"


def megabytes(value):
    return f"{value / 1e6:,.0f}"


def name_of(configuration):
    keys, value_bytes, threads = configuration
    return (f"{keys:,} keys, values of {value_bytes:,} B, {threads} "
            f"thread{'s' if threads > 1 else ''}")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def rate_rows(results, configuration):
    for workload in results.workloads_of(configuration, timed=False):
        ours = results.get(configuration, workload, OURS, "ops_per_second")
        row = [workload]
        for engine in results.engines:
            value = results.get(configuration, workload, engine,
                                "ops_per_second")
            if value is None:
                row.append("")
            elif engine == OURS or ours is None:
                row.append(rate(value))
            else:
                row.append(f"{rate(value)} ({ours / value:.1f}x)")
        yield row


def rows_of(results, configuration, timed, show, fields):
    """A cell has the fields of an engine, one behind the other."""
    for workload in results.workloads_of(configuration, timed):
        row = [workload]
        for engine in results.engines:
            values = [results.get(configuration, workload, engine, field)
                      for field in fields]
            row.append("" if None in values
                       else ", ".join(show(value) for value in values))
        yield row


def section(results, configuration):
    head = [""] + results.engines
    rounds = [results.rounds(configuration, e) for e in results.engines]
    user = configuration[0] * (16 + configuration[1])
    text = [f"## {name_of(configuration)}\n",
            f"Rounds: {min(rounds)} to {max(rounds)}. "
            f"Keys and values: {megabytes(user)} MB.\n",
            "Operations a second, and stave's by the peer's:\n",
            table(head, rate_rows(results, configuration)),
            "Nanoseconds of a processor for an operation: of the calling "
            "threads, and of the whole process. These hold on a busy machine, "
            "too, but know nothing of waiting:\n",
            table(head, rows_of(results, configuration, False,
                                lambda v: f"{v:,.0f}",
                                ["thread_ns", "process_ns"])),
            "p50, p99, p99.9 and longest of a call:\n",
            table(head, rows_of(results, configuration, False, duration,
                                ["p50_ns", "p99_ns", "p999_ns", "max_ns"])),
            "Seconds:\n",
            table(head, rows_of(results, configuration, True,
                                lambda v: f"{v:.4f}", ["seconds"])),
            "MB after the workload: memory of its own, mapped, disk, the most "
            "of disk meanwhile, and MB that were written during it:\n",
            table(head, rows_of(results, configuration, False, megabytes,
                                ["anonymous_bytes", "mapped_bytes",
                                 "disk_bytes", "peak_disk_bytes",
                                 "written_bytes"]))]
    return "\n".join(text)


class Asked:
    """Figures of one size, by names like "read@tkrzw" for operations a second,
    with "*2" behind them for two threads, or "soak@stave.p999_ns"."""

    def __init__(self, results, keys, value_bytes):
        self.results = results
        self.keys = keys
        self.value_bytes = value_bytes

    def __call__(self, name):
        name, _, field = name.partition(".")
        name, _, threads = name.partition("*")
        workload, _, engine = name.partition("@")
        configuration = (self.keys, self.value_bytes, int(threads or 1))
        return self.results.get(configuration, workload, engine or OURS,
                                field or "ops_per_second")

    def ratio(self, one, other):
        one, other = self(one), self(other)
        return one / other if one and other else None

    def user_bytes(self, workload):
        operations = self(workload + ".operations")
        return operations and operations * (16 + self.value_bytes)


def at_least(limit):
    return f">= {limit:g}", lambda value: value >= limit


def at_most(limit):
    return f"<= {limit:g}", lambda value: value <= limit


def targets(ask, limits):
    """(what, goal, figure) of each; the figure is None if it wasn't measured."""
    for what, goal in (
            ("overwrite / tkrzw's", 2.5), ("overwrite / rocksdb's", 12),
            ("overwrite / leveldb's", 7), ("fillrandom / tkrzw's", 2),
            ("read / tkrzw's", 1.6), ("read / rocksdb's", 8),
            ("readzipf / tkrzw's", 1.5), ("readabsent / tkrzw's", 2),
            ("ycsb-a / tkrzw's", 2), ("ycsb-b / tkrzw's", 2),
            ("scan / lmdb's", 1)):
        workload, _, peer = what.partition(" / ")
        yield (what, at_least(goal),
               ask.ratio(workload, f"{workload}@{peer.removesuffix(chr(39) + 's')}"))
    yield ("multiget / tkrzw's read", at_least(4),
           ask.ratio("multiget", "read@tkrzw"))
    yield "multiget / read", at_least(3), ask.ratio("multiget", "read")
    for workload, goal in (("read", 1.9), ("ycsb-b", 1.8), ("overwrite", 1.4)):
        yield (f"{workload}, two threads / one", at_least(goal),
               ask.ratio(f"{workload}*2", workload))
    yield ("range, ordered / lmdb's", at_least(2),
           ask.ratio("range@stave-ordered", "range@lmdb"))
    yield ("read, ordered / hash", at_least(0.7),
           ask.ratio("read@stave-ordered", "read"))
    # A slot in a huge page, then a record in a page of 4 KiB.
    misses = [limits.get(f"random 64 B of 1 GiB, dependent, {pages}")
              for pages in ("huge pages asked for", "4 KiB pages")]
    if ask.value_bytes < 1024:
        yield ("time of a read / of two dependent misses", at_most(1.3),
               1e9 / ask("read") / sum(misses)
               if ask("read") and None not in misses else None)
    memory = ask("fillrandom.anonymous_bytes")
    if ask.keys >= 10_000_000:
        yield ("memory of its own, B a key, all of the process", at_most(20),
               memory and memory / ask.keys)
    raw = limits.get("append 128 B and fdatasync, median")
    durable = ask("durable-1.p50_ns")
    if ask.value_bytes < 1024:
        yield ("durable put, median / raw append and fdatasync", at_most(1.15),
               durable / 1e3 / raw if durable and raw else None)
    yield ("durable put, 16 threads / one", at_least(8),
           ask.ratio("durable-16", "durable-1"))
    if ask.keys == 10_000_000:
        yield "open after close, s", at_most(0.1), ask("open.seconds")
        yield "open after kill -9, s", at_most(1), ask("open-killed.seconds")
    yield ("put p99.9, soak / fillrandom", at_most(3),
           ask.ratio("soak.p999_ns", "fillrandom.p999_ns"))
    longest = ask("soak.max_ns")
    yield "longest put of soak, ms", at_most(50), longest and longest / 1e6
    written, user = ask("soak.written_bytes"), ask.user_bytes("soak")
    yield ("bytes written for each of soak's", at_most(
        3.3 if ask.value_bytes < 1024 else 2.3),
           written / user if written and user else None)


def target_table(results, lines):
    limits = {line["name"]: line["value"] for line in lines
              if line["kind"] == "limit"}
    sizes = sorted({c[:2] for c in results.configurations})
    columns = [list(targets(Asked(results, *size), limits)) for size in sizes]
    goals = {}
    figures = defaultdict(dict)
    for size, column in zip(sizes, columns):
        for what, (goal, holds), figure in column:
            goals.setdefault((what, goal), None)
            if figure is not None:
                figures[what, goal][size] = (
                    f"{figure:.3g}" if holds(figure) else f"**{figure:.3g}**")
    return table(
        ["", "goal"] + [f"{k:,} keys, {v:,} B" for k, v in sizes],
        ([what, goal] + [figures[what, goal].get(size, "") for size in sizes]
         for what, goal in goals))


def markdown(lines, results):
    text = ["# stave and its peers\n"]
    machines = [line for line in lines if line["kind"] == "machine"]
    if machines:
        machine = machines[0]
        text.append(
            f"{machine['date']}, {machine['processors']} processors, "
            f"{machine['processor'].split(':')[-1].strip()}, "
            f"{machine['memory'].split(':')[-1].strip()} of memory, "
            f"{machine['system']}, load at the start {machine['load']}. "
            "All values that were read were checked.\n")
    text.append("## Settings\n")
    settings = {line["engine"]: line["settings"] for line in lines
                if line["kind"] == "engine"}
    text.append(table(["", "settings"], settings.items()))
    limits = [line for line in lines if line["kind"] == "limit"]
    if limits:
        text.append("## What the machine can do, in the same run\n")
        text.append(table(["", ""], ([line["name"],
                                      f"{line['value']:.3g} {line['unit']}"]
                                     for line in limits)))
    text.append("## Goals\n\nOne thread unless said. Bold: missed.\n")
    text.append(target_table(results, lines))
    text += [section(results, c) for c in results.configurations]
    return "\n".join(text)


def plot(results, configuration):
    """Bars of operations a second, by a logarithmic scale."""
    workloads = results.workloads_of(configuration, timed=False)
    bars = [(w, e, results.get(configuration, w, e, "ops_per_second"))
            for w in workloads for e in results.engines]
    known = [value for _, _, value in bars if value]
    low = 10 ** math.floor(math.log10(min(known)))
    high = 10 ** math.ceil(math.log10(max(known)))
    left, width, bar, gap, top = 110, 640, 9, 10, 60
    scale = width / max(1e-9, math.log10(high / low))
    height = top + sum(bar * len(results.engines) + gap for _ in workloads) + 30

    def x(value):
        return left + math.log10(value / low) * scale

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" '
        f'height="{height}" font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="18" font-size="14">Operations a second: '
        f'{html.escape(name_of(configuration))}</text>']
    for i, engine in enumerate(results.engines):
        at = left + 105 * i
        parts.append(f'<rect x="{at}" y="28" width="10" height="10" '
                     f'fill="{COLOURS[i % len(COLOURS)]}"/>'
                     f'<text x="{at + 14}" y="37">{html.escape(engine)}</text>')
    mark = low
    while mark <= high:
        parts.append(
            f'<line x1="{x(mark):.1f}" y1="{top - 8}" x2="{x(mark):.1f}" '
            f'y2="{height - 25}" stroke="#ddd"/><text x="{x(mark):.1f}" '
            f'y="{height - 10}" text-anchor="middle">{mark:,.0f}</text>')
        mark *= 10
    y = top
    for workload in workloads:
        middle = y + bar * len(results.engines) / 2 + 4
        parts.append(f'<text x="{left - 8}" y="{middle:.1f}" '
                     f'text-anchor="end">{html.escape(workload)}</text>')
        for i, engine in enumerate(results.engines):
            value = results.get(configuration, workload, engine,
                                "ops_per_second")
            if value:
                length = max(1, x(value) - left)
                parts.append(
                    f'<rect x="{left}" y="{y}" width="{length:.1f}" '
                    f'height="{bar - 1}" fill="{COLOURS[i % len(COLOURS)]}"/>'
                    f'<text x="{left + length + 4:.1f}" y="{y + bar - 1}" '
                    f'font-size="9">{rate(value)}</text>')
            y += bar
        y += gap
    parts.append("</svg>\n")
    return "\n".join(parts)


def main():
    lines = read(sys.argv[1])
    directory = sys.argv[2]
    results = Results(lines)
    with open(os.path.join(directory, "results.md"), "w",
              encoding="utf-8") as out:
        out.write(markdown(lines, results))
    for configuration in results.configurations:
        name = "keys-{}-values-{}-threads-{}.svg".format(*configuration)
        with open(os.path.join(directory, name), "w", encoding="utf-8") as out:
            out.write(plot(results, configuration))


if __name__ == "__main__":
    main()
