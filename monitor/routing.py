"""The entrance of WebSockets."""

from channels.routing import URLRouter
from channels.sessions import CookieMiddleware
from django.urls import path, re_path

from monitor.consumers import PingConsumer, UnknownPath
from monitor.onlookers import Onlookers
from monitor.origins import OwnOrigin
from monitor.runs import Runs
from monitor.watch_consumers import WatchConsumer


def route_sockets(runs: Runs, onlookers: Onlookers) -> OwnOrigin:
    """The WebSocket half of the ASGI application: runs carried out by `runs`, boards shown by `onlookers`."""
    routes = [
        path("ws/ping/", PingConsumer.as_asgi(runs=runs)),
        path("ws/watch/", WatchConsumer.as_asgi(onlookers=onlookers)),
        re_path("", UnknownPath.as_asgi()),
    ]
    return OwnOrigin(CookieMiddleware(URLRouter(routes)))
