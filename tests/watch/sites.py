"""Watchers, boards and people for the tests: all of it as in production, pinging 127.0.0.0/8."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from channels.layers import channel_layers
from django.test import AsyncClient

from monitor.hosts import Wish
from monitor.models import Host
from monitor.roster import add_hosts
from monitor.runs import Runs
from monitor.watcher import Watcher
from pingsite.asgi import Application
from tests.site.conftest import PATIENCE, Browser


def watch(*names: str, **fields: Any) -> list[Host]:
    """Watch hosts of these names: 127.0.1.1, 127.0.1.2 and so on unless `host` is given."""
    first = Host.objects.count() + 1
    wishes = [Wish(name, **({"host": f"127.0.1.{place}"} | fields)) for place, name in enumerate(names, first)]
    return add_hosts(wishes)


@contextlib.asynccontextmanager
async def working(**options: Any) -> AsyncIterator[Watcher]:
    """A watcher at work."""
    watcher = Watcher(**options)
    watcher.start()
    try:
        yield watcher
    finally:
        await watcher.close()


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Application]:
    """The application with a watcher, as `serve` has it."""
    channel_layers.backends.clear()
    application = Application(Runs(), Watcher(**options))
    application.watcher.start()
    try:
        yield application
    finally:
        await application.close()


@contextlib.asynccontextmanager
async def looking(application: Application, **wish: Any) -> AsyncIterator["Looker"]:
    """A page that has subscribed."""
    looker = Looker(application, "/ws/watch/")
    connected, _ = await looker.connect()
    assert connected
    try:
        await looker.say({"event": "subscribe", "hosts": "all", "lines": None, "faster": False} | wish)
        await looker.hear_until("subscribed")
        yield looker
    finally:
        await looker.disconnect()


class Looker(Browser):
    """The socket of a board."""

    async def hear_until(self, event: str, timeout: float = PATIENCE) -> dict[str, Any]:
        """The next message of this kind; others before it are passed over."""
        async with asyncio.timeout(timeout):
            while (message := await self.hear(timeout))["event"] != event:
                pass
        return message


class Reader(AsyncClient):
    """A client of Django whose requests carry what the application gives them."""

    def __init__(self, application: Application, **options: Any) -> None:
        super().__init__(headers={"host": "127.0.0.1:8000"}, **options)
        self.application = application

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        own = {"runs": self.application.runs, "onlookers": self.application.onlookers}
        return super()._base_scope(**request) | own

    async def fetch(self, path: str) -> Any:
        """The JSON at a path."""
        response = await self.get(path)
        assert response.status_code == 200, response.content
        return json.loads(response.content)


async def until(true: Callable[[], Any], timeout: float = PATIENCE) -> float:
    """Wait until something is so; how many seconds that took."""
    started = time.monotonic()
    async with asyncio.timeout(timeout):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)
    return time.monotonic() - started
