"""`manage.py serve` as a process: the first start, the next, a busy port, its end, and sockets that misbehave."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import websockets

ROOT = Path(__file__).parent.parent.parent
# Not what a `make` around these tests hands down.
SURROUNDINGS = {"PATH": os.environ["PATH"], "LC_ALL": "C"}


class Served:
    """A running site: its port, and what it has printed so far."""

    def __init__(self, data: Path, port: int | None, **variables: str) -> None:
        self.data = data
        self.port = port
        self.text = ""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PINGSITE_")}
        environment |= {
            "PINGSITE_DATA": str(data),
            "PINGSITE_RUNS_PER_MINUTE": "0",
            "PYTHONUNBUFFERED": "1",
        } | variables
        command = [sys.executable, "manage.py", "serve", *([] if port is None else ["--port", str(port)])]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def wait_ready(self) -> "Served":
        """Wait for the line that says where to look."""
        deadline = time.monotonic() + 60
        while "is ready" not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)
        return self

    def end(self, sign: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(sign)
        code = self.process.wait(30)
        self.reader.join(5)
        assert self.process.stdout
        self.process.stdout.close()
        return code

    def get(self, path: str) -> bytes:
        """The body of a page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read()

    @contextlib.asynccontextmanager
    async def socket(self, **options: object) -> AsyncIterator[websockets.ClientConnection]:
        """A page's socket."""
        address, origin = f"ws://127.0.0.1:{self.port}/ws/ping/", f"http://127.0.0.1:{self.port}"
        async with websockets.connect(address, origin=origin, **options) as connection:
            yield connection

    def _read(self) -> None:
        assert self.process.stdout
        with contextlib.suppress(ValueError):
            for line in self.process.stdout:
                self.text += line


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    site = Served(tmp_path / "data", free_port()).wait_ready()
    yield site
    if site.process.poll() is None:
        site.end(signal.SIGKILL)


async def hear_all(connection: websockets.ClientConnection) -> list[dict[str, object]]:
    events: list[dict[str, object]] = []
    while not events or events[-1]["event"] not in ("finished", "error"):
        async with asyncio.timeout(20):
            events.append(json.loads(await connection.recv()))
    return events


async def hear_close(connection: websockets.ClientConnection) -> int:
    """Listen until the server closes, and return its code."""
    async with asyncio.timeout(10):
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await connection.recv()
    return connection.close_code or 0


async def test_five_real_pings_of_this_machine(served: Served) -> None:
    async with served.socket() as connection:
        await connection.send('{"event":"my_event","host":"127.0.0.1","interval":0.2}')
        _, *results, finished = await hear_all(connection)
    assert [result["status"] for result in results] == ["reply"] * 5
    assert finished["summary"]["received"] == 5
    record = json.loads(await asyncio.to_thread(served.get, f"/runs/{finished['run']}.json"))
    assert [line["data"] for line in record["lines"]] == [result["data"] for result in results]
    assert record["engine"] in ("datagram", "raw", "command")


def test_the_first_start_alone_makes_an_account(tmp_path: Path) -> None:
    first = Served(tmp_path / "data", free_port()).wait_ready()
    assert re.search(r"First account: admin, one-time password: \S{12}\n", first.text)
    assert first.end() == 0
    second = Served(tmp_path / "data", first.port).wait_ready()
    assert "password" not in second.text
    assert f"http://127.0.0.1:{first.port}/home" in second.text
    assert second.end(signal.SIGINT) == 0


def test_a_busy_port_is_one_sentence_and_exit_code_1(served: Served, tmp_path: Path) -> None:
    other = Served(tmp_path / "other", served.port)
    assert other.process.wait(30) == 1
    other.end()
    assert f"Port {served.port}" in other.text
    assert "make serve PORT=" in other.text
    assert "Traceback" not in other.text


def test_port_0_announces_the_port_really_bound(tmp_path: Path) -> None:
    site = Served(tmp_path / "data", 0).wait_ready()
    try:
        told = re.search(r"is ready: http://127\.0\.0\.1:(\d+)/home", site.text)
        assert told
        site.port = int(told[1])
        assert site.port != 0
        assert b"<html" in site.get("/home")
    finally:
        site.end()


