"""Honest time: a ceiling on packets a second, and a vigil that notices when this machine was not looking."""

import time

SECOND = 1_000_000_000
BURST = SECOND // 20
STALL = SECOND
SLEEP = SECOND // 20
STEP = SECOND // 1000
WINDOW = SECOND // 100
CALM = 10
MOMENT = SECOND // 50_000
TRIES = 5


class Bucket:
    """A ceiling in packets a second, 0 for none; after a rest, a twentieth of a second's worth go at once."""

    def __init__(self, rate: float = 0) -> None:
        self._gap = int(SECOND / rate) if rate else 0
        self._burst = max(BURST, self._gap)
        self._full_at = 0

    def room(self, now: int) -> int:
        """Return how many packets may leave now; there must be a ceiling."""
        return (now + self._burst - max(now, self._full_at)) // self._gap

    def take(self, now: int) -> int:
        """Count a packet that leaves now, and return from when on the next one may."""
        self._full_at = max(now, self._full_at) + self._gap
        return self._full_at + self._gap - self._burst


class Load:
    """Whether so many packets come and go that it pays to handle them in batches."""

    def __init__(self) -> None:
        self.heavy = False
        self._since = 0
        self._packets = 0

    def add(self, packets: int, now: int) -> None:
        """Count packets handled now."""
        self._packets += packets
        if now - self._since > WINDOW:
            self.heavy = self._packets > CALM
            self._since, self._packets = now, 0


class Vigil:
    """Notices that the process stalled or the machine slept, when answers may have come that nobody heard.

    An echo that was in the air at `disturbed_at` (monotonic ns) and has no answer was not measured. `expected` is when
    the loop means to wake up, or since when it is awake.
    """

    def __init__(self) -> None:
        self.disturbed_at = 0
        self.expected = time.monotonic_ns()
        self._slept = _measure_sleep(self.expected)

    def expect(self, wake: int) -> None:
        """Say until when the loop means to sleep."""
        self.expected = wake

    def look(self, now: int) -> None:
        """Notice a stall if it is much later than expected, or a sleep of the machine since the last look."""
        before, self._slept = self._slept, _measure_sleep(now)
        if now > self.expected + STALL or self._slept > before + SLEEP:
            self.disturbed_at = now
        self.expected = now


def measure_round_trip(sent: int, sent_at: int, read: int, read_at: int, received_at: int) -> int:
    """Return a round trip in nanoseconds; the `_at` times are of the real clock, the others monotonic.

    The kernel's receive time counts, unless it is missing (0), or impossible, or the real clock was set in
    between: then it is the time until we read the answer, which can only be too long.
    """
    elapsed, round_trip = read - sent, received_at - sent_at
    stepped = not -STEP < read_at - sent_at - elapsed < STEP
    return elapsed if stepped or not 0 <= round_trip <= elapsed + STEP else round_trip


def read_clocks() -> tuple[int, int]:
    """Return the monotonic and the real time of one moment, in nanoseconds."""
    for _ in range(TRIES):
        before, real, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        # Another thread may have had its turn in between.
        if after - before < MOMENT:
            break
    return before, real


def _measure_sleep(now: int) -> int:
    # CLOCK_BOOTTIME goes on while the machine is suspended, the monotonic clock stands still.
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - now
