"""A live table of many hosts in a terminal, the worst first."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from monitor.ping.reply import Reply, format_time
from monitor.ping.report import Row
from monitor.ping.summary import Summary

REFRESH = 0.25


class LiveTable:
    """Redraws a table of all hosts a few times a second, and leaves its last state standing."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="ellipsis")
        self._rows: Sequence[Row] = ()
        self._drawn_at = 0.0

    def begin(self, rows: Sequence[Row]) -> None:
        """Draw the hosts, of which nothing is known yet."""
        self._rows = rows
        self._live.start()
        self._draw()

    def show(self, row: Row, reply: Reply) -> None:
        """Redraw, unless that was done a moment ago."""
        if time.monotonic() - self._drawn_at > REFRESH:
            self._draw()

    def end(self, rows: Sequence[Row]) -> None:
        """Draw the table whole, however many lines that takes, and give the terminal back."""
        self._live.vertical_overflow = "visible"
        self._draw()
        self._live.stop()

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        self._live.update(build_table(self._rows), refresh=True)


def build_table(rows: Sequence[Row]) -> Table:
    """Return the table of `rows`, the worst first, times in milliseconds."""
    table = Table(box=None, pad_edge=False)
    for heading in ("", "host", "address"):
        table.add_column(heading, no_wrap=True)
    for heading in ("now ms", "median", "p95", "jitter", "loss %", "sent"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in sorted(rows, key=_badness, reverse=True):
        state, style = judge(row.summary)
        table.add_row(state, row.host, row.target.address, *_format_numbers(row), style=style)
    return table


def judge(summary: Summary) -> tuple[str, str]:
    """Return the state of a host as a shape with a word, and its style."""
    if summary.loss is None:
        return ("▨ not measured" if summary.not_sent else "◌ starting"), "dim"
    if summary.received == 0:
        return "✕ no answer", "bold red"
    return ("▲ some loss", "yellow") if summary.lost else ("✓ answers", "green")


def _badness(row: Row) -> tuple[float, int]:
    return (-1.0 if row.summary.loss is None else row.summary.loss, row.summary.median_us or 0)


def _format_numbers(row: Row) -> list[str]:
    summary, last = row.summary, row.last
    times = (last.rtt_us if last else None, summary.median_us, summary.p95_us, summary.jitter_us)
    numbers = ["–" if time is None else format_time(round(time)) for time in times]
    loss = "–" if summary.loss is None else f"{summary.loss * 100:.1f}"
    return [*numbers, loss, str(summary.sent)]
