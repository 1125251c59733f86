"""Takes planned messages to the services, one process at a time each, and notes what came of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Call = Callable[..., Awaitable[Any]]


class Courier:
    """Sends what is due. `call` awaits what blocks on the database, and returns None where that is away."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was planned: look at once."""
        self._woken.set()

    async def work(self) -> None:
        """Send whatever falls due, until cancelled; what is being said then gets a moment to be heard to its end."""
        while True:
            await self._woken.wait()
            self._woken.clear()
