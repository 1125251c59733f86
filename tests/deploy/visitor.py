"""Somebody with a browser, at an address of their own: cookies, forms and sockets, over nginx or past it."""

import http.client
import json
import re
import socket
import ssl
import struct
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_socket

PATIENCE = 20.0
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@dataclass(frozen=True)
class Page:
    """What came back over HTTP."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Socket:
    """A page's socket: says and hears JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: Any) -> None:
        """Send an event."""
        self.connection.send(json.dumps(message))

    def press(self, host: str = "127.0.0.1", **fields: Any) -> str:
        """Press Submit; the id of the run that has started."""
        self.say(event="my_event", host=host, **fields)
        started = self.hear()
        assert started["event"] == "started", started
        return str(started["run"])

    def hear(self, patience: float = PATIENCE) -> dict[str, Any]:
        """The next event, and when it came."""
        event = json.loads(self.connection.recv(patience))
        return {**event, "heard_at": time.monotonic()}

    def hear_lines(self, number: int | None = None) -> list[dict[str, Any]]:
        """The next results: so many, or all up to the end of the run, whose event is the last."""
        events: list[dict[str, Any]] = []
        while len(events) != number:
            events.append(self.hear())
            if events[-1]["event"] == "finished":
                break
        return events

    def follow(self, run: str) -> list[dict[str, Any]]:
        """Watch a run to its end as the page does, asking once for each hole; its lines."""
        lines: list[dict[str, Any]] = []
        self.say(event="resume", run=run, after=-1)
        asked = -1
        while (event := self.hear())["event"] != "finished":
            if event["event"] == "server" and event["data1"] == len(lines):
                lines.append(event)
            elif event["event"] == "server" and event["data1"] > len(lines) and asked != len(lines):
                asked = len(lines)
                self.say(event="resume", run=run, after=asked - 1)
        return lines


@dataclass
class Visitor:
    """Somebody at `address` (of 127.0.0.0/8) who visits the site at `origin`."""

    origin: str
    certificate: Path
    address: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Page:
        """Fetch a page; no redirect is followed."""
        return self._request("GET", path, None, headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Page:
        """Post a form as a browser does, with the token of the page that it stands on."""
        fields = {"csrfmiddlewaretoken": self.cookies.get("csrftoken", "")} | fields
        headers = {"Origin": self.origin, "Referer": self.origin + path} | headers
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._request("POST", path, urllib.parse.urlencode(fields), headers)

    def sign_in(self, name: str, password: str) -> Page:
        """Sign in to the admin."""
        self.get("/admin/login/")
        return self.post("/admin/login/?next=/admin/", {"username": name, "password": password})

    def at(self, address: str) -> "Visitor":
        """The same person at another address."""
        return Visitor(self.origin, self.certificate, address, self.cookies)

    def knock(self, path: str = "/ws/ping/", *, origin: str | None = None) -> int:
        """Ask for a socket and let it go; the status of the answer."""
        # websockets' client waits for ever for one in some hundreds of the refusals that nginx sent it over TLS.
        return self.get(path, Origin=self.origin if origin is None else origin, **HANDSHAKE).status

    @contextmanager
    def connect(
        self, path: str = "/ws/ping/", *, origin: str | None = None, through: Path | None = None, **headers: str
    ) -> Iterator[Socket]:
        """Open a socket by nginx, or straight to the Unix socket of a process, as nginx would hand it on."""
        scheme = "wss" if through is None else "ws"
        if through:
            headers = {"X-Real-IP": self.address, "X-Forwarded-Proto": "https"} | headers
        with open_socket(
            self.origin.replace("https", scheme) + path,
            sock=self.dial() if through is None else dial_unix(through),
            # The client reads in one thread while another writes, and before Python 3.13 that loses what the server
            # says by itself just then, as TLS 1.3 does: 3 of 158 sockets never opened, and of 3,625 with 1.2 all did.
            ssl=self.tls(ssl.TLSVersion.TLSv1_2) if through is None else None,
            origin=self.origin if origin is None else origin,  # type: ignore[arg-type]
            additional_headers=headers | self._cookie_header(),
            proxy=None,
            ping_interval=None,
            close_timeout=2,
        ) as connection:
            yield Socket(connection)

    def _request(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Page:
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        try:
            connection.sock = self.tls().wrap_socket(self.dial(), server_hostname="localhost")
            host = {"Host": self.origin.partition("//")[2]}
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, host | names | self._cookie_header())
            answer = connection.getresponse()
            raw = answer.read()
            for line in answer.headers.get_all("Set-Cookie", []):
                self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
            encoded = answer.headers.get("Content-Encoding")
            return Page(answer.status, answer.headers, "" if encoded else raw.decode())
        finally:
            connection.close()

    def dial(self) -> socket.socket:
        """A connection to nginx from this address."""
        port = int(self.origin.rpartition(":")[2])
        return socket.create_connection(("127.0.0.1", port), PATIENCE, (self.address, 0))

    def tls(self, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        """Encryption that trusts the site's certificate alone."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.maximum_version = newest
        return context

    def _cookie_header(self) -> dict[str, str]:
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": pairs} if pairs else {}


def upgrade(connection: socket.socket, origin: str) -> int:
    """Ask for a WebSocket over a connection that nobody reads from afterwards; the status of the answer."""
    headers = {"Host": origin.partition("//")[2], "Origin": origin} | HANDSHAKE
    lines = ["GET /ws/ping/ HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    connection.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
    return int(connection.recv(4096).split()[1])


def make_frame(text: str) -> bytes:
    """A text frame of 126 to 65,535 bytes, with a mask of zeros."""
    payload = text.encode()
    return struct.pack("!BBH4x", 0x81, 0xFE, len(payload)) + payload


def find_static(page: Page, name: str) -> str:
    """The address under which a page asks for one of its files."""
    match = re.search(rf'"(/static/[0-9a-f]{{12}}/{re.escape(name)})"', page.text)
    assert match, f"{name} is not on the page"
    return match[1]


def dial_unix(path: Path) -> socket.socket:
    """A connection to a Unix socket."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection
