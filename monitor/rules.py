"""The rules of each host: what people set for it, for its group and for all, and else the built-in ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from monitor.health import Limits
from monitor.models import Host, Rules

DEFAULTS: dict[str, float] = {"lost_in_row": 5, "lost_s": 5.0, "loss": 0.05, "p95_times": 3.0, "window_s": 300.0}


class Usual(Protocol):
    """What knows what is usual for a host (`monitor.usual`)."""

    def find(self, at_us: int) -> tuple[int, int] | None:
        """The usual 95th percentile and median (µs) at a time (µs since 1970)."""


class Problem(NamedTuple):
    """Why a rule is refused: the field, a code, and the sentence for people."""

    field: str
    code: str
    text: Any


@dataclass(frozen=True, slots=True)
class Effective:
    """The rules that apply to a host: the values of the fields of `Rules` (0: off) and where each comes from, "host",
    "group", "all" or "default"."""

    values: dict[str, float]
    sources: dict[str, str]
    interval_us: int

    def limits(self, usual: Usual | None, at_us: int) -> Limits:
        """What may be, at a time (µs since 1970)."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All the rules that people have set."""

    hosts: dict[int, Rules] = field(default_factory=dict)
    groups: dict[str, Rules] = field(default_factory=dict)
    everything: Rules | None = None

    def find(self, host: Host) -> Effective:
        """The rules that apply to a host."""
        raise NotImplementedError

    def propose(self, draft: Rules) -> "RuleBook":
        """The book as it would be with these rules, which need not be saved."""
        raise NotImplementedError


def read_rules() -> RuleBook:
    """Read all rules, in one query."""
    raise NotImplementedError


def check_rules(values: Mapping[str, float | None], interval: float = 1.0) -> list[Problem]:
    """What is wrong with rules as they would apply (`Effective.values`) to a host asked every `interval` seconds: those
    that can never fire, or never clear."""
    raise NotImplementedError
