"""The board as a page or as JSON: what is known of each host beside its live row."""

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from monitor.board import View
from monitor.chronicle import count_open
from monitor.health import State
from monitor.models import Host
from monitor.series import read_counts
from monitor.window import Bar, Counts, Now, Window
from monitor.windows import read_calendar
from monitor.wire_watch import UNTIL, board_json, row_json

# The last hour ends with a minute that is over for so long (s): the keeper counts a hundred hosts a second.
COUNTED = 25
# Who is worst stands first.
RANKS = {
    State.DOWN: 0, State.DEGRADED: 1, State.NOT_MEASURED: 2, State.STARTING: 3, State.UP: 4, State.MAINTENANCE: 5,
    State.PAUSED: 6,
}  # fmt: skip
# So many rows are written into the page; its script fetches the others. Each costs a millisecond until the first paint.
MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A host on the board: times in µs, `sent_at` and when its maintenance ends (`until`) in ms since 1970, losses from
    0 to 1; `last` may be a code."""

    host: Host
    state: State
    last: int | str | None
    loss: float | None
    jitter: float | None
    sent_at: int | None
    hour: Now
    until: int | None = None

    @property
    def rank(self) -> tuple[int, float, str]:
        """Where it stands: worst first."""
        return RANKS[self.state], -(self.loss or 0), self.host.name


def read_rows(view: View) -> list[Row]:
    """A row for every host, worst first; where nobody watches, as the database last knew it."""
    hosts, hours = list(Host.objects.all()), last_hour.read()
    told = json.loads(f"[{','.join(_complete(view, hosts).values())}]")
    rows = [_make_row(host, row, hours) for host, row in zip(hosts, told, strict=True)]
    return sorted(rows, key=lambda row: row.rank)


def group_rows(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """The rows by group, the groups in the order of their worst hosts."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.host.group, []).append(row)
    return list(groups.items())


def export_board(view: View) -> str:
    """The whole board as JSON: rows as the socket tells them, of hosts that are there, and what is known of each."""
    hours = last_hour.read()
    hosts = list(Host.objects.all())
    shapes = [host_shape(host, hours.get(host.pk)) for host in hosts]
    return board_json(view.number, view.at, _complete(view, hosts).values(), view.figures, shapes, count_open())


def host_shape(host: Host, hour: Now | None) -> dict[str, Any]:
    """A host in JSON: what it is, since when it is as it is (ms since 1970), and its last hour."""
    hour = hour or Now()
    return {
        "id": host.pk,
        "slug": host.slug,
        "name": host.name,
        "host": host.host,
        "family": host.family,
        "address": host.address,
        "group": host.group,
        "tags": host.tags,
        "interval": host.interval,
        "timeout": host.timeout,
        "paused": host.paused,
        "problem": host.problem,
        "since": _to_ms(host.state_since),
        "loss": hour.loss,
        "median_us": hour.median_us,
        "jitter_us": hour.jitter_us,
        "strip": [_bar(bar) for bar in hour.strip],
    }


def reason_shape(host: Host) -> dict[str, Any]:
    """The rule that a host broke, and what that allows: packets, a share or µs; "" where it is well. Of maintenance
    when it ends (ms since 1970)."""
    if end := find_ends([host]).get(host.pk):
        return {"reason": UNTIL, "limit": end}
    incident = host.incidents.filter(ended_at=None).first()
    return (
        {"reason": incident.reason, "limit": incident.measure.get("limit")}
        if incident
        else {"reason": "", "limit": None}
    )


def find_ends(hosts: Iterable[Host]) -> dict[int, int]:
    """When maintenance ends (ms since 1970), of those of the hosts that are in it; two queries, or none."""
    maintained = [host for host in hosts if host.state == State.MAINTENANCE.value]
    if not maintained:
        return {}
    calendar, now = read_calendar(), timezone.now()
    ends = {host.pk: calendar.find_end(host, now) for host in maintained}
    return {pk: round(end.timestamp() * 1000) for pk, end in ends.items() if end}


def _complete(view: View, hosts: list[Host]) -> dict[int, str]:
    """The row of each host in JSON, in their order; one that nobody told of is as the database last knew it."""
    ends = find_ends(host for host in hosts if host.pk not in view.rows)
    return {host.pk: view.rows.get(host.pk) or _row_on_record(host, ends.get(host.pk)) for host in hosts}


def _row_on_record(host: Host, end: int | None) -> str:
    since = _to_ms(host.state_since)
    why = (since or 0, UNTIL, end) if end else None
    return row_json(host.pk, State(host.state), host.problem or None, None, None, None, why)


def _make_row(host: Host, told: list[Any], hours: dict[int, Now]) -> Row:
    _pk, state, last, loss, jitter, sent_at, *why = told
    until = why[2] if why and why[1] == UNTIL else None
    return Row(host, State(state), last, loss, jitter, sent_at, hours.get(host.pk) or Now(), until)


class LastHour:
    """The last hour of every host, the same for all who ask in one minute; `read` is how minutes are read."""

    def __init__(self, read: Callable[[int, int], Iterable[Counts]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Know nothing, as at the beginning."""
        self._window = Window()
        self._hosts: dict[int, Now] = {}

    def read(self, now: float | None = None) -> dict[int, Now]:
        """The hour of each host as it is now (s since 1970), by host; those of which nothing was kept are left out."""
        end = int((now or time.time()) - COUNTED) // 60
        with self._lock:
            if end != self._window.end:
                since = self._window.find_since(end)
                self._window.take(self._read(since, end), since, end)
                self._hosts = self._window.sum_up()
            return self._hosts


last_hour = LastHour(read_counts)


def _to_ms(moment: dt.datetime | None) -> int | None:
    return round(moment.timestamp() * 1000) if moment else None


def _bar(bar: Bar) -> Any:
    # Mostly nothing is lost: then the median alone halves what is sent.
    return bar[0] if bar and not bar[1] and bar[0] is not None else bar
