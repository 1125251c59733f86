"""Those who look from this process: the board as they see it, how many they are, what they wish of the watcher."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

from monitor.live import listen, publish
from monitor.wire_watch import (
    BOARD_GROUP,
    LOOKERS_GROUP,
    STATE_GROUP,
    WATCHER_GROUP,
    Figures,
    looking_json,
)

log = logging.getLogger(__name__)

# A wish is repeated so often, and forgotten by the watcher a little later than when it last was.
ANNOUNCE_SECONDS = 2.0
# What another process said of its onlookers holds for so long.
ELSEWHERE_SECONDS = 7.0
# How long a page waits for the whole board, when this process has just begun to look.
STATE_SECONDS = 1.0


class Onlooker(Protocol):
    """A socket that looks."""

    async def tell(self, text: str) -> None:
        """Send a frame."""


@dataclass(frozen=True, slots=True)
class View:
    """The board: rows in JSON by host, as they were after the tick `number`, at `at` (ms since 1970; None: unknown)."""

    number: int
    at: int | None
    rows: dict[int, str]
    figures: Figures | None


class Onlookers:
    """The board of this process, kept by the ticks of whichever process watches. Made anywhere; it begins to listen,
    in the running loop, when somebody looks."""

    def __init__(self) -> None:
        self._process = uuid.uuid4().hex
        self._number = 0
        self._at: int | None = None
        self._rows: dict[int, str] = {}
        self._figures: Figures | None = None
        self._sockets: set[Onlooker] = set()
        self._elsewhere: dict[str, tuple[int, float]] = {}
        self._wishes: Counter[tuple[int, bool]] = Counter()
        self._told = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._complete = asyncio.Event()
        self._wake = asyncio.Event()
        self._asked_at = 0.0

    @property
    def number(self) -> int:
        """How many look, from here and from elsewhere."""
        now = time.monotonic()
        return len(self._sockets) + sum(number for number, until in self._elsewhere.values() if until > now)

    async def view(self) -> View:
        """The board as it is now; where no process watches, an empty one."""
        self._open()
        if not self._complete.is_set() and time.monotonic() < self._asked_at + STATE_SECONDS:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._complete.wait(), STATE_SECONDS)
        return View(self._number, self._at, dict(self._rows), self._figures)

    def arrive(self, socket: Onlooker) -> None:
        """A socket looks from now on."""
        self._open()
        self._sockets.add(socket)
        self._wake.set()

    def leave(self, socket: Onlooker) -> None:
        """A socket looks no more."""
        self._sockets.discard(socket)
        self._wake.set()

    def look_at(self, host: int, *, faster: bool) -> None:
        """A socket wants every echo of a host from now on, perhaps more of them."""
        self._wishes[host, faster] += 1
        self._wake.set()

    def look_away(self, host: int, *, faster: bool) -> None:
        """It does not want that any more."""
        self._wishes[host, faster] -= 1
        self._wishes += Counter()

    async def close(self) -> None:
        """Listen no more."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks.clear()

    def _open(self) -> None:
        if not self._tasks:
            self._asked_at = time.monotonic()
            self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._announce())]

    async def _follow(self) -> None:
        """Subscribe, then ask for the whole, then apply what changes; after a gap ask again."""
        async for message in listen(BOARD_GROUP, STATE_GROUP, LOOKERS_GROUP):
            match message["type"]:
                case "board.tick" if message["number"] == self._number + 1:
                    self._apply(message)
                case "board.tick" if message["number"] != self._number:
                    # Fewer than before is another watcher, or a clock set back.
                    await self._ask()
                case "board.state":
                    self._rows.clear()
                    self._apply(message)
                    self._complete.set()
                case "lookers" if message["process"] != self._process:
                    self._elsewhere[message["process"]] = message["number"], time.monotonic() + ELSEWHERE_SECONDS

    def _apply(self, message: dict[str, Any]) -> None:
        self._number, self._at = message["number"], message["at"]
        self._figures = message["figures"] or self._figures
        for host, row in message["rows"]:
            self._rows[host] = row
        for host in message["gone"]:
            self._rows.pop(host, None)

    async def _ask(self) -> None:
        """Ask for the whole board, unless that was asked a moment ago."""
        self._complete.clear()
        if time.monotonic() > self._asked_at + STATE_SECONDS:
            self._asked_at = time.monotonic()
            await publish(WATCHER_GROUP, {"type": "ask"})

    async def _announce(self) -> None:
        """Every two seconds, and at once when something is new: what those here wish, how many they are, and how many
        they are with those elsewhere."""
        await publish(WATCHER_GROUP, {"type": "ask"})
        while True:
            for host in {host for host, _ in self._wishes}:
                await publish(WATCHER_GROUP, {"type": "look", "host": host, "faster": (host, True) in self._wishes})
            if self._sockets:
                number = len(self._sockets)
                await publish(LOOKERS_GROUP, {"type": "lookers", "process": self._process, "number": number})
            await self._tell_number()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), ANNOUNCE_SECONDS)
            self._wake.clear()

    async def _tell_number(self) -> None:
        if self.number == self._told:
            return
        self._told = self.number
        text = looking_json(self._told)
        for socket in list(self._sockets):
            await socket.tell(text)
