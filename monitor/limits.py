"""Who may start how much: runs a minute for each client, packets a second for each host across everybody."""

import datetime as dt
import math
from dataclasses import dataclass

from django.conf import settings

from monitor.models import Run
from monitor.wire import Refusal

Starts = dict[str, tuple[int, dt.datetime]]
Rates = dict[tuple[str, str], float]

MINUTE = dt.timedelta(minutes=1)
# How much of what everybody may send to a host one client may: nobody keeps the others from it. Two runs at the
# fastest pace are always allowed.
SHARE = 0.2
LEAST_SHARE = 10.0
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Limits:
    """The two ceilings; 0 turns either off."""

    runs_per_minute: int
    packets_per_second: float

    @classmethod
    def from_settings(cls) -> "Limits":
        """The ceilings that the environment sets."""
        return cls(settings.PINGSITE_RUNS_PER_MINUTE, settings.PINGSITE_PACKETS_PER_SECOND)

    def admit(self, runs: list[Run], now: dt.datetime) -> list[Refusal | None]:
        """For each run that is about to start, None or why it may not. Counts rows: call it in the transaction
        that inserts them. Runs admitted earlier in the list count for the later ones."""
        starts = Run.objects.starts({run.client for run in runs}, now - MINUTE) if self.runs_per_minute else {}
        rates = Run.objects.rates({run.address for run in runs}, now) if self.packets_per_second else {}
        answers: list[Refusal | None] = []
        for run in runs:
            refusal = self._judge_pace(run, starts, now) or self._judge_rate(run, rates)
            if refusal is None:
                number, first = starts.get(run.client, (0, now))
                starts[run.client] = (number + 1, first)
                key = run.address, run.client
                rates[key] = rates.get(key, 0.0) + 1 / run.interval
            answers.append(refusal)
        return answers

    def _judge_pace(self, run: Run, starts: Starts, now: dt.datetime) -> Refusal | None:
        number, first = starts.get(run.client, (0, now))
        if not self.runs_per_minute or number < self.runs_per_minute:
            return None
        wait = max(1, math.ceil((first + MINUTE - now).total_seconds()))
        return Refusal("too_fast", f"Too many pings. Try again in {wait} s.", retry_after=wait)

    def _judge_rate(self, run: Run, rates: Rates) -> Refusal | None:
        if not self.packets_per_second:
            return None
        everybody = sum(rate for (address, _), rate in rates.items() if address == run.address)
        if everybody + 1 / run.interval > self.packets_per_second + ROUNDING:
            return Refusal("host_busy", "Many people are pinging this host. Try again in a moment.", retry_after=5)
        share = max(LEAST_SHARE, self.packets_per_second * SHARE)
        if rates.get((run.address, run.client), 0.0) + 1 / run.interval > share + ROUNDING:
            return Refusal("too_fast", "Too many pings. Try again in 5 s.", retry_after=5)
        return None
