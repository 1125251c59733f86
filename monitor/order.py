"""Puts what came of the echoes of a course back into the order sent."""

from monitor.health import Echo


class Order:
    """Echoes by their index, which counts from 0: each is handed on once all before it are known."""

    __slots__ = ("_next", "_waiting")

    def __init__(self) -> None:
        self._next = 0
        self._waiting: dict[int, Echo] = {}

    def put(self, index: int, echo: Echo) -> list[Echo]:
        """Take one in; those that can be handed on now. One that was given up before is none of them."""
        if index == self._next and not self._waiting:
            self._next += 1
            return [echo]
        if index >= self._next:
            self._waiting[index] = echo
        return self._drain()

    def give_up(self, before: int) -> list[Echo]:
        """Wait no more for what was sent before echoes due until then (µs since 1970); those that this lets go."""
        late = [index for index, echo in self._waiting.items() if echo.due <= before]
        if not late:
            return []
        passed = sorted(index for index in self._waiting if index <= max(late))
        self._next = passed[-1] + 1
        return [self._waiting.pop(index) for index in passed] + self._drain()

    def _drain(self) -> list[Echo]:
        known = []
        while (echo := self._waiting.pop(self._next, None)) is not None:
            known.append(echo)
            self._next += 1
        return known
