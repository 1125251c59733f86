"""Networks of our own making: namespaces, and what runs in them."""

import contextlib
import ctypes
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.ping import responder

CLONE_NEWNET = 0x40000000
PERMIT = "net.ipv4.ping_group_range=0 2147483647"
FORBID = "net.ipv4.ping_group_range=1 0"
libc = ctypes.CDLL(None, use_errno=True)
numbers = itertools.count()


class Namespace:
    """A network namespace with only a loopback device, in which ICMP datagram sockets are permitted."""

    def __init__(self, name: str) -> None:
        self.name = f"{name}-{os.getpid()}-{next(numbers)}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.ip("link set lo up")
        # No waiting until each new IPv6 address is known to be nobody else's.
        self.run("sysctl", "-qw", PERMIT, "net.ipv6.conf.default.accept_dad=0")

    def ip(self, *commands: str) -> None:
        """Run commands of ip(8) here."""
        self.run("ip", "-batch", "-", input="\n".join(commands))

    def run(self, *command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command here and return what came of it."""
        options = {"capture_output": True, "text": True, "timeout": 60} | options
        done = subprocess.run(["ip", "netns", "exec", self.name, *command], check=False, **options)
        if check and done.returncode:
            raise AssertionError(f"{command} exited with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def popen(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command here."""
        return subprocess.Popen(["ip", "netns", "exec", self.name, *command], text=True, **options)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Have the calling thread live here; a socket opened meanwhile stays here for good."""
        with Path("/proc/thread-self/ns/net").open() as home:
            self.enter()
            try:
                yield
            finally:
                _set_namespace(home.fileno())

    def enter(self) -> None:
        """Have the calling thread, and the processes that it starts, live here from now on."""
        with Path("/run/netns", self.name).open() as namespace:
            _set_namespace(namespace.fileno())

    def executor(self, threads: int = 16) -> ThreadPoolExecutor:
        """Return an executor whose threads live here."""
        return ThreadPoolExecutor(threads, initializer=self.enter)

    def delete(self) -> None:
        """Take it down, with all that is in it."""
        subprocess.run(["ip", "netns", "delete", self.name], check=True)


class Truth(Namespace):
    """A namespace whose one way out leads to the hosts of `responder`."""

    def __init__(self) -> None:
        super().__init__("truth")
        script = str(Path(responder.__file__))
        self._responder = self.popen(sys.executable, script, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._responder.stdout is not None
        if self._responder.stdout.readline().strip() != responder.READY:
            raise AssertionError("the responder did not start")

    def delete(self) -> None:
        """Stop the responder and take the namespace down."""
        self._responder.communicate(timeout=20)
        super().delete()


class Routed:
    """Three namespaces in a row: a client, a router that refuses, and a server behind a narrow link."""

    def __init__(self) -> None:
        self.client, self.router, self.server = (Namespace(name) for name in ("client", "router", "server"))
        _connect(self.client, "10.1.0.2/24", "fd01::2/64", self.router, "10.1.0.1/24", "fd01::1/64")
        _connect(self.router, "10.2.0.1/24", "fd02::1/64", self.server, "10.2.0.2/24", "fd02::2/64")
        sysctls = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.icmp_ratelimit=0"]
        sysctls += ["net.ipv6.icmp.ratelimit=0", "net.ipv4.icmp_msgs_per_sec=100000"]
        for sysctl in sysctls:
            self.router.run("sysctl", "-qw", sysctl)
        self.client.run("sysctl", "-qw", "net.ipv4.conf.all.promote_secondaries=1")
        self.client.ip("route add default via 10.1.0.1", "route add default via fd01::1")
        self.server.ip("route add default via 10.2.0.1", "route add default via fd02::1")
        self.router.ip(
            "link set to-server mtu 1300",
            "route add unreachable 10.3.1.0/24",
            "route add prohibit 10.3.2.0/24",
            "route add blackhole 10.3.3.0/24",
            "route add unreachable fd03:1::/64",
            "route add prohibit fd03:2::/64",
            "route add blackhole fd03:3::/64",
        )
        self.server.ip("link set to-router mtu 1300")

    def delete(self) -> None:
        """Take all three down."""
        for namespace in (self.client, self.router, self.server):
            namespace.delete()


def _connect(one: Namespace, one_v4: str, one_v6: str, other: Namespace, other_v4: str, other_v6: str) -> None:
    to_other, to_one = (f"to-{namespace.name.partition('-')[0]}" for namespace in (other, one))
    one.ip(f"link add {to_other} type veth peer name {to_one} netns {other.name}")
    for namespace, device, v4, v6 in ((one, to_other, one_v4, one_v6), (other, to_one, other_v4, other_v6)):
        namespace.ip(f"link set {device} up", f"addr add {v4} dev {device}", f"addr add {v6} dev {device} nodad")


def _set_namespace(descriptor: int) -> None:
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
