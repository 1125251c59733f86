"""An ASGI application whose sockets send large messages, for the server to bring to a reader that lags."""

from typing import Any

MESSAGES = 5
SIZE = 200_000  # more than goes to the kernel at once


class Large:
    """Accepts every socket, and answers its first message with numbered texts of about `SIZE` bytes."""

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one socket."""
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.receive":
            pass
        for number in range(MESSAGES):
            await send({"type": "websocket.send", "text": make_text(number)})
        while (await receive())["type"] != "websocket.disconnect":
            pass


def make_text(number: int) -> str:
    """A text that no shift by some bytes leaves as it is."""
    return " ".join(str(n) for n in range(number, number + SIZE // 6))


application = Large()
