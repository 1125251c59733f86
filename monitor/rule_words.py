"""The fields of rules in words: what each means, its unit, and how it is read and written."""

import math
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

# What the fields of `Rules` bear, by unit.
MOST = {"": 1000, "s": 86_400, "%": 1, "ms": 60_000, "×": 1000}


@dataclass(frozen=True, slots=True)
class Field:
    """A rule: `part` is what it makes a host, "down", "degraded" or "" for both; shares are read and shown in %."""

    name: str
    part: str
    label: Any
    unit: str = ""

    @property
    def factor(self) -> int:
        """How many of what people write are one of what is kept."""
        return 100 if self.unit == "%" else 1

    def show(self, value: float | None) -> str:
        """A value as people write it; "" for none."""
        return "" if value is None else f"{value * self.factor:.6g}"

    def read(self, text: str) -> float | None:
        """What people wrote; None for nothing. `ValueError` says in words what is wrong."""
        if not text:
            return None
        try:
            value = float(text.replace(",", ".")) / self.factor
        except ValueError:
            raise ValueError(say("This is not a number.")) from None
        if not math.isfinite(value) or value < 0:
            raise ValueError(say("This is not a number of 0 or more."))
        if self.name == "lost_in_row" and value != int(value):
            raise ValueError(say("This has to be a whole number."))
        if value > MOST[self.unit]:
            raise ValueError(say("This is at most %(most)s.") % {"most": self.show(MOST[self.unit])})
        return int(value) if self.name == "lost_in_row" else value


FIELDS = (
    Field("lost_in_row", "down", _("Pings lost in a row")),
    Field("lost_s", "down", _("over at least"), "s"),
    Field("down_loss", "down", _("or loss in the window"), "%"),
    Field("loss", "degraded", _("Loss in the window"), "%"),
    Field("p95_ms", "degraded", _("Slowest twentieth at least"), "ms"),
    Field("p95_times", "degraded", _("or this many times its usual"), "×"),
    Field("median_ms", "degraded", _("Half of the pings at least"), "ms"),
    Field("median_times", "degraded", _("or this many times its usual"), "×"),
    Field("jitter_ms", "degraded", _("Change from ping to ping"), "ms"),
    Field("window_s", "", _("Length of the window"), "s"),
)
SOURCES = {
    "host": _("This host"),
    "group": _("The group"),
    "all": _("All hosts"),
    "default": _("Default"),
}


def say_source(source: str) -> str:
    """Whose value it is."""
    return str(SOURCES.get(source, source))
