"""What goes on beside visits: runs are pruned and settled, the board's last hour is known before it is asked for."""

import asyncio
import datetime as dt
import logging
import time

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone

from monitor.board_page import COUNTED, last_hour
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


async def keep_hour() -> None:
    """Read what is new of the last hour as soon as there is more of it, for ever: of 2,000 hosts all of it takes ten
    times as long, and somebody would wait."""
    while True:
        try:
            await database_sync_to_async(last_hour.read, thread_sensitive=False)()
        except Exception as error:  # whoever asks for the board next will be told
            log.warning("the last hour cannot be read: %r", error)
        await asyncio.sleep(60.1 - (time.time() - COUNTED) % 60)


def tidy() -> int:
    """Settle and prune, once; the number of runs deleted."""
    now = timezone.now()
    settle_abandoned(Run.objects.abandoned(now))
    number = prune_runs(now - dt.timedelta(days=settings.PINGSITE_KEEP_DAYS))
    if number:
        log.info("%d runs older than %g days deleted", number, settings.PINGSITE_KEEP_DAYS)
    return number
