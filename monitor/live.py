"""Publish an event to a group of the channel layer, and never fail the caller."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from channels.layers import get_channel_layer

from monitor.wire import Message
from monitor.wire_watch import WatchMessage

log = logging.getLogger(__name__)


async def publish(group: str, message: Message | WatchMessage) -> None:
    """Send a message to whoever listens; what cannot be sent is logged, and fetched again by those who miss it."""
    try:
        # No time limit: neither of our layers waits for anything here.
        await get_channel_layer().group_send(group, message)
    except Exception as error:  # a lost layer must never end a run
        log.warning("not published to %s: %r", group, error)


async def listen(*groups: str) -> AsyncIterator[dict[str, Any]]:
    """The messages of groups, for ever; each is there once it has been sent, in this process or another."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    for group in groups:
        await layer.group_add(group, channel)
    try:
        while True:
            yield await layer.receive(channel)
    finally:
        for group in groups:
            await layer.group_discard(group, channel)
        layer.forget(channel)
