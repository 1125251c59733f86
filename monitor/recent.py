"""What the last five minutes of one host come to, in constant time and memory."""

TENTH = 30_000_000
TENTHS = 10


class Recent:
    """Loss and jitter of five minutes, counted in tenths of them; times are µs."""

    __slots__ = ("_answered_at", "_change_us", "_changes", "_last_us", "_lost", "_sent", "_tenths")

    def __init__(self) -> None:
        self._tenths = [-TENTHS] * TENTHS
        self._sent = [0] * TENTHS
        self._lost = [0] * TENTHS
        self._changes = [0] * TENTHS
        self._change_us = [0] * TENTHS
        self._last_us: int | None = None
        self._answered_at = 0

    def add(self, due: int, rtt_us: int | None) -> None:
        """Count an echo that was sent; None where no answer came."""
        place = self._find_place(due // TENTH)
        self._sent[place] += 1
        if rtt_us is None:
            self._lost[place] += 1
        elif due > self._answered_at:
            # An answer that overtook this one has been compared already: jitter is of neighbours in the order sent.
            if self._last_us is not None:
                self._changes[place] += 1
                self._change_us[place] += abs(rtt_us - self._last_us)
            self._last_us, self._answered_at = rtt_us, due

    def loss(self, now: int) -> float | None:
        """The share lost, 0 to 1; None where nothing was sent."""
        places = self._fresh(now)
        sent = sum(self._sent[place] for place in places)
        return sum(self._lost[place] for place in places) / sent if sent else None

    def jitter(self, now: int) -> float | None:
        """The mean change (µs) from one answer to the next."""
        places = self._fresh(now)
        changes = sum(self._changes[place] for place in places)
        return sum(self._change_us[place] for place in places) / changes if changes else None

    def _find_place(self, tenth: int) -> int:
        place = tenth % TENTHS
        if self._tenths[place] != tenth:
            self._tenths[place] = tenth
            self._sent[place] = self._lost[place] = self._changes[place] = self._change_us[place] = 0
        return place

    def _fresh(self, now: int) -> list[int]:
        newest = now // TENTH
        return [place for place, tenth in enumerate(self._tenths) if newest - TENTHS < tenth <= newest]
