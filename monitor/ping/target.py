"""One host and how to ask it: the numeric address and the options of every packet to it."""

import functools
import socket
from dataclasses import dataclass, field

from monitor.ping.icmp import MAX_SIZE, PATTERN, TOKEN_SIZE, V4, V6

# Packets up to this size, and without options, leave together.
PLAIN_SIZE = 56


@dataclass(frozen=True, slots=True)
class Target:
    """A numeric address and the options of its echo requests; `ValueError` says which makes no sense.

    `timeout` is in seconds, `size` in payload bytes, `dscp` 0 to 63; `source` is a numeric address of this
    machine and `interface` a device of it, each None for the kernel's choice.
    """

    address: str
    timeout: float = 1.0
    size: int = 56
    ttl: int | None = None
    dscp: int = 0
    dont_fragment: bool = False
    source: str | None = None
    interface: str | None = None
    family: int = field(init=False, compare=False)
    packed: bytes = field(init=False, compare=False, repr=False)
    plain: bool = field(init=False, compare=False, repr=False)
    padding: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", V6 if ":" in self.address else V4)
        object.__setattr__(self, "address", _spell(self.family, self.address))
        object.__setattr__(self, "packed", socket.inet_pton(self.family, self.address))
        if self.source is not None:
            object.__setattr__(self, "source", _spell(self.family, self.source))
        _check("timeout", self.timeout, 0.001, 3600)
        _check("size", self.size, 0, MAX_SIZE)
        _check("ttl", 64 if self.ttl is None else self.ttl, 1, 255)
        _check("dscp", self.dscp, 0, 63)
        object.__setattr__(self, "padding", _pad(self.size))
        unusual = (self.ttl, self.dscp or None, self.dont_fragment or None, self.source, self.interface)
        object.__setattr__(self, "plain", unusual == (None,) * 5 and self.size <= PLAIN_SIZE)


@functools.lru_cache(maxsize=256)
def _pad(size: int) -> bytes:
    # All targets of one size share these bytes.
    return PATTERN[: max(0, size - TOKEN_SIZE)]


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} must be {least} to {most}, not {value}")


def _spell(family: int, address: str) -> str:
    try:
        spelt = socket.inet_ntop(family, socket.inet_pton(family, address))
    except (OSError, UnicodeError, ValueError):
        raise ValueError(f"not a numeric address: {address!r}") from None
    # The same text once, not twice, for each of many hosts.
    return address if spelt == address else spelt
