"""Those who look from this process: what each is told, how many they are, what they wish of the watcher."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from monitor.board import Mirror, View
from monitor.live import listen, publish
from monitor.wire_watch import (
    BOARD_GROUP,
    INCIDENTS_GROUP,
    LOOKERS_GROUP,
    STATE_GROUP,
    WATCHER_GROUP,
    TickMessage,
    hosts_json,
    incidents_json,
    lines_group,
    looking_json,
    subscribed_json,
)

log = logging.getLogger(__name__)

# A wish is repeated so often, and forgotten by the watcher a little later than when it last was; those who arrive
# together are counted together.
ANNOUNCE_SECONDS = 2.0
GATHER_SECONDS = 0.2
# What another process said of its onlookers holds for so long.
ELSEWHERE_SECONDS = 7.0
# How long a page waits for the whole board, when this process has just begun to look.
STATE_SECONDS = 1.0
# Sockets that are told something before anything else has a turn of the loop.
TOLD_AT_ONCE = 100


@dataclass(slots=True)
class Wish:
    """What a socket is to be told: what changes of all hosts (None) or of these, every echo of one (`lines`), asked
    `faster` meanwhile, and that `incidents` changed. `told` is the number of the last tick it has heard of."""

    hosts: frozenset[int] | None
    lines: int | None
    faster: bool
    incidents: bool = False
    told: int = 0


class Onlooker(Protocol):
    """A socket that looks."""

    async def tell(self, text: str) -> None:
        """Send a frame, without waiting for whoever reads it."""


class Onlookers:
    """The board of this process, kept by the ticks of whichever process watches, and the sockets that are told of it.

    Made anywhere; it begins to listen, in the running loop, when somebody looks. It listens once for all its sockets,
    and tells them in one loop: a queue and a task of its own for each took as long again as sending.
    """

    def __init__(self) -> None:
        self._process = uuid.uuid4().hex
        self._board = Mirror()
        # The last tick that came, whether or not the board could follow.
        self._heard = 0
        self._wishes: dict[Onlooker, Wish | None] = {}
        self._audiences: defaultdict[int, set[Onlooker]] = defaultdict(set)
        self._listening: dict[int, asyncio.Task[None]] = {}
        self._elsewhere: dict[str, tuple[int, float]] = {}
        self._told = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._complete = asyncio.Event()
        self._wake = asyncio.Event()
        self._asked_at = 0.0

    @property
    def number(self) -> int:
        """How many look, from here and from elsewhere."""
        now = time.monotonic()
        return len(self._wishes) + sum(number for number, until in self._elsewhere.values() if until > now)

    async def view(self) -> View:
        """The board as it is now; where no process watches, an empty one."""
        self._open()
        if not self._complete.is_set() and time.monotonic() < self._asked_at + STATE_SECONDS:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STATE_SECONDS):
                    await self._complete.wait()
        return self._board.view()

    def arrive(self, socket: Onlooker) -> None:
        """A socket looks from now on."""
        self._open()
        self._wishes[socket] = None
        self._wake.set()

    def leave(self, socket: Onlooker) -> None:
        """A socket looks no more."""
        self._look_away(self._wishes.pop(socket, None), socket)
        self._wake.set()

    async def subscribe(self, socket: Onlooker, wish: Wish) -> int:
        """Tell a socket from now on what it wishes, instead of what it wished before; the number of the tick up to
        which the board is there to be fetched."""
        await self.view()
        if socket in self._wishes:
            self._look_away(self._wishes[socket], socket)
            self._wishes[socket], wish.told = wish, self._heard
            self._look_at(wish, socket)
            self._wake.set()
        return self._board.number

    async def close(self) -> None:
        """Listen no more."""
        tasks = [*self._tasks, *self._listening.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._tasks.clear()
        self._listening.clear()

    def _open(self) -> None:
        if not self._tasks:
            self._asked_at = time.monotonic()
            self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._announce())]

    def _look_at(self, wish: Wish, socket: Onlooker) -> None:
        if wish.lines is None:
            return
        self._audiences[wish.lines].add(socket)
        if wish.lines not in self._listening:
            self._listening[wish.lines] = asyncio.create_task(self._follow_lines(wish.lines))

    def _look_away(self, wish: Wish | None, socket: Onlooker) -> None:
        if wish is None or wish.lines is None:
            return
        self._audiences[wish.lines].discard(socket)
        if not self._audiences[wish.lines]:
            del self._audiences[wish.lines]
            self._listening.pop(wish.lines).cancel()

    async def _follow(self) -> None:
        """Subscribe, then ask for the whole, then apply what changes and pass it on; after a gap ask again."""
        message: Any
        async for message in listen(BOARD_GROUP, STATE_GROUP, LOOKERS_GROUP, INCIDENTS_GROUP):
            match message["type"]:
                case "board.tick" if message["number"] != self._heard:
                    if not self._board.follow(message):
                        await self._ask()
                    await self._tell(self._address(message))
                case "board.state":
                    self._board.replace(message)
                    self._complete.set()
                case "incidents":
                    text = incidents_json(message["hosts"], message["open"])
                    await self._tell(
                        [(socket, text) for socket, wish in self._wishes.items() if wish and wish.incidents]
                    )
                case "lookers" if message["process"] != self._process:
                    self._elsewhere[message["process"]] = message["number"], time.monotonic() + ELSEWHERE_SECONDS

    async def _follow_lines(self, host: int) -> None:
        """Pass on every echo of a host."""
        async for message in listen(lines_group(host)):
            await self._tell([(socket, message["text"]) for socket in self._audiences.get(host, ())])

    async def _tell(self, addressed: Iterable[tuple[Onlooker, str]]) -> None:
        """Send frames; whoever cannot be told keeps nothing from the others."""
        for place, (socket, text) in enumerate(addressed, 1):
            try:
                await socket.tell(text)
            except Exception as error:  # of a server's own kind, when the socket has just gone
                log.warning("a socket was not told: %r", error)
            if place % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _address(self, message: TickMessage) -> list[tuple[Onlooker, str]]:
        """What each socket is to hear of a tick; those who wish the same are sent one and the same frame."""
        number, before, self._heard = message["number"], self._heard, message["number"]
        wishes = [(socket, wish) for socket, wish in self._wishes.items() if wish and wish.hosts != frozenset()]
        if number < before:
            # Another watcher, with a clock that is behind: to be fetched anew.
            return [(socket, subscribed_json(number)) for socket, _ in wishes]
        rows, frames, addressed = dict(message["rows"]), dict[tuple[frozenset[int] | None, int], str | None](), []
        for socket, wish in wishes:
            key = wish.hosts, wish.told if number == before + 1 else number - 1
            if key not in frames:
                frames[key] = _pick(message, rows, *key)
            if frame := frames[key]:
                wish.told = number
                addressed.append((socket, frame))
        return addressed

    async def _ask(self) -> None:
        """Ask for the whole board, unless that was asked a moment ago."""
        self._complete.clear()
        if time.monotonic() > self._asked_at + STATE_SECONDS:
            self._asked_at = time.monotonic()
            await publish(WATCHER_GROUP, {"type": "ask"})

    async def _announce(self) -> None:
        """Every two seconds, and soon when something is new: what those here wish, how many they are, and how many they
        are with those elsewhere."""
        await publish(WATCHER_GROUP, {"type": "ask"})
        while True:
            for host, sockets in list(self._audiences.items()):
                faster = any(wish.faster for socket in sockets if (wish := self._wishes[socket]))
                await publish(WATCHER_GROUP, {"type": "look", "host": host, "faster": faster})
            if self._wishes:
                number = len(self._wishes)
                await publish(LOOKERS_GROUP, {"type": "lookers", "process": self._process, "number": number})
            await self._tell_number()
            await asyncio.sleep(GATHER_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ANNOUNCE_SECONDS):
                    await self._wake.wait()
            self._wake.clear()

    async def _tell_number(self) -> None:
        if self.number != self._told:
            self._told = self.number
            text = looking_json(self._told)
            await self._tell([(socket, text) for socket in self._wishes])


def _pick(message: TickMessage, rows: dict[int, str], hosts: frozenset[int] | None, after: int) -> str | None:
    """The frame of a tick for those who wish these hosts (None: all) and know the ticks up to `after`; None where it
    says nothing to them."""
    changed, gone, figures = message["changed"], message["gone"], message["figures"]
    texts = list(rows.values())
    if hosts is not None:
        texts = [rows[host] for host in (hosts if len(hosts) < len(rows) else rows) if host in hosts and host in rows]
        changed, gone = [host for host in changed if host in hosts], [host for host in gone if host in hosts]
    if not (texts or changed or gone or figures):
        return None
    return hosts_json(message["number"], after, message["at"], texts, changed, gone, figures)
