"""The echoes that are to leave: each when its course has it due, none above the ceiling."""

import heapq
from collections import deque
from operator import attrgetter

from monitor.ping.clock import SECOND, Bucket
from monitor.ping.course import Course, Flight

PAUSE = SECOND // 1000
# Courses wait in slots of 2**22 ns, about four milliseconds: among ten thousand a heap would cost ten times as much.
SLOT = 22
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
        self._held: deque[Flight] = deque()
        self._open_at = 0

    def __bool__(self) -> bool:
        """Whether anything is still to leave."""
        return bool(self._ready or self._slots or self._held)

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
        if self._held:
            due = self._held[0].due
        else:
            due = self._ready[0].due if self._ready else latest
            if self._numbers and self._numbers[0] << SLOT < due:
                due = min(due, *map(by_due, self._slots[self._numbers[0]]))
        return min(latest, max(due, self._open_at))

    def take(self, now: int, most: int) -> list[Flight]:
        """Return the echoes that are to leave now, at most so many."""
        if now < self._open_at:
            return []
        if self._limited:
            most = min(most, self._bucket.room(now))
        if self._numbers and self._numbers[0] <= now >> SLOT:
            self._open_slots(now >> SLOT)
        leaving = [self._held.popleft() for _ in range(min(most, len(self._held)))]
        ready = self._ready
        while ready and ready[0].due <= now and len(leaving) < most:
            course = ready.popleft()
            if not (course.stopped or course.index == course.end):
                leaving.append(course.step(now))
                if course.index != course.end:
                    self.add(course)
        return leaving

    def count(self, now: int, packets: int = 1) -> None:
        """Count packets that have left towards the ceiling."""
        if self._limited:
            for _ in range(packets):
                self._open_at = self._bucket.take(now)

    def hold(self, flight: Flight, now: int) -> None:
        """Take back an echo that the kernel had no room for, to try again in a moment."""
        self._held.append(flight)
        self._open_at = now + PAUSE

    def clear(self) -> list[Flight]:
        """Give up everything, and return the next echo of each course."""
        waiting = [*self._ready, *(course for slot in self._slots.values() for course in slot)]
        left = [course.step(course.due) for course in waiting if not course.over]
        left += self._held
        self._held.clear()
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
