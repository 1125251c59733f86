"""Event loops that never pause give way to a thread that waits for the interpreter."""

import contextlib
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

# A loop that is busy looks after the thread so often, in seconds; one that has pauses does so less and less, and in the
# end soon after the thread means to wake up, within these bounds.
OFTEN, SELDOM, RARELY = 0.001, 0.025, 0.25
SOON = 0.002
MOST_VAIN = 5
# It gives way in pieces, for the thread may let go of the interpreter in the middle of what it has to do.
PIECES, PIECE = 10, 0.0001


class Look(NamedTuple):
    """What a loop saw: at that time, when it had computed for `used` seconds, `when` as below; it looks again after
    `pause`. The last `vain` times it gave way the thread did not come further."""

    at: float
    used: float
    when: float = 0.0
    pause: float = OFTEN
    vain: int = 0

    def follow(self, at: float, used: float, when: float, pieces: int) -> "Look":
        """Return the next one, in which the loop gave way in so many pieces."""
        vain = min(self.vain + 1, MOST_VAIN) if pieces == PIECES and when == self.when else 0
        if pieces:
            # Where the thread cannot come further whatever the loop does, it gives way less and less.
            pause = min(SELDOM, OFTEN * 2**vain)
        elif used - self.used > (at - self.at) / 2:
            pause = OFTEN
        else:
            pause = min(2 * self.pause, max(when + SOON - at, SELDOM), RARELY)
        return Look(at, used, when, pause, vain)


class Courtesy:
    """Has event loops look after another thread: `find_when` returns since when that has something to do, or when it
    means to wake up (monotonic seconds), or None once it has ended.

    Who waits for the interpreter asks for it after a while (see `precedence`), and starts anew whenever it is let go
    of, even if only for an instant, as an event loop does in each of its rounds. Beside one that has no pause, and
    rounds shorter than that while, a thread waits for ever, unless the loop itself gives way. It does so between its
    rounds; no other thread or loop that lets go of the interpreter as often does.
    """

    def __init__(self, find_when: Callable[[], float | None], sleep: Callable[[float], None] = time.sleep) -> None:
        self._find_when = find_when
        self._sleep = sleep
        # The last look of each: a timer that knows of an older one is of no use any more.
        self._looks = WeakKeyDictionary[AbstractEventLoop, Look]()
        self._lock = threading.Lock()

    def ask(self, loops: Iterable[AbstractEventLoop | None]) -> None:
        """Have loops look after the thread until that has ended; to be called from any thread."""
        with self._lock:
            for loop in loops:
                if loop is None:
                    continue
                if (last := self._looks.get(loop)) is None:
                    self._looks[loop] = first = Look(time.monotonic(), 0.0)
                    self._post(loop, self._look, loop, first)
                elif last.pause > SELDOM:
                    self._post(loop, self._hasten, loop)

    def _post(self, loop: AbstractEventLoop, *call: Any) -> None:
        with contextlib.suppress(RuntimeError):  # it was closed
            # In a context of its own: that of who asks would be kept for as long as the loop looks.
            loop.call_soon_threadsafe(*call, context=Context())

    def give_way(self, before: Look) -> Look:
        """Let the thread in if it has something to do, a little at a time; to be called in the loop's thread."""
        when, pieces = self._find_when(), 0
        while pieces < PIECES and when is not None and when <= time.monotonic():
            self._sleep(PIECE)
            pieces += 1
            when = self._find_when()
        return before.follow(time.monotonic(), time.thread_time(), when or 0.0, pieces)

    def _look(self, loop: AbstractEventLoop, before: Look) -> None:
        """Give way if that is wanted, and look again, also where a signal ends it."""
        with self._lock:
            if self._looks.get(loop) is not before:
                return
            if self._find_when() is None:
                del self._looks[loop]
                return
        look = before
        try:
            look = self.give_way(before)
        finally:
            with self._lock:
                self._looks[loop] = look
            loop.call_later(look.pause, self._look, loop, look)

    def _hasten(self, loop: AbstractEventLoop) -> None:
        """Look now: something was asked for that the last look knew nothing of."""
        with self._lock:
            if (last := self._looks.get(loop)) is None or last.pause <= SELDOM:
                return
            self._looks[loop] = now = last._replace(pause=OFTEN)
        self._look(loop, now)
