"""Which pages may open a socket: those of this very site, by scheme, host and port."""

from typing import Any

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host


class OwnOrigin:
    """Deny sockets of foreign pages, and of clients that name no page. The comparison is of whole strings: browsers
    write an origin in one way only, and a parser would have to survive what others write."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Hand the connection on, or deny it."""
        headers = dict(scope["headers"])
        own = headers.get(b"origin", b"").decode("latin1") in allowed_origins(headers)
        await (self.application if own else WebsocketDenier())(scope, receive, send)


def allowed_origins(headers: dict[bytes, bytes]) -> list[str]:
    """The origins set, or where none are: that of the address the socket goes to. A browser writes both headers
    itself, and the host must be one of this machine's own names, for a foreign one may lead here (DNS rebinding)."""
    if settings.PINGSITE_ORIGINS:
        return list(settings.PINGSITE_ORIGINS)
    host = headers.get(b"host", b"").decode("latin1")
    return [f"http://{host}"] if validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS) else []
