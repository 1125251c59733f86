"""The door of the board and of a host's page: who may look subscribes, and is told what changes."""

import logging

from monitor.forms import Subscribe, parse_subscription
from monitor.onlookers import Onlookers, Wish
from monitor.sockets import Socket
from monitor.visitors import may_look_in_scope
from monitor.wire import Refusal
from monitor.wire_watch import FORBIDDEN, looking_json, subscribed_json

log = logging.getLogger(__name__)


class WatchConsumer(Socket):
    """One browser's view of the watched hosts."""

    onlookers: Onlookers

    def __init__(self, onlookers: Onlookers) -> None:
        super().__init__()
        self.onlookers = onlookers
        self.allowed = False

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
        number = await self.onlookers.subscribe(self, Wish(wish.hosts, wish.lines, wish.faster, wish.incidents))
        await self.send(subscribed_json(number))

    async def tell(self, text: str) -> None:
        """Send a frame."""
        await self.send(text)
