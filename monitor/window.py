"""The last hour of hosts, minute by minute: what is known stays, and only what is newer is read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median_low

MINUTES = 60
# A minute is read again until so many later ones are over: answers come late, and the watcher writes behind its time.
LATE = 3
# What was written later still, as after the database was away, is found when all is read again, so often (minutes).
AGAIN = 10

# Median (µs) and loss (0 to 1) of a minute; None where nothing of it was kept.
Bar = tuple[int | None, float | None] | None
# Host, minute (since 1970), how many were sent and received, median and the sum of changes (both µs).
Counts = tuple[int, int, int, int, int | None, int | None]
# Of one minute: sent, received, the sum of changes (µs), and its bar.
Kept = tuple[int, int, int, Bar]
NOTHING: Kept = (0, 0, 0, None)


@dataclass(slots=True)
class Now:
    """The last hour of a host: share lost (0 to 1), median and jitter (µs), and a bar for each of its minutes, oldest
    first. The median is that of the minutes' medians."""

    loss: float | None = None
    median_us: int | None = None
    jitter_us: int | None = None
    strip: list[Bar] = field(default_factory=lambda: [None] * MINUTES)


class Window:
    """The hour before the minute `end` (since 1970) of every host of which something is known."""

    def __init__(self) -> None:
        self.end = 0
        self._hosts: dict[int, list[Kept]] = {}

    def find_since(self, end: int) -> int:
        """The first minute that is to be read to know the hour before `end`."""
        first = end - MINUTES
        # A clock that was set back may have written minutes anew.
        return first if end < self.end or end % AGAIN == 0 else max(first, self.end - LATE)

    def take(self, rows: Iterable[Counts], since: int, end: int) -> None:
        """Move on to `end`, and take in what was read of the minutes from `since` on."""
        kept, gone = since - (end - MINUTES), max(0, end - self.end)
        blank = [NOTHING] * (MINUTES - kept)
        hosts = {host: minutes[gone : gone + kept] + blank for host, minutes in self._hosts.items()}
        for host, minute, sent, received, median, changes in rows:
            if (minutes := hosts.get(host)) is None:
                minutes = hosts[host] = [NOTHING] * MINUTES
            loss = (0.0 if received == sent else 1 - received / sent) if sent else None
            minutes[minute - end] = sent, received, changes or 0, (median, loss)
        self._hosts = {host: minutes for host, minutes in hosts.items() if minutes.count(NOTHING) < MINUTES}
        self.end = end

    def sum_up(self) -> dict[int, Now]:
        """The hour of each host, by host."""
        return {host: _sum_up(minutes) for host, minutes in self._hosts.items()}


def _sum_up(minutes: list[Kept]) -> Now:
    sents, receiveds, changes, bars = zip(*minutes, strict=True)
    sent, received = sum(sents), sum(receiveds)
    medians = [bar[0] for bar in bars if bar and bar[0] is not None]
    pairs = received - len(medians)
    return Now(
        loss=1 - received / sent if sent else None,
        median_us=median_low(medians) if medians else None,
        jitter_us=sum(changes) // pairs if pairs else None,
        strip=list(bars),
    )
