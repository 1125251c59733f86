"""One host and how to ask it: the numeric address and the options of every packet to it."""

import functools
import socket
from dataclasses import dataclass, field
from typing import Any

from monitor.ping.icmp import MAX_SIZE, PATTERN, TOKEN_SIZE, V4, V6

# Packets up to this size, and without options, leave together.
PLAIN_SIZE = 56


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask hosts of an address family; `ValueError` says what makes no sense.

    `timeout` is in seconds, `size` in payload bytes, `dscp` 0 to 63; `source` is a numeric address of this
    machine and `interface` a device of it, each None for the kernel's choice. `padding` follows the token.
    """

    family: int
    timeout: float = 1.0
    size: int = 56
    ttl: int | None = None
    dscp: int = 0
    dont_fragment: bool = False
    source: str | None = None
    interface: str | None = None
    plain: bool = field(init=False, compare=False, repr=False)
    padding: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.source is not None:
            object.__setattr__(self, "source", _spell(self.family, self.source))
        _check("timeout", self.timeout, 0.001, 3600)
        _check("size", self.size, 0, MAX_SIZE)
        _check("ttl", 64 if self.ttl is None else self.ttl, 1, 255)
        _check("dscp", self.dscp, 0, 63)
        object.__setattr__(self, "padding", PATTERN[: max(0, self.size - TOKEN_SIZE)])
        unusual = (self.ttl, self.dscp or None, self.dont_fragment or None, self.source, self.interface)
        object.__setattr__(self, "plain", unusual == (None,) * 5 and self.size <= PLAIN_SIZE)


# Thousands of hosts that are asked in the same way share one record of it.
choose_options = functools.lru_cache(maxsize=256)(Options)


@dataclass(frozen=True, slots=True, init=False)
class Target:
    """A host to ping: its numeric address, as text and packed, and the `Options` of its packets, which are given by
    name or in their order; `ValueError` says which makes no sense."""

    address: str
    options: Options
    packed: bytes = field(compare=False, repr=False)

    def __init__(self, address: str, *values: Any, **options: Any) -> None:
        family = V6 if ":" in address else V4
        spelt = _spell(family, address)
        object.__setattr__(self, "address", spelt)
        object.__setattr__(self, "packed", socket.inet_pton(family, spelt))
        object.__setattr__(self, "options", choose_options(family, *values, **options))


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
