"""What is usual for a host at an hour of the week: read from the hours of the weeks before it."""

import datetime as dt
from dataclasses import dataclass, field

HOUR_US = 3_600_000_000

# 95th percentile and median, in µs.
Typical = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for a host in each of some hours (counted from 1970)."""

    hours: dict[int, Typical] = field(default_factory=dict)

    def find(self, at_us: int) -> Typical | None:
        """The usual 95th percentile and median (µs) of the hour of a time (µs since 1970); None where nobody knows."""
        return self.hours.get(at_us // HOUR_US)


def read_usual(host_id: int, now: dt.datetime, since: dt.datetime | None = None) -> Usual | None:
    """What is usual for a host from `since` (now, unless given) until a few hours from now."""
    raise NotImplementedError
