"""Event loops that never pause give way to a thread that waits for the interpreter."""

import contextlib
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from weakref import WeakSet

# A loop that has pauses is looked at seldom; one that is busy, or had to give way, once a millisecond.
SELDOM, OFTEN = 0.025, 0.001
# It gives way in pieces, for the thread may let go of the interpreter in the middle of what it has to do.
PIECES, PIECE = 10, 0.0001


class Courtesy:
    """Has event loops look after another thread: `wanted` says whether that has something to do now, `over` whether it
    has ended.

    Who waits for the interpreter asks for it after a while (see `precedence`), and starts anew whenever it is let go
    of, even if only for an instant, as an event loop does in each of its rounds. Beside one that has no pause, and
    rounds shorter than that while, a thread waits for ever, unless the loop itself gives way.
    """

    def __init__(self, wanted: Callable[[], bool], over: Callable[[], bool]) -> None:
        self._wanted = wanted
        self._over = over
        self._loops = WeakSet[AbstractEventLoop]()
        self._lock = threading.Lock()

    def ask(self, loop: AbstractEventLoop) -> None:
        """Have a loop look after the thread until that has ended; to be called from any thread."""
        with self._lock:
            if loop not in self._loops:
                with contextlib.suppress(RuntimeError):  # it was closed
                    loop.call_soon_threadsafe(self._look, loop, time.monotonic(), 0.0)
                    self._loops.add(loop)

    def _look(self, loop: AbstractEventLoop, looked: float, used: float) -> None:
        """Give way if that is wanted, and look again; when it last looked the loop had computed for `used` seconds."""
        with self._lock:
            if self._over():
                self._loops.discard(loop)
                return
        pieces = 0
        while pieces < PIECES and self._wanted():
            time.sleep(PIECE)
            pieces += 1
        now, using = time.monotonic(), time.thread_time()
        busy = pieces or using - used > (now - looked) / 2
        loop.call_later(OFTEN if busy else SELDOM, self._look, loop, now, using)
