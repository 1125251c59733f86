"""Keep runs and their replies, in batches by one writer; find them again; prune them."""

import asyncio
import datetime as dt
import logging
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from channels.db import database_sync_to_async
from django.db import DatabaseError, IntegrityError, InterfaceError, connection, transaction
from django.utils import timezone

from monitor.models import Outcome, Run, insert_pings, insert_runs, update_ends
from monitor.ping.reply import Reply
from monitor.ping.summary import summarise
from monitor.wire import Refusal

log = logging.getLogger(__name__)

Admit = Callable[[list[Run], dt.datetime], list[Refusal | None]]
Found = tuple[Run, list[Reply]]
Kept = tuple[uuid.UUID, Reply]

BATCH_SECONDS = 0.1
ANSWER_SECONDS = 3.0
CAPACITY = 100_000
RETRY_SECONDS = 1.0
PRUNE_STEP = 200
PINGS_AT_ONCE = 500


@dataclass(slots=True)
class Batch:
    """What waits to be written: runs that begin, pings, runs that ended. The futures tell the callers."""

    begun: list[tuple[Run, asyncio.Future[None]]] = field(default_factory=list)
    pings: list[Kept] = field(default_factory=list)
    ended: list[tuple[Run, asyncio.Future[None]]] = field(default_factory=list)


class Writer:
    """The one writer of this process: callers queue, a thread writes, nobody waits who need not.

    `admit` judges the runs of a batch inside its transaction. While the database is away, up to `capacity` pings
    wait in memory, in order; `dropped` counts those beyond.
    """

    def __init__(self, admit: Admit, *, capacity: int = CAPACITY) -> None:
        self._admit = admit
        self._capacity = capacity
        self._batch = Batch()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1, "history")
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0

    async def begin(self, run: Run) -> None:
        """Insert a run, unless a limit forbids it: then `Refusal`, as when the database does not answer in 3 s."""
        admitted = asyncio.get_running_loop().create_future()
        self._batch.begun.append((run, admitted))
        self._write_now()
        try:
            # Not `wait_for`, which in Python 3.11 swallows a cancellation that meets its answer.
            async with asyncio.timeout(ANSWER_SECONDS):
                await admitted
        except TimeoutError:
            raise Refusal("unavailable", "The history cannot be written right now.") from None
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled() and not admitted.exception():
                self._take_back(run)
            raise

    def keep(self, run: Run, reply: Reply) -> None:
        """Queue a reply of a run that has begun."""
        if len(self._batch.pings) >= self._capacity:
            self.dropped += 1
            return
        self._batch.pings.append((run.id, reply))
        self._write_soon()

    def finish(self, run: Run) -> asyncio.Future[None]:
        """Queue how a run ended, after all of its pings; the future is done when that is on disk."""
        written = asyncio.get_running_loop().create_future()
        self._batch.ended.append((run, written))
        self._write_soon()
        return written

    async def close(self) -> None:
        """Write what waits, for at most three seconds, and let go of the thread."""
        if self._task:
            self._write_now()
            self._task.cancel()
            await asyncio.wait([self._task])
            rest = asyncio.ensure_future(self._write(self._batch))
            await asyncio.wait([rest], timeout=ANSWER_SECONDS)
        if self._timer:
            self._timer.cancel()
        self._thread.submit(_disconnect)
        self._thread.shutdown(wait=False)

    def _take_back(self, run: Run) -> None:
        """End a run that nobody waits for any more, though it was written that it began."""
        run.outcome, run.finished_at = Outcome.STOPPED, timezone.now()
        self.finish(run)

    def _write_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._write_now)

    def _write_now(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._write_for_ever(), name="history writer")
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._wake.set()

    async def _write_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._batch = self._batch, Batch()
            # Shielded, so that closing loses no batch that is half-way to the disk.
            await asyncio.shield(asyncio.ensure_future(self._write(batch)))

    async def _write(self, batch: Batch) -> None:
        """Write a batch, however long the database takes to come back."""
        loop = asyncio.get_running_loop()
        while True:
            batch.begun = [(run, future) for run, future in batch.begun if not future.done()]
            try:
                answers = await loop.run_in_executor(self._thread, partial(_store, batch, self._admit))
                break
            except (DatabaseError, InterfaceError) as error:
                log.error("history not written, trying again: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # a batch that cannot be written must not keep the next from it
                log.exception("%d pings not written", len(batch.pings))
                self.dropped += len(batch.pings)
                answers = [Refusal("unavailable", "The history cannot be written right now.")] * len(batch.begun)
                break
        for (run, future), refusal in zip(batch.begun, answers, strict=True):
            if future.done() and refusal is None:
                self._take_back(run)
            _settle(future, refusal)
        for _, future in batch.ended:
            _settle(future, None)


def _disconnect() -> None:
    # Not `connection.close` handed over: that names the connection of the thread that hands.
    connection.close()


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return
    if error:
        future.set_exception(error)
    else:
        future.set_result(None)


def _store(batch: Batch, admit: Admit) -> list[Refusal | None]:
    try:
        try:
            return _insert(batch, admit, batch.pings)
        except IntegrityError:
            # Somebody deleted a run that is going on: its pings have nowhere to go, those of the others have.
            known = set(Run.objects.filter(id__in={run for run, _ in batch.pings}).values_list("id", flat=True))
            return _insert(batch, admit, [kept for kept in batch.pings if kept[0] in known])
    except (DatabaseError, InterfaceError):
        connection.close()
        raise


def _insert(batch: Batch, admit: Admit, pings: list[Kept]) -> list[Refusal | None]:
    with transaction.atomic():
        runs = [run for run, _ in batch.begun]
        answers = admit(runs, timezone.now()) if runs else []
        insert_runs(run for run, refusal in zip(runs, answers, strict=True) if refusal is None)
        for start in range(0, len(pings), PINGS_AT_ONCE):
            insert_pings(pings[start : start + PINGS_AT_ONCE])
        update_ends(run for run, _ in batch.ended)
    return answers


@database_sync_to_async
def find_run(identity: uuid.UUID) -> Found | None:
    """A run and its kept replies in order; None where there is no such run."""
    run = Run.objects.filter(pk=identity).first()
    return (run, read_replies(run)) if run else None


def read_replies(run: Run) -> list[Reply]:
    """The kept replies of a run in order; where its end was never written, its figures are counted from them."""
    replies = [ping.to_reply() for ping in run.pings.order_by("index")]
    if run.outcome == Outcome.RUNNING:
        run.set_summary(summarise(replies))
    return replies


@database_sync_to_async
def mark_resumed(identity: uuid.UUID) -> None:
    """Note that somebody came back to a run, for the process that pings to see."""
    Run.objects.filter(pk=identity, outcome=Outcome.RUNNING).update(resumed_at=timezone.now())


@database_sync_to_async
def was_resumed(identity: uuid.UUID, since: dt.datetime) -> bool:
    """Whether somebody came back to a run since then."""
    return Run.objects.filter(pk=identity, resumed_at__gte=since).exists()


def prune_runs(before: dt.datetime) -> int:
    """Delete runs that started before then, with their pings, in steps that hold no lock for long; their number."""
    number = 0
    while old := list(Run.objects.filter(started_at__lt=before).values_list("pk", flat=True)[:PRUNE_STEP]):
        with transaction.atomic():
            Run.objects.filter(pk__in=old).delete()
        number += len(old)
    return number


def settle_abandoned(runs: Iterable[Run]) -> None:
    """Mark runs as interrupted whose process went away, with the figures of what they have."""
    for run in runs:
        read_replies(run)
        run.outcome = Outcome.INTERRUPTED
        run.save()
