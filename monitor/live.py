"""Publish an event to a group of the channel layer, within a time limit, and never fail the caller."""

import asyncio
import logging

from channels.layers import get_channel_layer

from monitor.wire import GroupMessage

log = logging.getLogger(__name__)

LIMIT_SECONDS = 1.0


async def publish(group: str, message: GroupMessage) -> None:
    """Send a message to whoever listens; what cannot be sent is logged, and fetched again by those who miss it."""
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await get_channel_layer().group_send(group, message)
    except Exception as error:  # a lost layer must never end a run
        log.warning("not published to %s: %r", group, error)
