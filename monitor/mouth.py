"""The watcher's side of the process that talks: starts it when first needed, hands it orders, hears its answers."""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "monitor.herald")
# What it may know of this process's surroundings: no password, no proxy.
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
ROOT = Path(__file__).resolve().parents[1]
# Over the order's own seconds, for the process to start and to answer.
GRACE_SECONDS = 10.0
# One that is ready waits so long; people take a while to type.
READY_SECONDS = 300
MOST_LINE = 1 << 20

Order = dict[str, Any]
Answer = dict[str, Any]


class Mouth:
    """Says things through one child process, which forks for each: any number at once."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._starting = asyncio.Lock()
        self._numbers: Iterator[int] = itertools.count(1)

    @property
    def is_open(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    async def open(self) -> None:
        """Have the process ready; it takes some tenths of a second to read what it needs."""
        try:
            async with self._starting:
                await self._start()
        except OSError as error:
            log.warning("the process that talks does not start: %s", error)

    async def say(self, order: Order) -> Answer:
        """What came of an order: `ok`, `final`, `said`; `doubtful` where nobody knows, and `ok` is false then."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(order["seconds"] + GRACE_SECONDS):
                async with self._starting:
                    speech = await self._start()
                speech.write(json.dumps(order | {"id": number}).encode() + b"\n")
                await speech.drain()
                async with asyncio.timeout(order["seconds"] + 1):
                    return await future
        except TimeoutError:
            return _doubt(f"No answer within {order['seconds']} s.")
        except OSError:
            return _doubt("The process that talks ended.")
        finally:
            del self._waiting[number]

    async def close(self) -> None:
        """End the process; what it is saying is not heard to its end."""
        process, self._process = self._process, None
        if process and process.returncode is None:
            # Those that it forked hold the pipe, one that hangs for as long as its order may take.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if self._listening:
            await asyncio.wait([self._listening])

    async def _start(self) -> asyncio.StreamWriter:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND, env=_environment(), limit=MOST_LINE, start_new_session=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            self._listening = asyncio.create_task(self._listen(self._process), name="mouth")
        return cast(asyncio.StreamWriter, self._process.stdin)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        async for line in cast(asyncio.StreamReader, process.stdout):
            answer = json.loads(line)
            future = self._waiting.get(answer["id"])
            if future and not future.done():
                future.set_result(answer)
        if self._process is process:
            self._process = None
            for future in self._waiting.values():
                if not future.done():
                    future.set_result(_doubt("The process that talks ended."))


# Started by those who will probably ask soon; what it reads takes half a second of a quiet machine.
_ready: list["subprocess.Popen[str]"] = []
_preparing = threading.Lock()


def prepare() -> None:
    """Have a process ready for whoever asks next; where nobody does, it ends by itself."""
    with _preparing:
        if _ready and _ready[0].poll() is None:
            return
        while _ready:
            _ready.pop().communicate()
        _ready.append(_begin(str(READY_SECONDS)))


def ask(order: Order) -> Answer:
    """The same once, for whoever may block: a process of its own for this order."""
    with _preparing:
        process = _ready.pop() if _ready else _begin()
    said = _hear_out(process, order)
    if not said and process.args != list(COMMAND):
        said = _hear_out(_begin(), order)  # the one that was ready had just ended
    return json.loads(said) if said else _doubt(f"No answer within {order['seconds']} s.")


def _begin(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, *arguments], env=_environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _hear_out(process: "subprocess.Popen[str]", order: Order) -> str:
    with process:
        try:
            said, _ = process.communicate(json.dumps(order | {"id": 0}) + "\n", order["seconds"] + GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return ""
    return said.strip()


def _environment() -> dict[str, str]:
    found = {name: os.environ[name] for name in KEPT if name in os.environ}
    return found | {"NETRC": os.devnull, "PYTHONPATH": str(ROOT)}


def _doubt(said: str) -> Answer:
    return {"ok": False, "final": False, "said": said, "doubtful": True}
