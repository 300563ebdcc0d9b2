# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tables and the plot of docs/performance.md."""

import math
import re
from statistics import median

from figures import ACCESS, CODEC, LIVE, LOG_CODEC, LOGGINGS, PULLED_SIZE, TABLE_SIZES

COLUMNS = ("ctrs", "reference", "floor")


def thousands(size):
    return f"{size // 1_000_000}M" if size >= 1_000_000 else f"{size // 1000}k"


def rows():
    """(figure, what it is, unit, whether more is better), in the order of the table."""
    for size in TABLE_SIZES:
        for callback, name in (
            ("empty", "empty callback"),
            ("getters", "five getters"),
            ("print", "printing"),
        ):
            name = f"dump of {thousands(size)}, {name}"
            yield f"dump-{callback}-{size}", name, "ms", False
    for search, name in (("plain", "records"), ("searched", "records, and search for repeated")):
        yield f"pull-{search}", f"list of {thousands(PULLED_SIZE)}, {name}", "ms", False
    for size in TABLE_SIZES[::2]:
        yield f"list-{size}", f"conntrack -L of {thousands(size)}, whole process", "ms", False
    for callback, name in (("empty", "empty callback"), ("print", "printing")):
        yield f"event-rate-{callback}", f"events handled, {name}", "1000/s", True
        yield f"event-lost-{callback}", f"events lost, {name}", "%", False
    yield "event-lost-fast", "events lost at 800,000/s, printing", "%", False
    yield "event-lossless", "highest rate without a loss, printing", "1000/s", True
    yield "create", "create through nfct_query", "1000/s", True
    yield "delete", "delete through nfct_query", "1000/s", True
    for way, name in (("each", "through nfct_query, 60,000 of UDP"), ("batch", "in a batch of 60,000")):
        for what in ("create", "delete"):
            yield f"{way}-{what}", f"{what} {name}", "1000/s", True
    yield "matching", "delete 60,000 of UDP by a filter", "1000/s", True
    for size in (1000, *TABLE_SIZES):
        yield f"rss-{size}", f"peak memory of a dump of {thousands(size)}", "KiB", False
    yield "load", "loading the library", "us", False
    yield "size", "the library's file", "KiB", False


def waiting_rows():
    """As rows(), of events that wait, and of those that are read as records."""
    ways = (("empty", "empty callback"), ("print", "printing"), ("records", "records"))
    for callback, name in ways:
        yield f"event-most-{callback}", f"events that could be handled, {name}", "1000/s", True
    yield "event-rate-records", "events handled, records", "1000/s", True
    yield "event-lost-records", "events lost, records", "%", False


def lookup_rows():
    """As rows(), of lookups in a mirror."""
    for way, how in (("alone", "each alone"), ("all", "512 at a time"), ("loop", "in a loop")):
        for what, name in (("found", "that is there"), ("missed", "that is not there")):
            for tuple_ in ("original", "reply"):
                row = f"a flow {name}, by its {tuple_} tuple, {how}"
                yield f"lookup-{what}-{tuple_}-{way}", row, "ns", False


def log_rows():
    """As rows(), of logged packets."""
    for figure, name in LOG_CODEC.items():
        yield figure, name, "ns", False
    ways = (("records", "records"), ("calls", "libnetfilter_log's calls and 17 getters"))
    for way, how in ways:
        for logging, (_, name) in LOGGINGS.items():
            yield f"log-rate-{way}-{logging}", f"packets received, {name}, {how}", "1000/s", True
            yield f"log-lost-{way}-{logging}", f"packets lost, {name}, {how}", "%", False
        for logging, (_, name) in LOGGINGS.items():
            yield f"log-cost-{way}-{logging}", f"a packet that waits, {name}, {how}", "ns", False


def number(value):
    if value is None:
        return ""
    return f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"


def quotient(value, by, form):
    return form % (value / by) if value and by else ""


def medians(samples, figure):
    """One number for each column; of a floor with a callback, which it has none of, the floor
    without."""
    found = dict(samples.get(figure, {}))
    if "floor" not in found and re.match("dump-|event-(rate|lost|most)", figure):
        found["floor"] = samples.get(re.sub("getters|print|records", "empty", figure), {}).get("floor")
    return {column: median(found[column]) if found.get(column) else None for column in COLUMNS}


def table(samples, figures):
    """Ratio says how many times better than the reference ctrs is; losses, which may be zero, have
    none."""
    head = ["Figure", "Unit", "ctrs", "reference", "ratio", "floor", "ctrs/floor"]
    lines = ["| " + " | ".join(head) + " |", "|---|---" + "|--:" * 5 + "|"]
    for figure, name, unit, more in figures:
        if figure not in samples:
            continue
        m = medians(samples, figure)
        better = (m["ctrs"], m["reference"]) if more else (m["reference"], m["ctrs"])
        cells = [name, unit, number(m["ctrs"]), number(m["reference"])]
        compared = unit != "%"
        cells += [quotient(*better, "%.2f") if compared else "", number(m["floor"])]
        cells += [quotient(m["ctrs"], m["floor"], "%.3f") if compared else ""]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def codec_table(samples):
    """Nanoseconds of what needs no kernel, on few objects and on many."""
    head = ["ns", "ctrs", "reference", "ratio"]
    head += [f"ctrs, {LIVE:,} live", f"reference, {LIVE:,} live", "ratio"]
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * 6 + "|"]
    for figure, name in (CODEC | ACCESS).items():
        cells = [name]
        for objects in ("hot", "live"):
            m = medians(samples, f"{figure}-{objects}")
            cells += [number(m["ctrs"]), number(m["reference"])]
            cells += [quotient(m["reference"], m["ctrs"], "%.2f")]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def cost(samples, series, size):
    """Nanoseconds an entry adds to the dump of an empty table."""
    callback, library = series
    whole = samples.get(f"dump-{callback}-{size}", {}).get(library)
    empty = samples.get(f"dump-{callback}-0", {}).get(library)
    return (median(whole) - median(empty)) / size * 1e6 if whole and empty else None


