"""Which engine it is: the best of those that this machine permits."""

from concurrent.futures import Executor

from monitor.ping.carrier import open_carriers
from monitor.ping.command import CommandEngine
from monitor.ping.desk import Engine
from monitor.ping.engine import SocketEngine
from monitor.ping.permission import Permission, PingForbidden, probe_permissions


def open_engine(executor: Executor, *, prefer: str | None = None, packets_per_second: float = 0) -> Engine:
    """Open the preferred engine if it is permitted here, else the best that is; `PingForbidden` if none is."""
    refused: list[Permission] = []
    for permission in sorted(probe_permissions(), key=lambda permission: permission.kind != prefer):
        if not permission.permitted:
            refused.append(permission)
            continue
        why = ". ".join([f"{permission.reason}", *(f"{each.reason}; {each.cure}" for each in refused)])
        if permission.kind == "command":
            return CommandEngine(executor, why)
        carriers = open_carriers(raw=permission.kind == "raw")
        return SocketEngine(executor, permission.kind, why, carriers, packets_per_second)
    raise PingForbidden("; ".join(each.reason for each in refused), "\n".join(each.cure for each in refused))
