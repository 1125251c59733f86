"""Who may start how much: runs a minute for each client, packets a second for each host across everybody."""

import datetime as dt
import math
from dataclasses import dataclass

from django.conf import settings

from monitor.models import Run
from monitor.wire import Refusal

MINUTE = dt.timedelta(minutes=1)


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
            number, first = starts.get(run.client, (0, now))
            rate = rates.get(run.address, 0.0) + 1 / run.interval
            refusal = self._judge(number, first, rate, now)
            if refusal is None:
                starts[run.client] = (number + 1, first)
                rates[run.address] = rate
            answers.append(refusal)
        return answers

    def _judge(self, number: int, first: dt.datetime, rate: float, now: dt.datetime) -> Refusal | None:
        if self.runs_per_minute and number >= self.runs_per_minute:
            wait = max(1, math.ceil((first + MINUTE - now).total_seconds()))
            return Refusal("too_fast", f"Too many pings. Try again in {wait} s.", retry_after=wait)
        if self.packets_per_second and rate > self.packets_per_second + 1e-9:
            return Refusal("host_busy", "Many people are pinging this host. Try again in a moment.", retry_after=5)
        return None
