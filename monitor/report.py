"""A month of a host, fit to hand to whoever provides the line: outages, durations, distribution."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from monitor.health import State
from monitor.histogram import list_bins, unpack_wide
from monitor.models import Host, Incident
from monitor.tally import Tally, merge, tally
from monitor.uptime import Account, Span, list_days, measure, read_accounts, read_incidents, read_segments

PERCENTS = (5, 25, 50, 75, 95, 99)
# Where a column of the histogram begins (µs).
EDGES = (0, *(step * 10**power for power in range(2, 7) for step in (1, 2, 5)))
COUNTED = (State.UP, State.DEGRADED, State.DOWN, State.NOT_MEASURED, State.PAUSED, State.MAINTENANCE)
COLUMNS = (
    "kind", "host", "since", "until", *(f"{state.value}_s" for state in COUNTED), "uptime", "sent", "lost",
    "worst", "reason", "ending",
)  # fmt: skip
SECOND_US = 1_000_000


class Outage(NamedTuple):
    """An incident, and how much of it (µs) is of this month."""

    incident: Incident
    start: dt.datetime
    end: dt.datetime | None
    down_us: int
    degraded_us: int

    @property
    def us(self) -> int | None:
        """How long all of it took; None while it goes on."""
        return round((self.end - self.start).total_seconds() * SECOND_US) if self.end else None


@dataclass(frozen=True, slots=True)
class Report:
    """What a month of a host came to, by the clocks of a zone; `bins` are least time (µs) and count."""

    host: Host
    zone: ZoneInfo
    since: dt.datetime
    until: dt.datetime
    total: Account
    days: list[Account]
    outages: list[Outage]
    tally: Tally
    percentiles: dict[int, int]
    bins: list[tuple[int, int]]

    @property
    def longest(self) -> Outage | None:
        """The incident with the most time down in this month."""
        return max((outage for outage in self.outages if outage.down_us), key=lambda each: each.down_us, default=None)


def read_report(host: Host, year: int, month: int, zone: ZoneInfo, now: dt.datetime) -> Report:
    """The month of a host as far as it is over."""
    spans = list_days(year, month, zone)
    since, until = spans[0][0], spans[-1][1]
    days = read_accounts(host, spans, now)
    total = join_accounts(days, since, min(until, now))
    figures = merge(total.rows, unpack_wide) if total.rows else tally([])
    times = figures.percentiles(PERCENTS) or []
    percentiles = dict(zip(PERCENTS, times, strict=False))
    return Report(
        host, zone, since, until, total, days, read_outages(host, since, min(until, now)), figures, percentiles,
        count_bins(figures),
    )  # fmt: skip


def join_accounts(accounts: list[Account], since: dt.datetime, until: dt.datetime) -> Account:
    """Accounts that follow one another as one."""
    us: dict[State, int] = {}
    for account in accounts:
        for state, part in account.us.items():
            us[state] = us.get(state, 0) + part
    rows = [row for account in accounts for row in account.rows]
    return Account(since, until, us, rows, all(account.exact for account in accounts))


def read_outages(host: Host, since: dt.datetime, until: dt.datetime) -> list[Outage]:
    """The incidents of a host that touch the time between two, each with how much of it is within."""
    if since >= until:
        return []
    segments = read_segments(host.pk, since, until)
    down, degraded = (
        [(start, end) for found, start, end in segments if found is state] for state in (State.DOWN, State.DEGRADED)
    )
    return [_weigh(incident, down, degraded, until) for incident in read_incidents(host, since, until)]


def count_bins(figures: Tally) -> list[tuple[int, int]]:
    """How many round trips took at least so long (µs) and less than the next, without empty ends."""
    counts = [0] * len(EDGES)
    for least, width, count in list_bins(figures.entries):
        counts[bisect_right(EDGES, least + width // 2) - 1] += count
    used = [place for place, count in enumerate(counts) if count]
    return [(EDGES[place], counts[place]) for place in range(used[0], used[-1] + 1)] if used else []


def list_rows(report: Report) -> Iterator[tuple[Any, ...]]:
    """The report as rows of `COLUMNS`: the month, its days, its outages; times by the clocks of its zone."""
    yield _account_row("month", report, report.total)
    for day in report.days:
        yield _account_row("day", report, day)
    for outage in report.outages:
        seconds = {State.DOWN: outage.down_us, State.DEGRADED: outage.degraded_us}
        yield (
            "outage", report.host.slug, _local(outage.start, report), outage.end and _local(outage.end, report),
            *(_seconds(seconds.get(state)) for state in COUNTED), None, None, None,
            outage.incident.state, outage.incident.reason, outage.incident.ending,
        )  # fmt: skip


def _weigh(incident: Incident, down: list[Span], degraded: list[Span], until: dt.datetime) -> Outage:
    start, end = incident.began_at, incident.ended_at
    parts = (measure(spans, start, end or until) for spans in (down, degraded))
    return Outage(incident, start, end, *parts)


def _account_row(kind: str, report: Report, account: Account) -> tuple[Any, ...]:
    us = account.us | {State.NOT_MEASURED: account.unmeasured_us}
    packets = account.packets
    uptime = None if account.uptime is None else f"{account.uptime:.8f}"
    return (
        kind, report.host.slug, _local(account.since, report), _local(account.until, report),
        *(_seconds(us.get(state, 0)) for state in COUNTED), uptime, packets.sent, packets.lost, None, None, None,
    )  # fmt: skip


def _local(moment: dt.datetime, report: Report) -> str:
    return moment.astimezone(report.zone).isoformat(timespec="seconds")


def _seconds(us: int | None) -> str | None:
    return None if us is None else f"{us / SECOND_US:.6f}".rstrip("0").rstrip(".")
