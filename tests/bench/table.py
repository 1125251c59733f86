"""The observations of both applications as one Markdown table."""

import datetime
import importlib.metadata
import math
import os
import platform
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tests.bench.runs import Observation

PACKAGES = ("django", "channels", "daphne", "flask-socketio", "eventlet", "gunicorn")
Measure = Callable[[Observation], float | None]


def quantile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed; None for no values."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else None


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean; None for no values."""
    return math.fsum(values) / len(values) if values else None


def scale(factor: float, unit: str) -> Callable[[float], str]:
    """A formatter: at least three significant figures of `factor` times the value, and the unit."""

    def format_value(value: float) -> str:
        scaled = value * factor
        rounded = abs(float(f"{scaled:.3g}"))
        digits = max(0, 2 - math.floor(math.log10(rounded))) if rounded else 0
        return f"{scaled:.{min(digits, 3)}f} {unit}"

    return format_value


SECONDS, MILLISECONDS, KILOBYTES = scale(1, "s"), scale(1e3, "ms"), scale(1e-3, "kB")

TIMES: list[tuple[str, Measure, Callable[[float], str]]] = [
    ("first line, median", lambda seen: quantile(seen.first, 0.5), MILLISECONDS),
    ("first line, worst", lambda seen: quantile(seen.first, 1), MILLISECONDS),
    ("last line, median", lambda seen: quantile(seen.last, 0.5), SECONDS),
    ("last line, worst", lambda seen: quantile(seen.last, 1), SECONDS),
    ("gap between lines, p50", lambda seen: quantile(seen.gaps, 0.5), SECONDS),
    ("gap between lines, p99", lambda seen: quantile(seen.gaps, 0.99), SECONDS),
    ("gap between lines, worst", lambda seen: quantile(seen.gaps, 1), SECONDS),
    ("delivery after the reply, median", lambda seen: quantile(seen.deliveries, 0.5), MILLISECONDS),
    ("delivery after the reply, worst", lambda seen: quantile(seen.deliveries, 1), MILLISECONDS),
    ("server CPU per run", lambda seen: mean(seen.cpu), MILLISECONDS),
    ("memory per idle socket", lambda seen: mean(seen.memory), KILOBYTES),
]
TARGETS = {
    (1, "delivery after the reply, worst"): "≤ 2 ms",
    (500, "gap between lines, p99"): "≤ 1.06 s",
    (500, "server CPU per run"): "≤ 1/15",
    (500, "memory per idle socket"): "≤ 45 kB",
    (500, "lines delivered, sockets in order"): "all",
}


def count_lines(seen: Observation) -> str:
    """Lines received of those expected, and sockets that got all five in order."""
    share = seen.in_order * 5 / seen.expected if seen.expected else 0
    return f"{seen.received} of {seen.expected}, {share:.1%}"


def describe_machine(packages: Iterable[str] = PACKAGES) -> str:
    """Date, processor, cores, kernel, Python and the versions under test, in one sentence each."""
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {model[1] if model else platform.machine()}, "
        f"{os.cpu_count()} cores; Linux {platform.release()}; Python {platform.python_version()}; {versions}."
    )


def format_ratio(theirs: float, own: float) -> str:
    """How many times as much theirs is; nothing where it means nothing."""
    return f"{theirs / own:.3g}" if own > 0 else ""


def format_rows(size: int, ancestor: Observation, ours: Observation) -> list[str]:
    """The table's rows for one number of sockets; what was not measured of either is left out."""
    label = "lines delivered, sockets in order"
    rows = [(label, count_lines(ancestor), count_lines(ours), "")]
    for name, measure, format_value in TIMES:
        theirs, own = measure(ancestor), measure(ours)
        if theirs is not None and own is not None:
            rows.append((name, format_value(theirs), format_value(own), format_ratio(theirs, own)))
    return [
        f"| {size} | {name} | {theirs} | {own} | {ratio} | {TARGETS.get((size, name), '')} |"
        for name, theirs, own, ratio in rows
    ]


def describe_silence(seen: Observation) -> str:
    """What our sockets saw of a host that never answers, in one sentence."""
    gap, cpu = SECONDS(quantile(seen.gaps, 0.99) or 0), MILLISECONDS(mean(seen.cpu) or 0)
    lines = count_lines(seen)
    return (
        f"A host that never answers, {seen.sockets} sockets: {lines}; gap between lines, p99 {gap}; {cpu} of CPU a run."
    )


def format_table(ancestor: dict[int, Observation], ours: dict[int, Observation]) -> str:
    """The whole table in Markdown."""
    rows = ["| sockets | measured | ancestor | pingsite | ratio | to reach |", "|--:|---|--:|--:|--:|--:|"]
    for size in sorted(ours):
        rows += format_rows(size, ancestor[size], ours[size])
    return "\n".join(rows)
