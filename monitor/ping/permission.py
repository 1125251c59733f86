"""What this machine lets us ping with, and the exact line that permits what it does not."""

import os
import shutil
import socket
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from monitor.ping.carrier import open_socket

CAP_NET_RAW = 13
CURES = {
    "datagram": "sysctl -w net.ipv4.ping_group_range='0 2147483647'",
    "raw": f"setcap cap_net_raw+ep {os.path.realpath(sys.executable)}",
    "command": "apt-get install iputils-ping",
}


class PingForbidden(Exception):
    """No way to ping is open to this process; `cure` holds the exact line that permits it."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether one kind of engine may be used here; if not, why, and the line that permits it."""

    kind: str
    permitted: bool
    reason: str
    cure: str


def probe_permissions() -> list[Permission]:
    """Try each kind by opening its socket, best first; nothing is sent."""
    datagram, raw = _probe_socket("datagram"), _probe_socket("raw")
    return [datagram, raw, _probe_command(sockets=datagram.permitted or raw.permitted)]


def _probe_socket(kind: str) -> Permission:
    reasons = []
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            open_socket(family, raw=kind == "raw").close()
        except OSError as error:
            reasons.append(error.strerror or str(error))
        else:
            return Permission(kind, True, f"{kind} ICMP sockets are permitted", "")
    return Permission(kind, False, f"{kind} ICMP sockets are refused: {reasons[0]}", CURES[kind])


def _probe_command(*, sockets: bool) -> Permission:
    path = shutil.which("ping")
    if path is None:
        return Permission("command", False, "there is no ping program", CURES["command"])
    if not (sockets or _has_privilege(path)):
        return Permission("command", False, f"{path} has no right to ping", f"setcap cap_net_raw+ep {path}")
    return Permission("command", True, f"{path} is there", "")


def _has_privilege(path: str) -> bool:
    """Whether running `path` gives the right to open raw sockets to a process that has not got it."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    if status.get("NoNewPrivs") == "1" or not int(status["CapBnd"], 16) >> CAP_NET_RAW & 1:
        return False
    try:
        os.getxattr(path, "security.capability")
    except OSError:
        return bool(Path(path).stat().st_mode & stat.S_ISUID)
    return True
