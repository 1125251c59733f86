"""The door of the board and of a host's page: who may look subscribes, and is told what changes."""

import logging

from monitor.forms import Subscribe, parse_subscription
from monitor.onlookers import Onlookers
from monitor.sockets import Socket
from monitor.visitors import may_look_in_scope
from monitor.wire import Refusal
from monitor.wire_watch import (
    BOARD_GROUP,
    FORBIDDEN,
    LineMessage,
    TickMessage,
    hosts_json,
    lines_group,
    looking_json,
    subscribed_json,
)

log = logging.getLogger(__name__)


class WatchConsumer(Socket):
    """One browser's view of the watched hosts."""

    onlookers: Onlookers

    def __init__(self, onlookers: Onlookers) -> None:
        super().__init__()
        self.onlookers = onlookers
        self.allowed = False
        self.wish: Subscribe | None = None
        # The last tick that came from the layer, and the last that the browser was told.
        self.seen = self.told = 0

    async def connect(self) -> None:
        """Accept first: only so does the browser learn why it may not look."""
        await self.accept()
        try:
            self.allowed = await may_look_in_scope(self.scope)
        except Exception as error:  # the database is away: nobody is let in by that
            log.warning("nobody can be asked who looks: %r", error)
        if not self.allowed:
            await self.refuse(Refusal("not_allowed", "Sign in to see this.", reason="board"))
            await self.close(FORBIDDEN)
            return
        self.onlookers.arrive(self)
        await self.send(looking_json(self.onlookers.number))

    def leave(self) -> None:
        """The browser is gone: nothing is asked faster for it."""
        self.onlookers.leave(self)
        self.look_away()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Translate a frame."""
        if not self.allowed:
            return
        match parse_subscription(text_data):
            case Refusal() as refusal:
                await self.refuse(refusal)
            case Subscribe() as wish:
                await self.subscribe(wish)

    async def subscribe(self, wish: Subscribe) -> None:
        """Tell what is wished from now on, instead of what was wished before. Who fetches the board whenever it hears
        `subscribed` misses nothing."""
        if self.wish and self.wish.lines not in (None, wish.lines):
            await self.part(lines_group(self.wish.lines))
        self.look_away()
        self.wish = wish
        self.seen = self.told = 0
        if wish.lines is not None:
            await self.join(lines_group(wish.lines))
            self.onlookers.look_at(wish.lines, faster=wish.faster)
        if wish.hosts == frozenset():
            await self.part(BOARD_GROUP)
        else:
            await self.join(BOARD_GROUP)
        await self.send(subscribed_json((await self.onlookers.view()).number))

    def look_away(self) -> None:
        """Want no echoes any more."""
        if self.wish and self.wish.lines is not None:
            self.onlookers.look_away(self.wish.lines, faster=self.wish.faster)
        self.wish = None

    async def board_tick(self, message: TickMessage) -> None:
        """What changed on the board, as far as it is wished."""
        if self.wish is None:
            return
        number, hosts = message["number"], self.wish.hosts
        if number < self.seen:
            # Another watcher, with a clock that is behind: to be fetched anew.
            await self.send(subscribed_json(number))
        after = self.told if number == self.seen + 1 else number - 1
        self.seen = number
        rows = [row for host, row in message["rows"] if hosts is None or host in hosts]
        changed = [host for host in message["changed"] if hosts is None or host in hosts]
        if not (rows or changed or message["gone"] or message["figures"]):
            return
        self.told = number
        await self.send(hosts_json(number, after, message["at"], rows, changed, message["gone"], message["figures"]))

    async def host_line(self, message: LineMessage) -> None:
        """An echo of the host that is looked at."""
        await self.send(message["text"])

    async def tell(self, text: str) -> None:
        """Send a frame."""
        await self.send(text)
