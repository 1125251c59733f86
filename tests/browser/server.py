"""The site as a person starts it: a real `manage.py serve` with a data folder of its own."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "PINGSITE_DEFAULT_HOST": "127.0.0.1",
    "PINGSITE_RUNS_PER_MINUTE": "0",
    "PINGSITE_PACKETS_PER_SECOND": "0",
}

Popen = Callable[..., "subprocess.Popen[str]"]


def start_here(*command: str, **options: object) -> "subprocess.Popen[str]":
    """Start a command in the network that the tests run in."""
    return subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]


class Server:
    """A server on 127.0.0.1 that can be ended and started again on the same port and data."""

    def __init__(self, data: Path, popen: Popen = start_here) -> None:
        self.data = data
        self.popen = popen
        self.port = free_port()
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The address of the site, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def first_password(self) -> str:
        """The one-time password that the first start printed."""
        found = re.search(r"one-time password: (\S+)", "".join(self.lines))
        assert found, self.lines
        return found[1]

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def environment(self) -> dict[str, str]:
        """The settings of its commands."""
        return os.environ | SETTINGS | {"PINGSITE_DATA": str(self.data)}

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        command = [sys.executable, "-u", str(ROOT / "manage.py"), "serve", "--port", str(self.port)]
        options = {"env": self.environment, "cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.process = self.popen(*command, **options)
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(self.process.stdout, ready), daemon=True).start()
        assert ready.wait(60), self.lines
        assert self.process.poll() is None, self.lines

    def watch(self, hosts: dict[str, str], **more: str) -> None:
        """Have it watch hosts, given as addresses by their names; `more` is what all of them have, as TOML."""
        extra = "".join(f"{name} = {value}\n" for name, value in more.items())
        entries = [f'[[hosts]]\nname = "{name}"\nhost = "{host}"\n{extra}' for name, host in hosts.items()]
        file = self.data / "hosts.toml"
        file.write_text("\n".join(entries))
        command = [sys.executable, str(ROOT / "manage.py"), "load", str(file)]
        subprocess.run(command, env=self.environment, cwd=ROOT, check=True, capture_output=True, timeout=60)

    def do(self, program: str) -> None:
        """Do something in its database."""
        command = [sys.executable, str(ROOT / "manage.py"), "shell", "-c", program]
        subprocess.run(command, env=self.environment, cwd=ROOT, check=True, capture_output=True, timeout=60)

    def stop(self) -> None:
        """End it as a person does, or by force where it does not listen."""
        if self.process and self.is_running:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _listen(self, output: IO[str], ready: threading.Event) -> None:
        # Reading to the end also keeps the server from waiting for a full pipe.
        with output:
            for line in output:
                self.lines.append(line)
                if "is ready" in line:
                    ready.set()
        ready.set()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
