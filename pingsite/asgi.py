"""The ASGI application: Django for HTTP, Channels for WebSockets, one set of runs for both."""

import asyncio
import os
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pingsite.settings")
django_application = get_asgi_application()

# Models cannot be imported before Django is set up by the line above.
from monitor.routing import route_sockets  # noqa: E402
from monitor.runs import Runs  # noqa: E402
from monitor.upkeep import keep_up  # noqa: E402


class Application(ProtocolTypeRouter):
    """The whole application around some runs. Our server opens and closes it; others may leave that."""

    def __init__(self, runs: Runs) -> None:
        super().__init__({"http": self.serve_http, "websocket": route_sockets(runs)})
        self.runs = runs
        self.upkeep: asyncio.Task[None] | None = None

    async def serve_http(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Hand a request to Django, whose views find the runs in its scope."""
        await django_application(scope | {"runs": self.runs}, receive, send)

    async def open(self) -> None:
        """Start what goes on beside the connections, in the running loop."""
        self.upkeep = asyncio.create_task(keep_up(), name="upkeep")

    async def close(self) -> None:
        """End that and every run, and write what waits."""
        if self.upkeep:
            self.upkeep.cancel()
        await self.runs.close()


application = Application(Runs())
