"""Histories to read: packets put where a keeper would have put them."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async

from monitor.book import tally_minute
from monitor.models import Host, Minute
from monitor.packing import Slots, pack
from monitor.tally import FIGURES

Draw = Callable[[int], int]
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


async def ask(function: Callable[Asked, Answer], *args: Asked.args, **options: Asked.kwargs) -> Answer:
    """What a function that reads the database returns."""
    return await database_sync_to_async(function)(*args, **options)


def new_host(name: str = "alice", **fields: object) -> Host:
    """A watched host of 192.0.2.0/24."""
    return Host.objects.create(name=name, slug=name, host="192.0.2.1", **fields)


def write_minute(
    host: Host, minute: int, values: Sequence[int], *, interval_ms: int = 1000, counted: bool = True
) -> None:
    """Keep a minute of packets, the first 250 ms after it began."""
    packets = pack(Slots(250, interval_ms, list(values)))
    figures = dict(zip(FIGURES, tally_minute(packets).figures, strict=True)) if counted else {}
    Minute.objects.create(host=host, minute=minute, packets=packets, **figures)


def write_minutes(host: Host, since: dt.datetime, number: int, draw: Draw) -> None:
    """Keep so many minutes of a packet a second; `draw` gives the value for the second since 1970."""
    first = int(since.timestamp()) // 60
    rows = []
    for minute in range(first, first + number):
        packets = pack(Slots(250, 1000, [draw(minute * 60 + second) for second in range(60)]))
        figures = dict(zip(FIGURES, tally_minute(packets).figures, strict=True))
        rows.append(Minute(host=host, minute=minute, packets=packets, **figures))
    Minute.objects.bulk_create(rows)
