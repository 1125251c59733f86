"""What a process that talks to a service may do: connect where a policy allows, and nothing else to the machine."""

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

from monitor.ping.host import BadHost, Policy, check_address

CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
STARTING = {
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn",
}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Where Python and its packages are, and lists that they read; a plugin may name no other file in its URL.
FOLDERS = tuple(
    f"{os.path.realpath(path)}/"
    for path in (sys.prefix, sys.base_prefix, Path(os.__file__).parent, Path(__file__).parent, "/usr/share/zoneinfo")
)
FILES = ("/etc/mime.types", "/dev/null", "/dev/urandom")


class Refused(PermissionError):
    """What this process may not do; a sentence."""


def confine(policy: Policy | None) -> list[Refused]:
    """From now on, and for good, this process connects only where the policy allows (None: anywhere), starts no
    program, writes no file and reads none but Python's own. What was refused is put into the list."""
    refusals: list[Refused] = []

    def listen(event: str, args: tuple[Any, ...]) -> None:
        try:
            _check(event, args, policy)
        except Refused as refused:
            refusals.append(refused)
            raise

    sys.addaudithook(listen)
    return refusals


def _check(event: str, args: tuple[Any, ...], policy: Policy | None) -> None:
    if event in CONNECTING and policy:
        _check_peer(args[0], args[1], policy)
    elif event in STARTING:
        raise Refused("A message starts no program.")
    elif event == "open" and isinstance(args[0], str | bytes):
        _check_file(os.fsdecode(args[0]), args[2])


def _check_peer(sock: socket.socket, peer: Any, policy: Policy) -> None:
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        raise Refused("A message goes to no socket of this machine.")
    # Some send without naming the peer, to whom they have connected before.
    if not isinstance(peer, tuple):
        return
    try:
        check_address(ipaddress.ip_address(peer[0]), policy)
    except BadHost:
        raise Refused("This channel may not reach private addresses.") from None
    except ValueError:
        # A name that the kernel's caller would look up itself, after this.
        if policy is not Policy.UNICAST:
            raise Refused("The service is not reached by an address that was checked.") from None


def _check_file(path: str, flags: int) -> None:
    real = os.path.realpath(path)
    if flags & WRITING and real != os.devnull:
        raise Refused("A message writes no file.")
    if not real.startswith(FOLDERS) and real not in FILES:
        raise Refused("A message reads no file.")
