"""A WebSocket client as lean as one process with hundreds of them needs: text frames and an arrival time."""

import asyncio
import base64
import os
import struct
import time
from collections.abc import Callable

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def make_frame(opcode: int, payload: bytes) -> bytes:
    """One final client frame of up to 65,535 bytes; its mask is zero, which leaves the payload as it is."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else struct.pack("!BH", 0x80 | 126, length)
    return bytes([0x80 | opcode]) + size + bytes(4) + payload


def take_frames(buffer: bytearray) -> list[tuple[int, bytes]]:
    """Remove the whole frames at the head of `buffer` and return them as (opcode, payload).

    Raises ValueError for what these servers never send: a fragment, a mask, a payload of 64 KiB or more.
    """
    frames = []
    while len(buffer) >= 2:
        first, length = buffer[0], buffer[1]
        if not first & 0x80 or length > 126:
            raise ValueError(f"expected a whole, unmasked frame under 64 KiB, got {bytes(buffer[:2]).hex()}")
        head = 2
        if length == 126:
            if len(buffer) < 4:
                break
            head, length = 4, int.from_bytes(buffer[2:4])
        if len(buffer) < head + length:
            break
        frames.append((first & 0x0F, bytes(buffer[head : head + length])))
        del buffer[: head + length]
    return frames


class Client(asyncio.Protocol):
    """One socket: `on_text` gets every text with its arrival in nanoseconds since the Unix epoch."""

    def __init__(self, origin: str, path: str, on_text: Callable[[str, int], None]) -> None:
        self.origin, self.path, self.on_text = origin, path, on_text
        self.accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.close_code: int | None = None
        self.closed = asyncio.Event()
        self.buffer = bytearray()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: {self.origin.removeprefix('http://')}\r\n"
            f"Origin: {self.origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Stamp the arrival first, then read the answer to the upgrade or the frames."""
        arrived_at = time.time_ns()
        self.buffer += data
        if not self.accepted.done() and not self.read_answer():
            return
        for opcode, payload in take_frames(self.buffer):
            if opcode == TEXT:
                self.on_text(payload.decode(), arrived_at)
            elif opcode == PING:
                self.transport.write(make_frame(PONG, payload))
            elif opcode == CLOSE:
                self.close_code = int.from_bytes(payload[:2])
                self.transport.close()

    def read_answer(self) -> bool:
        """True once the server has agreed to the upgrade; anything but 101 fails `accepted`."""
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        status = bytes(head.split(b"\r\n")[0])
        if status.split()[1] != b"101":
            self.accepted.set_exception(ConnectionRefusedError(status.decode()))
            self.transport.abort()
            return False
        self.accepted.set_result(None)
        self.buffer = rest
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits for the end has it; whoever waits for the upgrade hears that it will not come."""
        self.closed.set()
        if not self.accepted.done():
            self.accepted.set_exception(ConnectionResetError("closed before the upgrade"))

    def send(self, text: str) -> None:
        """Write one text frame."""
        self.transport.write(make_frame(TEXT, text.encode()))

    def close(self) -> None:
        """Say goodbye and close."""
        if not self.transport.is_closing():
            self.transport.write(make_frame(CLOSE, (1000).to_bytes(2)))
            self.transport.close()
