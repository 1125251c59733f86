"""What a socket of ours is: frames in one task, events in another, no wait for the database, clean whatever ends it."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable
from typing import Any, cast

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer

from monitor.wire import EVENTS_FAILED, TOO_MANY, Refusal, error_json

log = logging.getLogger(__name__)

LAYER_SECONDS = 2.0
MAX_REFUSALS = 500


class Socket(AsyncWebsocketConsumer):
    """A consumer that knows its groups in `joined`. `leave` is called once, when the browser is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.joined: set[str] = set()
        self.refusals = 0

    async def __call__(self, scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve the socket. The inherited way makes a task and a hop through the database's thread for each message,
        where one blocking call freezes every socket."""
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer()
        self.channel_name = await self.channel_layer.new_channel()
        events = asyncio.create_task(self.pass_events())
        try:
            while True:
                await self.dispatch(cast("dict[str, Any]", await receive()))
        except StopConsumer:
            pass
        finally:
            # Here and not in `disconnect()`, which is not called after an exception.
            events.cancel()
            self.leave()
            for group in tuple(self.joined):
                await self.part(group)
            self.channel_layer.forget(self.channel_name)

    def leave(self) -> None:
        """The browser is gone."""

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand a frame or an event to its method; nothing there touches the database without a hop of its own."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def pass_events(self) -> None:
        """Pass on what the groups of this socket hear; a failure ends the socket, and its page comes back."""
        try:
            while True:
                await self.dispatch(await self.channel_layer.receive(self.channel_name))
        except Exception:
            log.exception("events are no longer passed on")
            await self.close(EVENTS_FAILED)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """The browser is gone."""
        raise StopConsumer

    async def send(self, text: str) -> None:
        """Send a message of text."""
        event: Any = {"type": "websocket.send", "text": text}
        await self.base_send(event)

    async def join(self, group: str) -> None:
        """Hear a group from now on."""
        if group not in self.joined:
            self.joined.add(group)
            await self.ask_layer(self.channel_layer.group_add(group, self.channel_name))

    async def part(self, group: str) -> None:
        """Hear it no more."""
        if group in self.joined:
            self.joined.discard(group)
            await self.ask_layer(self.channel_layer.group_discard(group, self.channel_name))

    async def refuse(self, refusal: Refusal, run: uuid.UUID | None = None) -> None:
        """Say no, and why; the log has it in ASCII, for what was typed may want to look like something else."""
        client = (self.scope.get("client") or ["somebody"])[0]
        self.refusals += 1
        if self.refusals > MAX_REFUSALS:
            # Refusing costs a line of the log each time: somebody who asks for it without end is let go.
            log.warning("%s was refused %d times and is closed", client, MAX_REFUSALS)
            await self.close(TOO_MANY)
            return
        log.info("refused %s to %s: %s %a", refusal.code, client, refusal.message, refusal.particulars)
        await self.send(error_json(refusal, run))

    async def ask_layer(self, asked: Awaitable[Any]) -> None:
        """Await a call of the channel layer for a limited time; one that fails is logged."""
        try:
            async with asyncio.timeout(LAYER_SECONDS):
                await asked
        except Exception as error:
            log.warning("the channel layer failed: %r", error)
