"""Channel layers: groups within one process, and the same reaching other processes through Redis."""

import asyncio
import logging
import os
import uuid
from collections import deque
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer

log = logging.getLogger(__name__)

Message = dict[str, Any]

# A consumer this many messages behind gets no more until it catches up; its page sees the gap and asks again.
MAILBOX = 1000
# What waits for a Redis that is away; beyond it the oldest go, and other processes' pages ask for them again.
OUTBOX = 10_000
REDIS_SECONDS = 5.0
RETRY_SECONDS = 0.5


class Mailbox(asyncio.Queue[Any]):
    """The messages of one channel; those that find it full are dropped, and counted."""

    dropped = 0

    def __init__(self) -> None:
        super().__init__(MAILBOX)

    def put_nowait(self, item: Any) -> None:
        """Take a message if there is room."""
        if self.full():
            Mailbox.dropped += 1
            log.warning("a socket is %d messages behind; %d dropped so far", MAILBOX, Mailbox.dropped)
        else:
            super().put_nowait(item)


class MemoryLayer:
    """The layer of a site that is one process. A message costs one append for each member: nothing is copied, nor
    looked through for what has expired, so members must not change what they receive."""

    extensions = ("groups", "flush")

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.channels: dict[str, Mailbox] = {}
        self.groups: dict[str, set[str]] = {}

    async def new_channel(self, prefix: str = "specific.") -> str:
        """The name of a new channel."""
        channel = f"{prefix}{uuid.uuid4().hex}"
        self.channels[channel] = Mailbox()
        return channel

    async def receive(self, channel: str) -> Message:
        """The next message of a channel. Cancelling this ends the channel: it is how a consumer goes."""
        try:
            return await self.channels.setdefault(channel, Mailbox()).get()
        except asyncio.CancelledError:
            self.channels.pop(channel, None)
            raise

    async def send(self, channel: str, message: Message) -> None:
        """Send to one channel of this process."""
        if mailbox := self.channels.get(channel):
            mailbox.put_nowait(message)

    def forget(self, channel: str) -> None:
        """End a channel that nobody receives from any more."""
        self.channels.pop(channel, None)

    async def group_add(self, group: str, channel: str) -> None:
        """Make a channel a member of a group."""
        self.groups.setdefault(group, set()).add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        """End a membership, where there is one."""
        members = self.groups.get(group, set())
        members.discard(channel)
        if not members:
            self.groups.pop(group, None)

    async def group_send(self, group: str, message: Message) -> None:
        """Send to every member of a group."""
        for channel in self.groups.get(group, ()):
            await MemoryLayer.send(self, channel, message)

    async def flush(self) -> None:
        """Forget everything."""
        self.channels.clear()
        self.groups.clear()


class RedisLayer(RedisPubSubChannelLayer):
    """The layer of many processes: Redis pub/sub, one connection for each event loop."""

    _layers: dict[asyncio.AbstractEventLoop, "RedisLoopLayer"]

    def _get_layer(self) -> "RedisLoopLayer":
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers = {other: layer for other, layer in self._layers.items() if not other.is_closed()}
            self._layers[loop] = RedisLoopLayer(*self._args, channel_layer=self, **self._kwargs)
        return self._layers[loop]


class RedisLoopLayer(MemoryLayer, RedisPubSubLoopLayer):
    """Groups whose members may be anywhere. Those in the sender's process have a message at once, whether Redis is
    there or not, and in order; one task brings it to the others and keeps Redis's subscriptions as they are wanted.

    Measured with Redis killed for three seconds in mid-stream: the layer as it comes lost 40 of 120 lines.
    """

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        # Redis hands our own messages back to us; this mark tells them.
        self._mark = os.urandom(8)
        self._outbox: deque[tuple[str, bytes]] = deque(maxlen=OUTBOX)
        self._changed = asyncio.Event()
        self._regrouped = False
        self._task: asyncio.Task[None] | None = None

    async def receive(self, channel: str) -> Message:
        """The next message of a channel: as it is from this process, serialised from another."""
        while isinstance(message := await super().receive(channel), bytes):
            if not message.startswith(self._mark):
                return self.channel_layer.deserialize(message[len(self._mark) :])
        return message

    async def group_add(self, group: str, channel: str) -> None:
        """Make a channel a member; Redis is told in good time."""
        await super().group_add(self._get_group_channel_name(group), channel)
        self._regrouped = True
        self._wake()

    async def group_discard(self, group: str, channel: str) -> None:
        """End a membership, where there is one."""
        await super().group_discard(self._get_group_channel_name(group), channel)
        self._regrouped = True
        self._wake()

    async def group_send(self, group: str, message: Message) -> None:
        """Deliver here now, and leave it for the other processes in the outbox."""
        name = self._get_group_channel_name(group)
        await super().group_send(name, message)
        self._outbox.append((name, self._mark + self.channel_layer.serialize(message)))
        self._wake()

    async def ask_redis(self) -> None:
        """Return once every server has answered: a message to members in this process would not show that it does."""
        for shard in self._shards:
            async with asyncio.timeout(REDIS_SECONDS):
                await shard.publish("doctor", b"")

    async def flush(self) -> None:
        """Forget everything and close the connection."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        await MemoryLayer.flush(self)
        for shard in self._shards:
            await shard.flush()

    def _wake(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._speak_with_redis(), name="channel layer")
        self._changed.set()

    async def _speak_with_redis(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                if self._regrouped:
                    self._regrouped = False
                    await self._subscribe_as_wanted()
                await self._empty_outbox()
            except Exception as error:  # whatever a client library raises: without this task no process hears another
                log.warning("Redis is away, trying again: %r", error)
                await asyncio.sleep(RETRY_SECONDS)
                self._regrouped = True
                self._changed.set()

    async def _subscribe_as_wanted(self) -> None:
        for shard in self._shards:
            wanted = {name for name in self.groups if self._get_shard(name) is shard}
            for name in shard._subscribed_to - wanted:
                async with asyncio.timeout(REDIS_SECONDS):
                    await shard.unsubscribe(name)
            for name in wanted - shard._subscribed_to:
                async with asyncio.timeout(REDIS_SECONDS):
                    await shard.subscribe(name)

    async def _empty_outbox(self) -> None:
        while self._outbox:
            name, data = self._outbox[0]
            async with asyncio.timeout(REDIS_SECONDS):
                await self._get_shard(name).publish(name, data)
            # The deque may have shed its oldest meanwhile; a message twice is told apart by its number.
            if self._outbox and self._outbox[0] == (name, data):
                self._outbox.popleft()
