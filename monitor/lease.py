"""Work that one process at a time does: whoever holds its lease, claimed and kept by conditional updates."""

import datetime as dt
import time
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.utils import timezone

from monitor.models import Lease

# The work of a watcher: to ping, to keep, to judge and to tell.
WATCHING = "watch"
# A holder that has not renewed for so long, as seen by the one who waits, is dead.
LEASE = dt.timedelta(seconds=6)
# Who has not looked for so long does not know that a row stayed as it was: the database was away, for its holder too.
BLIND_SECONDS = 3.0
# A lease that ran out this long ago is not worth the wait: no two clocks of one site are so far apart.
STALE = dt.timedelta(seconds=30)


def is_held(name: str) -> bool:
    """Whether somebody does the work of this name, as far as the clocks of two machines can tell."""
    return Lease.objects.filter(name=name, expires_at__gt=timezone.now() - STALE).exists()


class Claim:
    """The claim of `holder` to the work called `name`. Its methods block, and raise what the database raises.

    Whether another holder lives is not read off the clock of another machine: it lives while its row changes.
    """

    def __init__(self, name: str, holder: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.holder = holder
        self._clock = clock
        self._seen: tuple[str, dt.datetime] | None = None
        self._seen_at = self._looked_at = 0.0

    def hold(self) -> bool:
        """Renew the lease, or take it where nobody has it; whether it is ours."""
        mine = Lease.objects.filter(name=self.name, holder=self.holder)
        return bool(mine.update(expires_at=timezone.now() + LEASE)) or self._take()

    def release(self) -> None:
        """Give the lease back, for another to take at once."""
        Lease.objects.filter(name=self.name, holder=self.holder).delete()

    def _take(self) -> bool:
        lease = Lease.objects.filter(name=self.name).first()
        if lease is None:
            return self._create()
        if not self._is_dead(lease):
            return False
        same = Lease.objects.filter(name=self.name, holder=lease.holder, expires_at=lease.expires_at)
        return same.update(holder=self.holder, expires_at=timezone.now() + LEASE) == 1

    def _create(self) -> bool:
        try:
            with transaction.atomic():
                Lease.objects.create(name=self.name, holder=self.holder, expires_at=timezone.now() + LEASE)
        except IntegrityError:
            return False
        return True

    def _is_dead(self, lease: Lease) -> bool:
        now, first, seen = self._clock(), self._seen is None, (lease.holder, lease.expires_at)
        if seen != self._seen or now - self._looked_at > BLIND_SECONDS:
            self._seen, self._seen_at = seen, now
        self._looked_at = now
        return now - self._seen_at >= LEASE.total_seconds() or (first and lease.expires_at + STALE < timezone.now())
