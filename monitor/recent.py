"""What the last five minutes of one host come to, in constant time and memory."""

TENTH = 30_000_000
TENTHS = 10
SENT, LOST, CHANGES, CHANGE_US = range(4)


class Recent:
    """Loss and jitter of five minutes, counted in tenths of them, with sums that lose a tenth when it is over; times
    are µs. To add everything up again for each row of the board took three times as long."""

    __slots__ = ("_answered_at", "_last_us", "_newest", "_sums", "_tenths")

    _answered_at: int
    _last_us: int | None
    _sums: list[int]
    _tenths: list[list[int]]

    def __init__(self) -> None:
        self._newest = 0
        self._clear()

    def add(self, due: int, rtt_us: int | None) -> None:
        """Count an echo that was sent; None where no answer came."""
        tenth = due // TENTH
        if not self._newest - TENTHS < tenth <= self._newest:
            self._turn(tenth)
        self._count(tenth, SENT, 1)
        if rtt_us is None:
            self._count(tenth, LOST, 1)
        elif due > self._answered_at:
            # An answer that overtook this one has been compared already: jitter is of neighbours in the order sent.
            if self._last_us is not None:
                self._count(tenth, CHANGES, 1)
                self._count(tenth, CHANGE_US, abs(rtt_us - self._last_us))
            self._last_us, self._answered_at = rtt_us, due

    def loss(self, now: int) -> float | None:
        """The share lost, 0 to 1; None where nothing was sent."""
        sums = self._look(now)
        return sums[LOST] / sums[SENT] if sums[SENT] else None

    def jitter(self, now: int) -> float | None:
        """The mean change (µs) from one answer to the next."""
        sums = self._look(now)
        return sums[CHANGE_US] / sums[CHANGES] if sums[CHANGES] else None

    def _count(self, tenth: int, what: int, number: int) -> None:
        self._tenths[tenth % TENTHS][what] += number
        self._sums[what] += number

    def _look(self, now: int) -> list[int]:
        if now // TENTH > self._newest:
            self._turn(now // TENTH)
        return self._sums

    def _turn(self, newest: int) -> None:
        """Let a tenth be the newest, and forget those that are five minutes older. After a jump of the clock, back as
        well, that is all of them."""
        if 0 < newest - self._newest < TENTHS:
            for tenth in range(self._newest + 1, newest + 1):
                over, self._tenths[tenth % TENTHS] = self._tenths[tenth % TENTHS], [0] * 4
                self._sums = [total - part for total, part in zip(self._sums, over, strict=True)]
        else:
            self._clear()
        self._newest = newest

    def _clear(self) -> None:
        self._tenths = [[0] * 4 for _ in range(TENTHS)]
        self._sums = [0] * 4
        self._last_us = None
        self._answered_at = 0
