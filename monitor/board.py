"""The board: a row for each host; every quarter of a second what changed of them, numbered; its mirror elsewhere."""

import time
from dataclasses import dataclass
from typing import Protocol

from monitor.wire_watch import Figures, TickMessage

TICK_SECONDS = 0.25
# A tick in which nothing changed is told now and then all the same: silence would look like a watcher that is gone.
QUIET_TICKS = 20


class Shown(Protocol):
    """What stands on the board."""

    id: int

    def row(self, now: int) -> str:
        """Its row in JSON; `now` is in µs since 1970."""


class Board:
    """All rows as they were last told, and the hosts that are no longer so.

    Numbers go up by one with each tick and begin at the time of day in ms, so that those of a watcher that takes over
    never follow those before without a gap.
    """

    def __init__(self) -> None:
        self.number = time.time_ns() // 1_000_000
        self._rows: dict[int, str] = {}
        self._stale: dict[int, Shown] = {}
        self._changed: set[int] = set()
        self._gone: set[int] = set()
        self._quiet = 0

    def mark(self, shown: Shown) -> None:
        """Something of this host's row is new."""
        self._gone.discard(shown.id)
        self._stale[shown.id] = shown

    def announce(self, shown: Shown) -> None:
        """This host is new, or has another name, group or address."""
        self._changed.add(shown.id)
        self.mark(shown)

    def drop(self, host: int) -> None:
        """This host is gone."""
        self._gone.add(host)
        self._changed.discard(host)
        self._stale.pop(host, None)

    def tick(self, figures: Figures | None = None) -> TickMessage | None:
        """What changed since the last tick; None where nothing did."""
        self._quiet += 1
        if not (self._stale or self._changed or self._gone or self._quiet > QUIET_TICKS):
            return None
        now = time.time_ns() // 1000
        rows = {shown.id: shown.row(now) for shown in self._stale.values()}
        for host in self._gone:
            self._rows.pop(host, None)
        self._rows |= rows
        changed, gone = sorted(self._changed), sorted(self._gone)
        self._stale, self._changed, self._gone, self._quiet = {}, set(), set(), 0
        self.number += 1
        return self._message("board.tick", now, rows, changed, gone, figures)

    def state(self, figures: Figures | None = None) -> TickMessage:
        """The whole board as told up to the last tick."""
        return self._message("board.state", time.time_ns() // 1000, self._rows, [], [], figures)

    def _message(
        self, kind: str, now: int, rows: dict[int, str], changed: list[int], gone: list[int], figures: Figures | None
    ) -> TickMessage:
        return {
            "type": kind,
            "number": self.number,
            "at": now // 1000,
            "rows": [*rows.items()],
            "changed": changed,
            "gone": gone,
            "figures": figures,
        }


@dataclass(frozen=True, slots=True)
class View:
    """The board: rows in JSON by host, as they were after the tick `number`, at `at` (ms since 1970; None: unknown)."""

    number: int
    at: int | None
    rows: dict[int, str]
    figures: Figures | None


class Mirror:
    """The board as those know it who only hear of it."""

    def __init__(self) -> None:
        self.number = 0
        self._at: int | None = None
        self._rows: dict[int, str] = {}
        self._figures: Figures | None = None

    def view(self) -> View:
        """The board as it is now."""
        return View(self.number, self._at, dict(self._rows), self._figures)

    def follow(self, tick: TickMessage) -> bool:
        """Take in what changed; False where something before it is missing."""
        if tick["number"] != self.number + 1:
            return False
        self._apply(tick)
        return True

    def replace(self, state: TickMessage) -> None:
        """Begin anew from the whole."""
        self._rows.clear()
        self._apply(state)

    def _apply(self, message: TickMessage) -> None:
        self.number, self._at = message["number"], message["at"]
        self._figures = message["figures"] or self._figures
        self._rows.update(message["rows"])
        for host in message["gone"]:
            self._rows.pop(host, None)
