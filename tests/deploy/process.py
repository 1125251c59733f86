"""A program that a test starts, waits for, and ends, whatever happens in between."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PATIENCE = 30.0


class Process:
    """A program whose output goes to a file beside its data."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        self.command = [str(part) for part in command]
        self.log = log
        self.env = dict(os.environ if env is None else env)
        self.cwd = cwd
        self.user = user
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its number; it must be running."""
        assert self.child is not None
        return self.child.pid

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self.child is not None and self.child.poll() is None

    def start(self, ready: Callable[[], bool]) -> None:
        """Start it and wait until it is ready; its own words explain a failure."""
        groups = {"group": self.user, "extra_groups": []} if self.user else {}
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=self.env, cwd=self.cwd, user=self.user, **groups
            )
        wait_until(lambda: ready() or not self.runs, self.command[0])
        if not self.runs:
            raise RuntimeError(f"{self.command} ended with {self.child.returncode}: {self.log.read_text()[-2000:]}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def signal(self, number: signal.Signals) -> int:
        """Send a signal that ends it; its exit code."""
        assert self.child is not None
        self.send(number)
        return self.child.wait(PATIENCE)

    def end(self) -> None:
        """End it if it runs, gently if that does it."""
        if not self.runs:
            return
        try:
            self.signal(signal.SIGTERM)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)

    def memory(self) -> int:
        """Bytes of memory that are its own."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("RssAnon:")[2].split()[0]) * 1024


def wait_until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Ask every 20 ms until it is so; AssertionError names what never came."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {patience:g} s"
        time.sleep(0.02)


def find_free_ports(number: int) -> list[int]:
    """Different TCP ports of loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def listens(address: tuple[str, int] | Path) -> bool:
    """Whether somebody accepts connections at a TCP address or a Unix socket."""
    family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
    with socket.socket(family) as probe:
        return probe.connect_ex(str(address) if isinstance(address, Path) else address) == 0
