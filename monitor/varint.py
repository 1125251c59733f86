"""Whole numbers as one to six bytes: the first byte's leading ones say how many follow."""

from collections.abc import Callable

MOST = (1 << 40) - 1


def append_number(out: bytearray, number: int) -> None:
    """Append 0 to 2**40 - 1: one byte up to 127, two up to 16,383, three up to 2,097,151."""
    if number < 0x80:
        out.append(number)
    elif number < 0x4000:
        out += (number | 0x8000).to_bytes(2, "big")
    elif number < 0x200000:
        out += (number | 0xC00000).to_bytes(3, "big")
    elif number < 0x10000000:
        out += (number | 0xE0000000).to_bytes(4, "big")
    else:
        out += b"\xf0" + number.to_bytes(5, "big")


def take_number(take: Callable[[], int]) -> int:
    """The next number of the bytes that `take` hands out; what it raises at their end goes through."""
    return finish_number(take(), take)


def finish_number(first: int, take: Callable[[], int]) -> int:
    """The number whose first byte is taken already."""
    if first < 0x80:
        return first
    if first < 0xC0:
        return (first & 0x3F) << 8 | take()
    if first < 0xE0:
        return (first & 0x1F) << 16 | take() << 8 | take()
    if first < 0xF0:
        return (first & 0x0F) << 24 | take() << 16 | take() << 8 | take()
    return take() << 32 | take() << 24 | take() << 16 | take() << 8 | take()
