"""Services for the tests: a local HTTP server that answers as its path says, and a local mail server."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone

from monitor.courier import Courier
from monitor.models import Channel, Host, Incident
from tests.watch.test_watcher import do


@dataclass
class Service:
    """What arrived: path, body and headers of each; `answers` are the next statuses, then 200; `page` is what it says."""

    port: int = 0
    got: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hang: float = 0.0
    page: str = "thank you for {path}"

    def url(self, scheme: str = "http", path: str = "token-of-alice") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/{path}"

    @property
    def titles(self) -> list[str]:
        return [json.loads(body)["title"] for _, body, _ in self.got]


@pytest.fixture
def service() -> Iterator[Service]:
    """Lend a service."""
    with serving() as service:
        yield service


@contextlib.contextmanager
def serving(**options: Any) -> Iterator[Service]:
    """A service on loopback."""
    service = Service(**options)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            service.got.append((self.path, body, dict(self.headers)))
            time.sleep(service.hang)
            status = service.answers.pop(0) if service.answers else 200
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("location", "/elsewhere")
                self.end_headers()
                self.wfile.write(service.page.replace("{path}", self.path).encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield service
    server.shutdown()
    server.server_close()


def make_channel(address: str, kind: str = "apprise", **fields: Any) -> Channel:
    """A channel of everything that may reach loopback."""
    number = Channel.objects.count() + 1
    fields = {"name": f"channel {number}", "anywhere": True, "secret": "s" * 64} | fields
    return Channel.objects.create(address=address, kind=kind, **fields)


def make_incident(host: Host | None, began_at: Any = None, **fields: Any) -> Incident:
    """An incident that is news: five lost in a row."""
    began = began_at or timezone.now()
    fields = {
        "state": "down",
        "reason": "lost_in_row",
        "measure": {"value": 5, "limit": 5},
        "noticed_at": began,
    } | fields
    return Incident.objects.create(host=host, began_at=began, **fields)


@contextlib.asynccontextmanager
async def carrying(**options: Any) -> AsyncIterator[Courier]:
    """A courier at work."""
    courier = Courier(do, **options)
    task = asyncio.create_task(courier.work())
    try:
        yield courier
    finally:
        task.cancel()
        await asyncio.wait([task])


__all__ = ["Service", "carrying", "do", "make_channel", "make_incident", "service", "serving"]
