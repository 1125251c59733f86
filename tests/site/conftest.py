"""The whole ASGI application, opened for a test and closed after it."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator

from monitor.limits import Limits
from monitor.runs import Runs
from pingsite.asgi import Application
from tests.site.engines import ScriptedEngine, opening

HEADERS = [(b"host", b"127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:8000")]


# What is waited for comes at once, or never: a busy machine may take its time.
PATIENCE = 20.0


class Browser(WebsocketCommunicator):
    """A page's socket: says and hears JSON."""

    def __init__(
        self, application: Application, path: str = "/ws/ping/", headers: Any = None, address: str = "127.0.0.1"
    ):
        super().__init__(application, path, headers=HEADERS if headers is None else headers)
        self.scope["client"] = [address, 50000]

    async def say(self, message: Any = None, **fields: Any) -> None:
        """Send an event, or any value as it is."""
        await self.send_to(text_data=json.dumps(message if message is not None else fields))

    async def press(self, **fields: Any) -> None:
        """Press Submit."""
        await self.say(event="my_event", **fields)

    async def connect(self, timeout: float = PATIENCE) -> tuple[bool, Any]:
        """Whether it is let in, and as what, or with which code it is not."""
        return await super().connect(timeout)

    async def disconnect(self, code: int = 1000, timeout: float = PATIENCE) -> None:
        """Leave."""
        await super().disconnect(code, timeout)

    async def receive_output(self, timeout: float = PATIENCE) -> dict[str, Any]:
        """The next message as the server has it."""
        return await super().receive_output(timeout)

    async def hear(self, timeout: float = PATIENCE) -> dict[str, Any]:
        """The next event."""
        return json.loads(await self.receive_from(timeout))

    async def hear_all(self, timeout: float = PATIENCE) -> list[dict[str, Any]]:
        """Events up to the end of a run, or its refusal."""
        events = [await self.hear(timeout)]
        while events[-1]["event"] not in ("finished", "error"):
            events.append(await self.hear(timeout))
        return events


Visit = Callable[..., "contextlib.AbstractAsyncContextManager[Browser]"]


@contextlib.asynccontextmanager
async def site(engine: ScriptedEngine | None = None, **options: Any) -> AsyncIterator[Application]:
    """An application whose engine is scripted, without limits unless given; everything else is as it is in production."""
    options.setdefault("open_engine", opening(engine or ScriptedEngine()))
    options.setdefault("limits", Limits(0, 0))
    options.setdefault("grace", 0.2)
    application = Application(Runs(**options))
    channel_layers.backends.clear()
    try:
        yield application
    finally:
        await application.close()


@contextlib.asynccontextmanager
async def visiting(application: Application, **options: Any) -> AsyncIterator[Browser]:
    """A connected page, disconnected at the end."""
    browser = Browser(application, **options)
    connected, _ = await browser.connect()
    assert connected
    try:
        yield browser
    finally:
        await browser.disconnect()
