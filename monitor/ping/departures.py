"""The echoes that are to leave: each when its course has it due, none above the ceiling."""

import heapq
import itertools

from monitor.ping.clock import SECOND, Bucket
from monitor.ping.course import Course, Flight

PAUSE = SECOND // 1000


class Departures:
    """Courses in the order of their next echoes; times are monotonic nanoseconds."""

    def __init__(self, packets_per_second: float = 0) -> None:
        self._bucket = Bucket(packets_per_second)
        self._courses: list[tuple[int, int, Course]] = []
        self._tickets = itertools.count()
        self._held: Flight | None = None
        self._open_at = 0

    def __bool__(self) -> bool:
        """Whether anything is still to leave."""
        return bool(self._courses) or self._held is not None

    def add(self, course: Course) -> None:
        """Take in a course that has started."""
        heapq.heappush(self._courses, (course.due, next(self._tickets), course))

    def wake_at(self, latest: int) -> int:
        """Return when something may leave, `latest` if nothing is to leave before."""
        if self._held is None and not self._courses:
            return latest
        due = self._held.due if self._held is not None else self._courses[0][0]
        return min(latest, max(due, self._open_at))

    def next(self, now: int) -> Flight | None:
        """Return the echo that is to leave now, if any may."""
        if now < self._open_at:
            return None
        if self._held is not None:
            flight, self._held = self._held, None
            return flight
        while self._courses and self._courses[0][0] <= now:
            course = self._courses[0][2]
            if course.over:
                heapq.heappop(self._courses)
                continue
            flight = course.step(now)
            if course.over:
                heapq.heappop(self._courses)
            else:
                heapq.heapreplace(self._courses, (course.due, next(self._tickets), course))
            return flight
        return None

    def count(self, now: int) -> None:
        """Count a packet that has left towards the ceiling."""
        self._open_at = self._bucket.take(now)

    def hold(self, flight: Flight, now: int) -> None:
        """Take back an echo that the kernel had no room for, to try again in a moment."""
        self._held = flight
        self._open_at = now + PAUSE

    def clear(self) -> list[Flight]:
        """Give up everything, and return the next echo of each course."""
        left = [course.step(course.due) for _, _, course in self._courses if not course.over]
        if self._held is not None:
            left.append(self._held)
        self._held = None
        self._courses.clear()
        return left
