"""A web process alone: its two bounds, its end, and the same application under daphne as it comes."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as open_socket

from tests.deploy.deployment import ROOT, read_surroundings
from tests.deploy.large import MESSAGES, make_text
from tests.deploy.process import Process, find_free_ports, listens, wait_until
from tests.deploy.visitor import Socket, make_frame, upgrade

SERVER = (sys.executable, "-m", "pingsite.server")
STOCK = (str(Path(sys.executable).with_name("daphne")),)
MEGABYTE = 1 << 20
# For the two buffers, the frames in them as Python objects, and the allocator; without bounds it is hundreds.
GROWTH = 60 * MEGABYTE

# A run of a thousand pings on record: some answers of 300 kB fill every buffer, long before too many questions wait.
LONG_RUN = """
from django.utils import timezone
from monitor.models import Ping, Run
run = Run(host="127.0.0.1", address="127.0.0.1", count=1000, interval=1.0, timeout=1.0, outcome="finished")
run.set_start(timezone.now())
run.save()
Ping.objects.bulk_create(
    Ping(run=run, index=index, status="reply", sent_at=run.started_at, rtt_us=1500) for index in range(1000)
)
print(run.pk)
"""

Serve = Callable[..., AbstractContextManager[tuple[Process, int]]]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a site that is one process on SQLite, prepared."""
    data = tmp_path_factory.mktemp("site") / "data"
    env = read_surroundings() | {"PINGSITE_DATA": str(data), "PINGSITE_DEFAULT_HOST": "127.0.0.1"}
    subprocess.run([sys.executable, "manage.py", "prepare"], env=env, cwd=ROOT, check=True, capture_output=True)
    return env


@pytest.fixture
def serve(env: dict[str, str], tmp_path: Path) -> Serve:
    """Runs a server on a port of its own."""

    @contextmanager
    def run(
        command: tuple[str, ...] = SERVER, application: str = "pingsite.asgi:application"
    ) -> Iterator[tuple[Process, int]]:
        (port,) = find_free_ports(1)
        arguments = ("-b", "127.0.0.1", "-p", str(port), application)
        server = Process([*command, *arguments], tmp_path / "server.log", env=env, cwd=ROOT)
        try:
            # It listens before it minds signals.
            server.start(lambda: listens(("127.0.0.1", port)) and is_alive(port))
            yield server, port
        finally:
            server.end()

    return run


def is_alive(port: int) -> bool:
    """Whether it answers, whatever that is."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", "/healthz")
        return connection.getresponse().status > 0


@contextmanager
def open_page(port: int) -> Iterator[Socket]:
    """A page's socket."""
    origin = f"http://127.0.0.1:{port}"
    with open_socket(
        f"ws://127.0.0.1:{port}/ws/ping/", origin=origin, proxy=None, ping_interval=None, close_timeout=1, max_queue=1
    ) as connection:  # type: ignore[arg-type]
        yield Socket(connection)


def read_texts(page: socket.socket, number: int) -> list[str]:
    """So many text messages of 64 KiB or more, a thousand bytes at a time."""
    texts, data, end = [], bytearray(), 10
    while len(texts) < number:
        chunk = page.recv(1000)
        assert chunk, f"the connection ended after {len(texts)} messages"
        data += chunk
        if len(data) >= 10:
            assert data[:2] == b"\x81\x7f", f"expected the head of a long text frame, got {data[:10]!r}"
            end = 10 + int.from_bytes(data[2:10])
        if len(data) >= end > 10:
            texts.append(data[10:end].decode())
            del data[:end]
            end = 10
    return texts


def ask_for_ever(page: socket.socket, run: str) -> None:
    """Ask for a long run again and again, more slowly than the answers come, and read none of them."""
    for _ in range(200):
        page.sendall(make_frame(json.dumps({"event": "resume", "run": run, "padding": "." * 200})))
        time.sleep(0.2)


def flood(page: socket.socket) -> None:
    """Send twenty million text frames with the letter x, as fast as they go out."""
    for _ in range(2_000):
        page.sendall(b"\x81\x81\0\0\0\0x" * 10_000)


@pytest.mark.parametrize("command", [SERVER, STOCK], ids=["ours", "stock daphne"])
def test_a_run_streams(serve: Serve, command: tuple[str, ...]) -> None:
    with serve(command) as (_, port), open_page(port) as page:
        page.press(count=3, interval=0.5)
        lines = page.hear_lines()
    assert [line.get("status", line["event"]) for line in lines] == ["reply", "reply", "reply", "finished"]
    assert lines[2]["heard_at"] - lines[0]["heard_at"] > 0.8


def test_sigterm_says_goodbye_and_ends(serve: Serve) -> None:
    with serve() as (server, port), open_page(port) as page, open_page(port) as idle:
        page.press(count=50, interval=0.5)
        page.hear_lines(1)
        assert server.signal(signal.SIGTERM) == 0
        for each in (page, idle):
            with pytest.raises(ConnectionClosed) as closed:
                each.hear_lines()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001


def test_a_reader_that_never_reads_is_cut_off(serve: Serve) -> None:
    with serve() as (server, port), socket.socket() as page:
        # Else the operating system alone would take tens of megabytes.
        page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        page.connect(("127.0.0.1", port))
        assert upgrade(page, f"http://127.0.0.1:{port}") == 101
        keep = (sys.executable, "manage.py", "shell", "-v", "0", "-c", LONG_RUN)
        run = subprocess.run(keep, env=server.env, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
        before = server.memory()
        with pytest.raises(OSError, match=r"reset|pipe"):
            ask_for_ever(page, run)
        assert server.memory() - before < GROWTH
        assert "reads too slowly" in server.log.read_text()
        with open_page(port) as other:
            other.press(count=1)


def test_a_reader_that_lags_hears_everything_whole_and_in_order(serve: Serve) -> None:
    with serve(application="tests.deploy.large:application") as (_, port), socket.socket() as page:
        page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        page.connect(("127.0.0.1", port))
        assert upgrade(page, f"http://127.0.0.1:{port}") == 101
        page.sendall(make_frame("." * 126))
        time.sleep(0.5)
        page.settimeout(10)
        assert read_texts(page, MESSAGES) == [make_text(number) for number in range(MESSAGES)]


def test_a_sender_that_floods_is_cut_off(serve: Serve) -> None:
    with serve() as (server, port), open_page(port) as page:
        before = server.memory()
        with pytest.raises(OSError, match=r"reset|pipe|closed|descriptor"):
            flood(page.connection.socket)
        assert server.memory() - before < GROWTH
        assert "sends too fast" in server.log.read_text()
        with open_page(port) as other:
            other.press(count=1)


def test_a_message_too_large_ends_its_socket_alone(serve: Serve) -> None:
    limit = ("--websocket-max-message-size", "65536", "--websocket-max-frame-size", "65536")
    with serve((*SERVER, *limit)) as (_, port), open_page(port) as page, open_page(port) as other:
        page.say(event="x" * 70_000)
        with pytest.raises(ConnectionClosed, match="4413"):
            page.hear()
        other.press(count=1)


def test_a_socket_that_says_nothing_holds_no_process_back(serve: Serve) -> None:
    with serve() as (server, port), socket.create_connection(("127.0.0.1", port)) as silent:
        silent.sendall(b"GET /ws/ping/ HTTP/1.1\r\n")
        assert server.signal(signal.SIGTERM) == 0
        wait_until(lambda: not listens(("127.0.0.1", port)), "the port is free")