@pytest.mark.parametrize(
    ("given", "said"), [({}, "serve"), ({"PINGSITE_PORT": "8464"}, "serve"), ({"PORT": "81"}, "serve --port '81'")]
)
def test_make_says_a_port_only_where_one_was_given(given: dict[str, str], said: str) -> None:
    command = ["make", "--no-print-directory", "--dry-run", "--old-file=.venv/site", "serve"]
    shown = subprocess.run(
        command, cwd=ROOT, env=SURROUNDINGS | given, capture_output=True, text=True, timeout=60, check=True
    )
    assert shown.stdout.splitlines()[-1].rstrip() == f"exec .venv/bin/python manage.py {said}"


def test_pingsite_port_is_the_port_served(tmp_path: Path) -> None:
    port = free_port()
    site = Served(tmp_path / "data", None, PINGSITE_PORT=str(port)).wait_ready()
    site.end()
    assert f"http://127.0.0.1:{port}/home" in site.text


def test_make_without_python_says_so_in_one_sentence(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    command = ["make", "PYTHON=python-of-nowhere", ".venv/bin/python"]
    ended = subprocess.run(
        command, cwd=tmp_path, env=SURROUNDINGS, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stdout.splitlines() == ["There is no python-of-nowhere here; pingsite needs Python 3.11 or newer"]
    assert len([line for line in ended.stderr.splitlines() if not line.startswith("make")]) == 0


def test_to_listen_elsewhere_the_origins_must_be_said(tmp_path: Path) -> None:
    environment = os.environ | {"PINGSITE_DATA": str(tmp_path / "data")}
    command = [sys.executable, "manage.py", "serve", "--host", "0.0.0.0", "--port", "0"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "PINGSITE_ORIGINS" in ended.stderr


async def test_the_end_of_the_server_is_told_to_the_page_and_kept(served: Served) -> None:
    async with served.socket() as connection:
        await connection.send('{"event":"my_event","host":"127.0.0.1","count":100}')
        run = json.loads(await connection.recv())["run"]
        json.loads(await connection.recv())
        code = await asyncio.to_thread(served.end)
        assert await hear_close(connection) == 1001
    assert code == 0
    assert "Traceback" not in served.text
    again = Served(served.data, served.port).wait_ready()
    record = json.loads(await asyncio.to_thread(again.get, f"/runs/{run}.json"))
    await asyncio.to_thread(again.end)
    assert record["outcome"] == "interrupted"
    assert record["summary"]["sent"] == len(record["lines"]) >= 1


async def test_a_sender_that_floods_is_closed_and_others_are_served(served: Served) -> None:
    async with served.socket() as flooder, served.socket() as other:
        with contextlib.suppress(websockets.ConnectionClosed):
            for _ in range(200_000):
                await flooder.send('{"event":"resume","run":"00000000-0000-0000-0000-000000000000"}')
        await other.send('{"event":"my_event","host":"127.0.0.1","count":1}')
        assert (await hear_all(other))[-1]["event"] == "finished"
    assert "sends too fast" in served.text


@pytest.mark.parametrize(("frame", "code"), [("x" * 100_000, 4413), (b"x" * 100_000, 4413)])
async def test_a_frame_far_too_large_is_closed_with_a_code_of_ours(
    served: Served, frame: str | bytes, code: int
) -> None:
    async with served.socket() as connection:
        await connection.send(frame)
        assert await hear_close(connection) == 4413
    assert "Traceback" not in served.text


async def test_a_frame_too_large_is_answered(served: Served) -> None:
    async with served.socket() as connection:
        await connection.send("x" * 20_000)
        assert (await hear_all(connection))[0]["code"] == "too_large"
        await connection.send("")
        assert (await hear_all(connection))[0]["code"] == "bad_message"


async def test_a_process_that_is_killed_leaves_its_run_interrupted(served: Served) -> None:
    async with served.socket() as connection:
        await connection.send('{"event":"my_event","host":"127.0.0.1","count":5,"interval":0.3}')
        run = json.loads(await connection.recv())["run"]
        for _ in range(3):
            await connection.recv()
        await asyncio.sleep(0.3)
        await asyncio.to_thread(served.end, signal.SIGKILL)
    again = Served(served.data, served.port).wait_ready()
    async with again.socket() as connection:
        await connection.send(json.dumps({"event": "resume", "run": run, "after": 0}))
        started, *results, finished = await hear_all(connection)
    await asyncio.to_thread(again.end)
    assert started["replayed"] == len(results) >= 1
    assert results[0]["data1"] == 1
    assert (finished["outcome"], finished["summary"]["sent"]) == ("interrupted", len(results) + 1)