SERIES = {
    ("print", "reference"): ("reference, printing", "#c0392b"),
    ("getters", "reference"): ("reference, five getters", "#e59866"),
    ("print", "ctrs"): ("ctrs, printing", "#1f618d"),
    ("getters", "ctrs"): ("ctrs, five getters", "#5dade2"),
    ("empty", "floor"): ("bare receive loop", "#555555"),
}


def cost_table(samples):
    sizes = [size for size in TABLE_SIZES if f"dump-empty-{size}" in samples]
    lines = ["| ns an entry | " + " | ".join(map(thousands, sizes)) + " |"]
    lines.append("|---|" + "--:|" * len(sizes))
    for series, (name, _) in SERIES.items():
        cells = [number(cost(samples, series, size)) for size in sizes]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def plot(samples):
    """The same as a picture: table size on a logarithmic axis, cost of an entry above it."""
    left, top, width, height = 60, 20, 480, 300
    curves = {}
    for series in SERIES:
        points = [(size, cost(samples, series, size)) for size in TABLE_SIZES]
        curves[series] = [(size, value) for size, value in points if value is not None]
    highest = max((value for points in curves.values() for _, value in points), default=1)
    step = 500 if highest > 1500 else 250
    highest = math.ceil(highest / step) * step
    low, high = math.log10(TABLE_SIZES[0]), math.log10(TABLE_SIZES[-1])

    def x(size):
        return left + width * (math.log10(size) - low) / (high - low)

    def y(value):
        return top + height * (1 - value / highest)

    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 370" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="760" height="370" fill="white"/>',
    ]
    for value in range(0, highest + 1, step):
        out.append(f'<path d="M{left} {y(value):.1f}H{left + width}" stroke="#dddddd"/>')
        out.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>')
    for size in TABLE_SIZES:
        label = thousands(size)
        at = f'x="{x(size):.1f}" y="{top + height + 18}"'
        out.append(f'<text {at} text-anchor="middle">{label}</text>')
    for row, (series, points) in enumerate(curves.items()):
        name, colour = SERIES[series]
        line = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for size, value in points:
            out.append(f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>')
        at = top + 20 + 20 * row
        out.append(f'<rect x="560" y="{at - 10}" width="12" height="12" fill="{colour}"/>')
        out.append(f'<text x="578" y="{at}">{name}</text>')
    out.append(f'<text x="{left}" y="{top - 6}">ns an entry</text>')
    out.append(f'<text x="{left + width // 2}" y="360" text-anchor="middle">entries</text>')
    return "\n".join([*out, "</svg>", ""])


def replace(path, part, lines):
    """Puts lines in the place the document marks for them."""
    text = path.read_text()
    start, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->"
    before, rest = text.split(start)
    path.write_text(before + start + "\n".join(lines) + "\n" + end + rest.split(end)[1])
    print("\n".join(lines))


def machine_lines(machine):
    return [*(f"- {name}: {value}" for name, value in machine.items()), ""]


def write_times(docs, samples, machine):
    lines = [*machine_lines(machine), *codec_table(samples), "", *table(samples, rows()), ""]
    lines += [*cost_table(samples), "", "![Cost of an entry](performance.svg)"]
    replace(docs / "performance.md", "times", lines)
    (docs / "performance.svg").write_text(plot(samples))


def write_logs(docs, samples, machine):
    replace(docs / "performance.md", "logs", [*machine_lines(machine), *table(samples, log_rows())])


def write_waiting(docs, samples, machine):
    lines = [*machine_lines(machine), *table(samples, waiting_rows())]
    replace(docs / "performance.md", "events that wait", lines)


def write_lookups(docs, samples, machine):
    lines = [*machine_lines(machine), *table(samples, lookup_rows())]
    replace(docs / "performance.md", "lookups", lines)


def write_instructions(docs, samples, machine):
    lines = [*machine_lines(machine), "| instructions | ctrs | reference | ratio |", "|---|--:|--:|--:|"]
    for figure, name in (CODEC | ACCESS | LOG_CODEC).items():
        m = medians(samples, figure)
        ratio = quotient(m["reference"], m["ctrs"], "%.2f")
        reference = f"{m['reference']:,}" if m["reference"] else "-"
        lines.append(f"| {name} | {m['ctrs']:,} | {reference} | {ratio} |")
    replace(docs / "performance.md", "instructions", lines)
