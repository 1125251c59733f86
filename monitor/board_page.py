"""The board as a page or as JSON: what is known of each host beside its live row."""

import functools
import json
import time
from dataclasses import dataclass
from typing import Any

from monitor.board import View
from monitor.health import State
from monitor.models import Host
from monitor.series import Now, read_now
from monitor.wire_watch import board_json, row_json

# The last hour is read again so often (s): it changes with each minute.
FRESH = 15
# Who is worst stands first.
RANKS = {
    State.DOWN: 0, State.DEGRADED: 1, State.NOT_MEASURED: 2, State.STARTING: 3, State.UP: 4, State.MAINTENANCE: 5,
    State.PAUSED: 6,
}  # fmt: skip
# So many rows are written into the page; its script fetches the others. Each costs a millisecond until the first paint.
MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A host on the board: times in µs, `sent_at` in ms since 1970, losses from 0 to 1; `last` may be a code."""

    host: Host
    state: State
    last: int | str | None
    loss: float | None
    jitter: float | None
    sent_at: int | None
    hour: Now

    @property
    def rank(self) -> tuple[int, float, str]:
        """Where it stands: worst first."""
        return RANKS[self.state], -(self.loss or 0), self.host.name


def read_rows(view: View) -> list[Row]:
    """A row for every host, worst first; where nobody watches, as the database last knew it."""
    live = {row[0]: row[1:] for row in json.loads(f"[{','.join(view.rows.values())}]")}
    hours = read_last_hour(int(time.time()) // FRESH)
    rows = []
    for host in Host.objects.all():
        state, last, loss, jitter, sent_at, *_why = live.get(host.pk) or (
            host.state,
            host.problem or None,
            None,
            None,
            None,
        )
        rows.append(Row(host, State(state), last, loss, jitter, sent_at, hours.get(host.pk) or Now()))
    return sorted(rows, key=lambda row: row.rank)


def group_rows(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """The rows by group, the groups in the order of their worst hosts."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.host.group, []).append(row)
    return list(groups.items())


def export_board(view: View) -> str:
    """The whole board as JSON: rows as the socket tells them, of hosts that are there, and what is known of each."""
    hours = read_last_hour(int(time.time()) // FRESH)
    hosts = list(Host.objects.all())
    rows = [
        view.rows.get(host.pk) or row_json(host.pk, State(host.state), host.problem or None, None, None, None)
        for host in hosts
    ]
    shapes = [host_shape(host, hours.get(host.pk)) for host in hosts]
    return board_json(view.number, view.at, rows, view.figures, shapes)


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
        "since": round(host.state_since.timestamp() * 1000) if host.state_since else None,
        "loss": hour.loss,
        "median_us": hour.median_us,
        "jitter_us": hour.jitter_us,
        "strip": [_bar(bar) for bar in hour.strip],
    }


def reason_shape(host: Host) -> dict[str, Any]:
    """The rule that a host broke, and what that allows: packets, a share or µs; "" where it is well."""
    incident = host.incidents.filter(ended_at=None).first()
    return (
        {"reason": incident.reason, "limit": incident.measure.get("limit")}
        if incident
        else {"reason": "", "limit": None}
    )


@functools.lru_cache(maxsize=1)
def read_last_hour(turn: int) -> dict[int, Now]:
    """The last hour of every host, the same for all who ask in one turn."""
    return read_now()


def _bar(bar: tuple[int | None, float | None] | None) -> Any:
    # Mostly nothing is lost: then the median alone halves what is sent.
    return bar[0] if bar and not bar[1] and bar[0] is not None else bar
