"""What other threads ask of a loop that holds a thread only while it has something to do."""

import os
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
LONGEST_CLOSE = 5.0


class Mailbox(Generic[Item]):
    """Hands items to a loop, and starts or wakes it; `start` sets it running in another thread.

    All that two threads share of the engine is in here, under one lock. `alarm` is the descriptor that
    the loop waits for beside its own.
    """

    def __init__(self, start: Callable[[], object]) -> None:
        self.closed = False
        self.alarm = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._start = start
        self._items: list[Item] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether no loop runs, and none is about to."""
        return self._stopped.is_set()

    def put(self, items: Sequence[Item]) -> bool:
        """Hand over items; False if the loop is closed, or no thread takes it as the interpreter exits."""
        with self._lock:
            if self.closed:
                return False
            if self._stopped.is_set():
                try:
                    self._start()
                except RuntimeError:
                    return False
                self._stopped.clear()
            elif not self._items:
                os.eventfd_write(self.alarm, 1)
            self._items += items
            return True

    def take(self, most: int, *, idle: bool) -> list[Item]:
        """Return what has come, at most so many unless it is closed, and ring again for what is left; if nothing has
        come and the loop is idle, it counts as stopped from now on."""
        with self._lock:
            most = len(self._items) if self.closed else most
            items, self._items = self._items[:most], self._items[most:]
            if self._items:
                os.eventfd_write(self.alarm, 1)
            elif idle and not items and not self.closed:
                self._stopped.set()
            return items

    def retire(self) -> None:
        """Let whoever closes the mailbox go on: the loop has ended."""
        self._stopped.set()

    def close(self) -> bool:
        """Take nothing more and wait for the loop's end; True for the one call that finds it ended."""
        with self._lock:
            if self.closed:
                return False
            self.closed = True
            os.eventfd_write(self.alarm, 1)
        return self._stopped.wait(LONGEST_CLOSE)
