"""The two applications under load: how each is started, and how its socket is spoken to."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parents[2]
START_TIMEOUT = 30.0
STOP_TIMEOUT = 20.0


class Application(Protocol):
    """What the load needs to know of an application; texts are whole WebSocket messages."""

    name: str
    path: str
    greeting: str | None  # how the message begins that lets a client speak; None: an accepted upgrade does
    press: str

    def command(self, port: int) -> list[str]:
        """The server's command line, started in the project's folder."""

    def environment(self, host: str, data: Path) -> dict[str, str]:
        """Its settings: the host that Submit pings, and a folder of its own."""

    def answer(self, text: str) -> str | None:
        """What a client has to send back to this message, if anything."""

    def read_line(self, text: str) -> int | None:
        """The number of the ping whose line this message carries; None for any other message."""


class Pingsite:
    """This project: `manage.py serve` with its limits off, JSON events on a plain WebSocket."""

    name = "pingsite"
    path = "/ws/ping/"
    greeting: str | None = None
    press = '{"event": "my_event"}'

    def command(self, port: int) -> list[str]:
        """One process: daphne, SQLite, the in-memory channel layer."""
        return [sys.executable, "manage.py", "serve", "--port", str(port)]

    def environment(self, host: str, data: Path) -> dict[str, str]:
        """Everything as it comes, but for the two limits that would refuse a load from one address."""
        return {
            "PINGSITE_DATA": str(data),
            "PINGSITE_DEFAULT_HOST": host,
            "PINGSITE_RUNS_PER_MINUTE": "0",
            "PINGSITE_PACKETS_PER_SECOND": "0",
        }

    def answer(self, text: str) -> str | None:
        """Nothing: heartbeats are WebSocket pings."""
        return None

    def read_line(self, text: str) -> int | None:
        """`data1` of a `server` event."""
        event = json.loads(text)
        return event["data1"] if event["event"] == "server" else None


class Ancestor:
    """`ancestor.py` under gunicorn with one eventlet worker; Socket.IO 5 on Engine.IO 4."""

    name = "ancestor"
    path = "/socket.io/?EIO=4&transport=websocket"
    greeting: str | None = "40"
    press = '42["my_event",{"data":"submit"}]'

    def command(self, port: int) -> list[str]:
        """One worker, as Flask-SocketIO prescribes."""
        options = f"--worker-class eventlet --workers 1 --log-level warning --bind 127.0.0.1:{port}"
        return [sys.executable, "-m", "gunicorn", *options.split(), "tests.bench.ancestor:app"]

    def environment(self, host: str, data: Path) -> dict[str, str]:
        """The host alone: it keeps no data."""
        return {"ANCESTOR_HOST": host}

    def answer(self, text: str) -> str | None:
        """Join the namespace when the engine opens; return its heartbeat."""
        return {"0": "40", "2": "3"}.get(text[:1])

    def read_line(self, text: str) -> int | None:
        """`data1` of a `server` event."""
        if not text.startswith("42"):
            return None
        name, data = json.loads(text[2:])
        return data["data1"] if name == "server" else None


@contextlib.contextmanager
def serve(application: Application, port: int, host: str, folder: Path) -> Iterator[int]:
    """Run the application until the block ends; gives its process id once /home answers.

    Raises RuntimeError with the end of the server's log when it does not come up.
    """
    data = folder / "data"
    data.mkdir()
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            application.command(port),
            cwd=ROOT,
            env=clean_environment() | application.environment(host, data),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        if not wait_until_ready(server, f"http://127.0.0.1:{port}/home"):
            raise RuntimeError(f"{application.name} did not start:\n{log.read_text()[-2000:]}")
        yield server.pid
    finally:
        stop(server)


def clean_environment() -> dict[str, str]:
    """This process's environment without what would point the server at a database or channel layer in use."""
    private = ("PINGSITE_", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(private)}


def wait_until_ready(server: subprocess.Popen[bytes], url: str) -> bool:
    """Ask for the page until it comes; False when the server ends first or START_TIMEOUT seconds pass."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return True
        time.sleep(0.1)
    return False


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server politely, then with its whole process group."""
    server.terminate()
    try:
        server.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
