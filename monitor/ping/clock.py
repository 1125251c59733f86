"""Honest time: a ceiling on packets a second, and a vigil that notices when this machine was not looking."""

import time

SECOND = 1_000_000_000
BURST = SECOND // 20
STALL = SECOND
SLEEP = SECOND // 20
STEP = SECOND // 1000


class Bucket:
    """A ceiling in packets a second, 0 for none; after a rest, a twentieth of a second's worth go at once."""

    def __init__(self, rate: float = 0) -> None:
        self._gap = int(SECOND / rate) if rate else 0
        self._burst = max(BURST, self._gap)
        self._full_at = 0

    def take(self, now: int) -> int:
        """Count a packet that leaves now, and return from when on the next one may."""
        self._full_at = max(now, self._full_at) + self._gap
        return self._full_at + self._gap - self._burst


class Vigil:
    """Notices that the process stalled or the machine slept, when answers may have come that nobody heard."""

    def __init__(self) -> None:
        self._expected = time.monotonic_ns()
        self._slept = self._sleep(self._expected)

    def expect(self, wake: int) -> None:
        """Say when the loop means to be awake again, by the monotonic clock."""
        self._expected = wake

    def disturbed(self, now: int) -> bool:
        """Return whether it woke much later than it meant to, or the machine slept in between."""
        before, self._slept = self._slept, self._sleep(now)
        return now > self._expected + STALL or self._slept > before + SLEEP

    @staticmethod
    def _sleep(now: int) -> int:
        # CLOCK_BOOTTIME goes on while the machine is suspended, the monotonic clock stands still.
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - now


def measure_round_trip(sent: int, sent_at: int, read: int, read_at: int, received_at: int) -> int:
    """Return a round trip in nanoseconds; the `_at` times are of the real clock, the others monotonic.

    The kernel's receive time counts, unless it is missing (0), or impossible, or the real clock was set in
    between: then it is the time until we read the answer, which can only be too long.
    """
    elapsed, round_trip = read - sent, received_at - sent_at
    stepped = not -STEP < read_at - sent_at - elapsed < STEP
    return elapsed if stepped or not 0 <= round_trip <= elapsed + STEP else round_trip
