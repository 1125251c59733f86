"""When this machine was asleep: time that goes on for the clock on the wall and for no packet."""

import time
from collections.abc import Callable

# Shorter than this is no sleep but the distance between two readings of clocks (ns).
LEAST = 100_000_000

# Monotonic, boot and real time of one moment, in ns.
Clocks = tuple[int, int, int]


def read_clocks() -> Clocks:
    """The clock that stands still while the machine is suspended, one that goes on, and the time of day."""
    return time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.time_ns()


class Slumber:
    """Notices at each look that the machine slept since the one before."""

    def __init__(self, read: Callable[[], Clocks] = read_clocks) -> None:
        self._read = read
        self._seen = read()

    def look(self) -> tuple[int, int] | None:
        """From when until when (µs since 1970) it surely slept, which is less by the time awake; None where it did not.

        It ends with the time of day as it is now, whatever that was set to meanwhile.
        """
        (monotonic, boot, _), self._seen = self._seen, self._read()
        awake, passed = self._seen[0] - monotonic, self._seen[1] - boot
        if passed - awake < LEAST or passed < 2 * awake:
            return None
        now = self._seen[2]
        return (now - passed + awake) // 1000, (now - awake) // 1000


def list_slots(due: int, interval: int, span: tuple[int, int], most: int) -> tuple[range, int]:
    """The dues within a span, of packets one of which was due then and the others every `interval`, and how far apart
    they are: at a multiple of the interval where they would be more than `most`. Times are µs."""
    start, end = span
    step = interval * max(1, -(-(end - start) // (interval * max(1, most))))
    return range(due + -(-(start - due) // interval) * interval, end, step), step
