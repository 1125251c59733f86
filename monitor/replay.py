"""Judge what was kept as if it happened now: what other rules would have found, and where a watcher was interrupted."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from monitor.health import Change, Health, State
from monitor.models import Host
from monitor.rules import Effective, Usual

Tell = Callable[[int, int], None]


@dataclass(slots=True)
class Spell:
    """A time in which a host was degraded or down, also while it was not measured meanwhile; times are µs since 1970.

    `reason`, `value` and `limit` are those of `Change`. It has not ended where `ended_at` is None.
    """

    state: State
    began_at: int
    ended_at: int | None
    reason: str = ""
    value: float | None = None
    limit: float | None = None


class Start(NamedTuple):
    """How a host was when that was last written down: `health.seen` is when it was noticed."""

    health: Health
    effective: Effective
    usual: Usual | None = None


class Warm(NamedTuple):
    """A host that was caught up on: how it is, what changed since, and when the last packet kept was over (µs), None
    where there is none."""

    health: Health
    changes: list[Change]
    until: int | None


def replay(
    host: Host, effective: Effective, since: dt.datetime, until: dt.datetime, progress: Tell | None = None
) -> list[Spell]:
    """When a host would have been bad by these rules, without maintenance; `progress` is told how many days are done,
    of how many."""
    raise NotImplementedError


def group_spells(spells: list[Spell]) -> list[list[Spell]]:
    """Spells by the incident that they are of: those that follow one another without a pause."""
    raise NotImplementedError


def warm_up(starts: Mapping[int, Start]) -> dict[int, Warm]:
    """Go on from how hosts (by id) were when that was last written down: judge the packets kept since then, of two
    windows at most."""
    raise NotImplementedError
