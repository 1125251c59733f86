"""The echoes that are to leave: each when its course has it due, none above the ceiling."""

import heapq
from collections import deque
from operator import attrgetter

from monitor.ping.clock import SECOND, Bucket
from monitor.ping.course import Course, Flight

PAUSE = SECOND // 1000
# Courses wait in slots of 2**20 ns, about a millisecond: among ten thousand a heap would cost ten times as much.
SLOT = 20
by_due = attrgetter("due")


class Departures:
    """Courses in the order of their next echoes; times are monotonic nanoseconds."""

    def __init__(self, packets_per_second: float = 0) -> None:
        self._bucket = Bucket(packets_per_second)
        self._limited = packets_per_second > 0
        self._slots: dict[int, list[Course]] = {}
        self._numbers: list[int] = []
        # The courses of the slots that have begun.
        self._ready: deque[Course] = deque()
        self._held: Flight | None = None
        self._open_at = 0

    def __bool__(self) -> bool:
        """Whether anything is still to leave."""
        return bool(self._ready or self._slots) or self._held is not None

    def add(self, course: Course) -> None:
        """Take in a course that has started, or taken a step."""
        number = course.due >> SLOT
        if (slot := self._slots.get(number)) is not None:
            slot.append(course)
        else:
            self._slots[number] = [course]
            heapq.heappush(self._numbers, number)

    def wake_at(self, latest: int) -> int:
        """Return when something may leave, `latest` if nothing is to leave before."""
        if self._held is not None:
            due = self._held.due
        else:
            due = self._ready[0].due if self._ready else latest
            if self._numbers and self._numbers[0] << SLOT < due:
                due = min(due, *map(by_due, self._slots[self._numbers[0]]))
        return min(latest, max(due, self._open_at))

    def next(self, now: int) -> Flight | None:
        """Return the echo that is to leave now, if any may."""
        if now < self._open_at:
            return None
        if self._held is not None:
            flight, self._held = self._held, None
            return flight
        if self._numbers and self._numbers[0] <= now >> SLOT:
            self._open_slots(now >> SLOT)
        ready = self._ready
        while ready and ready[0].due <= now:
            course = ready.popleft()
            if course.stopped or course.index == course.end:
                continue
            flight = course.step(now)
            if course.index != course.end:
                self.add(course)
            return flight
        return None

    def count(self, now: int) -> None:
        """Count a packet that has left towards the ceiling."""
        if self._limited:
            self._open_at = self._bucket.take(now)

    def hold(self, flight: Flight, now: int) -> None:
        """Take back an echo that the kernel had no room for, to try again in a moment."""
        self._held = flight
        self._open_at = now + PAUSE

    def clear(self) -> list[Flight]:
        """Give up everything, and return the next echo of each course."""
        waiting = [*self._ready, *(course for slot in self._slots.values() for course in slot)]
        left = [course.step(course.due) for course in waiting if not course.over]
        if self._held is not None:
            left.append(self._held)
        self._held = None
        self._ready.clear()
        self._slots.clear()
        self._numbers.clear()
        return left

    def _open_slots(self, last: int) -> None:
        while self._numbers and self._numbers[0] <= last:
            slot = sorted(self._slots.pop(heapq.heappop(self._numbers)), key=by_due)
            if self._ready and slot[0].due < self._ready[-1].due:
                # Newcomers to a slot that has begun.
                self._ready = deque(sorted([*self._ready, *slot], key=by_due))
            else:
                self._ready += slot
