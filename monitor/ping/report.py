"""What a terminal shows of many pings: the lines of ping(8), JSON, or CSV, each as soon as it is known."""

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from monitor.ping.reply import Reply, format_line
from monitor.ping.summary import Summary, format_summary
from monitor.ping.target import Target

COLUMNS = ("host", "address", "index", "status", "sent_at_us", "rtt_us", "ttl", "source", "size", "delay_us")


@dataclass(eq=False)
class Row:
    """A host that is pinged: as typed, its target, and what came of it so far."""

    host: str
    target: Target
    summary: Summary = field(default_factory=Summary)
    last: Reply | None = None

    def add(self, reply: Reply) -> None:
        """Count a reply."""
        self.summary.add(reply)
        if not reply.note:
            self.last = reply


class Report(Protocol):
    """Shows replies as they come in, each already counted in its row, and all rows at the end."""

    def begin(self, rows: Sequence[Row]) -> None:
        """Show what is going to be pinged."""

    def show(self, row: Row, reply: Reply) -> None:
        """Show one reply."""

    def end(self, rows: Sequence[Row]) -> None:
        """Show what it all came to."""


class Lines:
    """The lines of ping(8); those of several hosts are told apart by their addresses."""

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output or sys.stdout

    def begin(self, rows: Sequence[Row]) -> None:
        """Print the first line of ping(8) for each host."""
        for row in rows:
            self._print(f"PING {row.host} ({row.target.address}) {row.target.options.size} data bytes")

    def show(self, row: Row, reply: Reply) -> None:
        """Print the line of a reply."""
        self._print(format_line(reply, row.target.address))

    def end(self, rows: Sequence[Row]) -> None:
        """Print the closing lines of ping(8) for each host."""
        for row in rows:
            self._print(f"\n{format_summary(row.summary, row.host)}")

    def _print(self, line: str) -> None:
        print(line, file=self._output, flush=True)


class JsonLines:
    """One JSON object in a line for each reply, and at the end one for each host."""

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output or sys.stdout

    def begin(self, rows: Sequence[Row]) -> None:
        """Print nothing: every line speaks for itself."""

    def show(self, row: Row, reply: Reply) -> None:
        """Print a reply."""
        self._print({"event": "reply", **dict(zip(COLUMNS, list_fields(row, reply), strict=True))})

    def end(self, rows: Sequence[Row]) -> None:
        """Print the summary of each host."""
        for row in rows:
            self._print({"event": "summary", "host": row.host, "address": row.target.address, **describe(row.summary)})

    def _print(self, record: dict[str, object]) -> None:
        print(json.dumps(record, allow_nan=False), file=self._output, flush=True)


class Csv:
    """A table of replies with a heading, for spreadsheets."""

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output or sys.stdout
        self._writer = csv.writer(self._output, lineterminator="\n")

    def begin(self, rows: Sequence[Row]) -> None:
        """Print the heading."""
        self._writer.writerow(COLUMNS)

    def show(self, row: Row, reply: Reply) -> None:
        """Print a reply."""
        self._writer.writerow(list_fields(row, reply))
        self._output.flush()

    def end(self, rows: Sequence[Row]) -> None:
        """Print nothing: a summary is no row of this table."""


def list_fields(row: Row, reply: Reply) -> list[str | int | None]:
    """Return the values of `COLUMNS`."""
    return [
        row.host,
        row.target.address,
        reply.index,
        str(reply.status),
        reply.sent_at,
        reply.rtt_us,
        reply.ttl,
        reply.source,
        reply.size,
        reply.delay_us,
    ]


def describe(summary: Summary) -> dict[str, object]:
    """Return every number of a summary by its name, times in microseconds, None where there is none."""
    counts = ("sent", "received", "lost", "errors", "not_sent", "duplicates", "late", "loss", "loss_interval")
    times = ("min", "avg", "max", "mdev", "jitter", "median", "p95", "p99")
    names = (*counts, *(f"{time}_us" for time in times))
    return {name: getattr(summary, name) for name in names}
