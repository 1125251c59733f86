"""The clock of retention: prunes what is older than the setting and settles what nobody is at any more."""

import asyncio
import datetime as dt
import logging

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone

from monitor.history import prune_runs, settle_abandoned
from monitor.models import Run

log = logging.getLogger(__name__)

PERIOD_SECONDS = 3600.0


async def keep_up() -> None:
    """Tidy the history once an hour, for ever. Several processes may do so at once."""
    while True:
        try:
            await database_sync_to_async(tidy)()
        except Exception:  # a database that is away now may be back in an hour
            log.exception("the history was not tidied")
        await asyncio.sleep(PERIOD_SECONDS)


def tidy() -> int:
    """Settle and prune, once; the number of runs deleted."""
    now = timezone.now()
    settle_abandoned(Run.objects.abandoned(now))
    number = prune_runs(now - dt.timedelta(days=settings.PINGSITE_KEEP_DAYS))
    if number:
        log.info("%d runs older than %g days deleted", number, settings.PINGSITE_KEEP_DAYS)
    return number
