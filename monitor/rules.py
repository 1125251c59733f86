"""The rules of each host: what people set for it, for its group and for all, and else the built-in ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from django.utils.translation import gettext_lazy as _

from monitor.health import Limits
from monitor.models import Host, Rules

# What applies where nobody set anything; what is not named is off.
DEFAULTS: dict[str, float] = {"lost_in_row": 5, "lost_s": 5.0, "loss": 0.05, "p95_times": 3.0, "window_s": 300.0}
FIELDS = (
    "lost_in_row", "lost_s", "down_loss", "loss", "p95_ms", "p95_times", "median_ms", "median_times", "jitter_ms",
    "window_s",
)  # fmt: skip
# A window has at least so many packets, however seldom a host is asked.
PACKETS = 20
# What is several times the usual is no trouble before it is this much more (µs): that of a loopback doubles any time.
LEAST_MORE_US = 5000
# A longer window would confirm a recovery after as long, and be read from the packets at every start.
LONGEST_WINDOW_S = 3600.0
SHORTEST_WINDOW_S = 10.0
LEAST_SHARE = 0.001
LONGEST_TIMEOUT = 30.0
DAY_S = 86_400


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

    @property
    def follows_usual(self) -> bool:
        """Whether any of the rules needs to know what is usual."""
        return bool(self.values["p95_times"] or self.values["median_times"])

    @property
    def window_us(self) -> int:
        """How long a window is: at least so long that twenty packets fit."""
        return max(round(self.values["window_s"] * 1_000_000), PACKETS * self.interval_us)

    def limits(self, usual: Usual | None, at_us: int) -> Limits:
        """What may be, at a time (µs since 1970)."""
        value = self.values
        p95, median = (usual.find(at_us) if usual and self.follows_usual else None) or (None, None)
        return Limits(
            in_row=round(value["lost_in_row"]) or None,
            over_us=round(value["lost_s"] * 1_000_000),
            down_loss=value["down_loss"] or None,
            loss=value["loss"] or None,
            p95_us=_find_limit(value["p95_ms"], value["p95_times"], p95),
            median_us=_find_limit(value["median_ms"], value["median_times"], median),
            jitter_us=round(value["jitter_ms"] * 1000) or None,
            window_us=self.window_us,
        )


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All the rules that people have set, by host, by group, and for all."""

    hosts: dict[int, Rules] = field(default_factory=dict)
    groups: dict[str, Rules] = field(default_factory=dict)
    everything: Rules | None = None

    def find(self, host: Host) -> Effective:
        """The rules that apply to a host."""
        levels = {"host": self.hosts.get(host.pk), "group": self.groups.get(host.group), "all": self.everything}
        values, sources = dict.fromkeys(FIELDS, 0.0) | DEFAULTS, dict.fromkeys(FIELDS, "default")
        for name in FIELDS:
            for source, rules in levels.items():
                if rules and (value := getattr(rules, name)) is not None:
                    values[name], sources[name] = value, source
                    break
        return Effective(values, sources, round(host.interval * 1_000_000))

    def propose(self, draft: Rules) -> "RuleBook":
        """The book as it would be with these rules, which need not be saved."""
        if draft.host_id is not None:
            return replace(self, hosts=self.hosts | {draft.host_id: draft})
        if draft.group is not None:
            return replace(self, groups=self.groups | {draft.group: draft})
        return replace(self, everything=draft)


def read_rules() -> RuleBook:
    """Read all rules, in one query."""
    book = RuleBook()
    for rules in Rules.objects.all():
        book = book.propose(rules)
    return book


def check_rules(
    values: Mapping[str, float | None], interval: float = 1.0, timeout: float = LONGEST_TIMEOUT
) -> list[Problem]:
    """What is wrong with rules as they would apply (`Effective.values`) to a host asked every `interval` seconds, whose
    answers count as lost after `timeout`: those that can never fire, and those that would never clear. Fields that are
    missing or None are off."""
    rules = {name: float(values.get(name) or 0) for name in FIELDS} | {"interval": interval, "timeout": timeout}
    return [Problem(name, code, text) for name, code, is_wrong, text in REFUSALS if is_wrong(rules)]


Values = Mapping[str, float]
REFUSALS: list[tuple[str, str, Callable[[Values], bool], Any]] = [
    ("window_s", "too_short", lambda rules: rules["window_s"] < SHORTEST_WINDOW_S,
        _("A window of less than 10 s would call a few packets a trend.")),
    ("window_s", "too_long", lambda rules: rules["window_s"] > LONGEST_WINDOW_S,
        _("A window is at most an hour, because a recovery is certain only after as long.")),
    ("lost_in_row", "single", lambda rules: rules["lost_in_row"] == 1 and not rules["lost_s"],
        _("One lost packet is no outage: ask for two in a row, or for some seconds.")),
    ("lost_in_row", "never_fires", lambda rules: rules["lost_in_row"] * rules["interval"] > DAY_S,
        _("So many packets take more than a day to lose: nothing would ever be down.")),
    ("down_loss", "never_fires", lambda rules: rules["down_loss"] > 1 or _is_nothing(rules["down_loss"]),
        _("A share is from 0.1 % to 100 %.")),
    ("loss", "never_fires", lambda rules: rules["loss"] > 1 or _is_nothing(rules["loss"]),
        _("A share is from 0.1 % to 100 %.")),
    ("loss", "hidden", lambda rules: 0 < rules["down_loss"] <= rules["loss"],
        _("It would be down before it is degraded: this has to be less than down by loss.")),
    ("loss", "hidden_by_row", lambda rules: rules["loss"] == 1 and 0 < _find_row_s(rules) < _find_window_s(rules),
        _("It would be down by packets lost in a row long before the whole window is lost.")),
    ("p95_times", "never_clears", lambda rules: 0 < rules["p95_times"] <= 1,
        _("The usual itself would be bad, and that would never clear: this has to be more than 1.")),
    ("median_times", "never_clears", lambda rules: 0 < rules["median_times"] <= 1,
        _("The usual itself would be bad, and that would never clear: this has to be more than 1.")),
    ("p95_ms", "never_fires", lambda rules: rules["p95_ms"] >= rules["timeout"] * 1000,
        _("An answer that late counts as lost: this has to be less than the timeout.")),
    ("median_ms", "never_fires", lambda rules: rules["median_ms"] >= rules["timeout"] * 1000,
        _("An answer that late counts as lost: this has to be less than the timeout.")),
    ("median_ms", "hidden", lambda rules: 0 < rules["p95_ms"] <= rules["median_ms"],
        _("The 95th percentile would be bad long before: this has to be less than its limit.")),
    ("jitter_ms", "never_fires", lambda rules: rules["jitter_ms"] >= rules["timeout"] * 1000,
        _("An answer that late counts as lost: this has to be less than the timeout.")),
]  # fmt: skip


def _find_limit(ms: float, times: float, usual_us: int | None) -> int | None:
    """The lower of a limit and of what is too many times the usual; None where there is neither."""
    limits = [round(ms * 1000)] if ms else []
    if times and usual_us is not None:
        limits.append(max(round(usual_us * times), usual_us + LEAST_MORE_US))
    return min(limits, default=None)


def _is_nothing(share: float) -> bool:
    return 0 < share < LEAST_SHARE


def _find_row_s(rules: Values) -> float:
    """How long it takes to be down by packets lost in a row; 0 where it never is."""
    return max(rules["lost_s"], rules["lost_in_row"] * rules["interval"]) if rules["lost_in_row"] else 0


def _find_window_s(rules: Values) -> float:
    return max(rules["window_s"], PACKETS * rules["interval"])
