"""The ASGI application: Django for HTTP, Channels for WebSockets, one set of runs and one board for both."""

import asyncio
import os
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pingsite.settings")
django_application = get_asgi_application()

# Models cannot be imported before Django is set up by the line above.
from monitor.onlookers import Onlookers  # noqa: E402
from monitor.routing import route_sockets  # noqa: E402
from monitor.runs import Runs  # noqa: E402
from monitor.upkeep import keep_hour, keep_up  # noqa: E402
from monitor.watcher import Watcher  # noqa: E402


class Application(ProtocolTypeRouter):
    """The whole application around some runs, and a watcher where this process is to watch. Our server opens and closes
    it; others may leave that."""

    def __init__(self, runs: Runs, watcher: Watcher | None = None) -> None:
        self.runs = runs
        self.watcher = watcher
        self.onlookers = Onlookers()
        super().__init__({"http": self.serve_http, "websocket": route_sockets(runs, self.onlookers)})
        self.upkeep: list[asyncio.Task[None]] = []

    async def serve_http(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Hand a request to Django, whose views find the runs and the board in its scope."""
        await django_application(scope | {"runs": self.runs, "onlookers": self.onlookers}, receive, send)

    async def open(self) -> None:
        """Start what goes on beside the connections, in the running loop."""
        self.upkeep = [asyncio.create_task(work(), name=work.__name__) for work in (keep_up, keep_hour)]
        if self.watcher:
            self.watcher.start()

    async def close(self) -> None:
        """End that and every run, and write what waits."""
        for task in self.upkeep:
            task.cancel()
        if self.watcher:
            await self.watcher.close()
        await self.onlookers.close()
        await self.runs.close()


application = Application(Runs())
