"""A pure library about one thing: an echo request, and what came of it."""

from monitor.ping.choice import open_engine
from monitor.ping.desk import Engine
from monitor.ping.engine import SocketEngine
from monitor.ping.permission import Permission, PingForbidden, probe_permissions
from monitor.ping.reply import Reply, Status, format_line
from monitor.ping.summary import Summary, format_summary, summarise
from monitor.ping.target import Target

__all__ = [
    "Engine",
    "Permission",
    "PingForbidden",
    "Reply",
    "SocketEngine",
    "Status",
    "Summary",
    "Target",
    "format_line",
    "format_summary",
    "open_engine",
    "probe_permissions",
    "summarise",
]
