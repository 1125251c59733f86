"""Many packets in one system call: memory laid out once for sendmmsg(2) and recvmmsg(2)."""

import ctypes
import os
import socket
import sys
from collections.abc import Iterable
from ctypes import c_char, c_int, c_size_t, c_uint, c_void_p
from struct import Struct

from monitor.ping.icmp import V4, V6

Control = list[tuple[int, int, bytes]]

CONTROL_SIZE = 128
CONTROL_HEADER, CONTROL_ALIGNMENT = Struct("@Nii"), 8
# struct sockaddr_in and sockaddr_in6: how long they are, and where the address stands.
NAME_SIZE, ADDRESS, ADDRESS_SIZE = {V4: 16, V6: 28}, {V4: 4, V6: 8}, {V4: 4, V6: 16}

# Neither call ever waits. To let other threads run meanwhile would mean to wait for one of them afterwards, up to 5 ms.
libc = ctypes.PyDLL(None, use_errno=True)
send_messages, receive_messages = libc.sendmmsg, libc.recvmmsg
send_messages.argtypes = [c_int, c_void_p, c_uint, c_int]
receive_messages.argtypes = [c_int, c_void_p, c_uint, c_int, c_void_p]


class Piece(ctypes.Structure):
    """`struct iovec`."""

    _fields_ = (("base", c_void_p), ("length", c_size_t))


class Header(ctypes.Structure):
    """`struct msghdr`."""

    _fields_ = (
        ("name", c_void_p),
        ("name_length", c_uint),
        ("pieces", c_void_p),
        ("piece_count", c_size_t),
        ("control", c_void_p),
        ("control_length", c_size_t),
        ("flags", c_int),
    )


class Message(ctypes.Structure):
    """`struct mmsghdr`."""

    _fields_ = (("header", Header), ("length", c_uint))


# What the kernel writes of a message that it received: the lengths of its control messages and of its bytes.
LENGTHS = Struct(f"@{Header.control_length.offset}xN{Message.length.offset - Header.flags.offset}xI4x")


class Batch:
    """Room for `count` packets of a socket of this family.

    Packets stand in `data` every `room` bytes, their addresses in `names`, and those that are received have their
    control messages in `control` every `CONTROL_SIZE` bytes.
    """

    def __init__(self, family: int, count: int, room: int, *, control: bool = False) -> None:
        self.count, self.room, self._name_size, self._address = count, room, NAME_SIZE[family], ADDRESS[family]
        self.names = bytearray(family.to_bytes(2, sys.byteorder).ljust(self._name_size, b"\0") * count)
        self.control = bytearray(count * CONTROL_SIZE if control else 1)
        self.data = bytearray(count * room)
        self._lengths = [room] * count
        self._pieces = (Piece * count)()
        self._table = bytearray(count * LENGTHS.size)
        self._messages = (Message * count).from_buffer(self._table)
        self._start = ctypes.addressof(self._messages)
        self._point()
        self._fresh = bytes(self._table)

    def lay_out(self, packets: Iterable[tuple[bytes, bytes]]) -> None:
        """Put packets, each with its address, where they are to leave from."""
        start, name, data, names, lengths = 0, self._address, self.data, self.names, self._lengths
        for place, (address, message) in enumerate(packets):
            length = len(message)
            data[start : start + length] = message
            names[name : name + len(address)] = address
            if lengths[place] != length:
                lengths[place] = self._pieces[place].length = length
            start += self.room
            name += self._name_size

    def attach(self, control: Control) -> None:
        """Send these control messages along with every packet."""
        packed = b""
        for level, kind, value in control:
            packed += CONTROL_HEADER.pack(CONTROL_HEADER.size + len(value), level, kind) + value
            packed += bytes(-len(packed) % CONTROL_ALIGNMENT)
        for place in range(self.count):
            self.control[place * CONTROL_SIZE : place * CONTROL_SIZE + len(packed)] = packed
            self._messages[place].header.control_length = len(packed)

    def send(self, descriptor: int, count: int) -> int:
        """Send the first so many packets; return how many the kernel took before it refused one."""
        return max(0, send_messages(descriptor, self._start, count, socket.MSG_DONTWAIT))

    def receive(self, descriptor: int, flags: int = 0) -> list[tuple[int, int]]:
        """Take in what has come, at least one packet, and return the lengths of control messages and bytes of each.

        `OSError` says why there is none.
        """
        self._table[:] = self._fresh
        taken = receive_messages(descriptor, self._start, self.count, socket.MSG_DONTWAIT | flags, None)
        if taken < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return list(LENGTHS.iter_unpack(self._table[: taken * LENGTHS.size]))

    def copy(self, place: int, size: int) -> bytes:
        """Return so many bytes of a packet."""
        return bytes(self.data[place * self.room : place * self.room + size])

    def copy_control(self, place: int, size: int) -> bytes:
        """Return so many bytes of a packet's control messages."""
        return bytes(self.control[place * CONTROL_SIZE : place * CONTROL_SIZE + size])

    def _point(self) -> None:
        names, control, data = (_locate(memory) for memory in (self.names, self.control, self.data))
        pieces = ctypes.addressof(self._pieces)
        for place in range(self.count):
            self._pieces[place] = Piece(data + place * self.room, self.room)
            self._messages[place].header = Header(
                name=names + place * self._name_size,
                name_length=self._name_size,
                pieces=pieces + place * ctypes.sizeof(Piece),
                piece_count=1,
                control=control + place * CONTROL_SIZE,
                control_length=CONTROL_SIZE if len(self.control) > 1 else 0,
            )


def split_control(control: bytes) -> Control:
    """Return the control messages in these bytes: level, kind and value of each."""
    found, start = [], 0
    while start + CONTROL_HEADER.size <= len(control):
        length, level, kind = CONTROL_HEADER.unpack_from(control, start)
        if length < CONTROL_HEADER.size:
            break
        found.append((level, kind, control[start + CONTROL_HEADER.size : start + length]))
        start += length + -length % CONTROL_ALIGNMENT
    return found


def _locate(memory: bytearray) -> int:
    # It never moves, for nobody changes its size.
    return ctypes.addressof((c_char * len(memory)).from_buffer(memory))
