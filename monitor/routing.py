"""The entrance of WebSockets."""

from channels.routing import URLRouter
from channels.sessions import SessionMiddlewareStack
from django.urls import path, re_path

from monitor.consumers import PingConsumer, UnknownPath
from monitor.origins import OwnOrigin
from monitor.runs import Runs


def route_sockets(runs: Runs) -> OwnOrigin:
    """The WebSocket half of the ASGI application, its runs carried out by `runs`."""
    routes = [
        path("ws/ping/", PingConsumer.as_asgi(runs=runs)),
        re_path("", UnknownPath.as_asgi()),
    ]
    return OwnOrigin(SessionMiddlewareStack(URLRouter(routes)))
