"""History: batches, a database that goes away, deletion in mid-run, retention."""

import asyncio
import datetime as dt
import uuid

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from monitor.history import Writer, prune_runs
from monitor.models import Outcome, Ping, Run, insert_pings
from monitor.ping.reply import Reply, Status
from monitor.upkeep import tidy
from monitor.wire import Refusal

pytestmark = pytest.mark.django_db(transaction=True)


def new_run(**fields: object) -> Run:
    run = Run(id=uuid.uuid4(), host="a.example", address="192.0.2.1", count=5, interval=1.0, timeout=1.0, **fields)
    run.set_start(timezone.now())
    return run


def reply(index: int) -> Reply:
    return Reply(index, Status.REPLY, 1_800_000_000_123_456 + index, rtt_us=1234, ttl=57, source="192.0.2.1", size=64)


def everybody(runs: list[Run], now: dt.datetime) -> list[Refusal | None]:
    return [None] * len(runs)


class Gate:
    """Admits everybody, once the database is said to be there."""

    def __init__(self) -> None:
        self.away = True

    def __call__(self, runs: list[Run], now: dt.datetime) -> list[Refusal | None]:
        if self.away:
            raise OperationalError("the database is away")
        return [None] * len(runs)


async def test_what_is_kept_comes_back_as_it_was() -> None:
    writer, run = Writer(everybody), new_run()
    await writer.begin(run)
    for index in range(5):
        writer.keep(run, reply(index))
    run.outcome = Outcome.FINISHED
    await writer.finish(run)
    kept = [ping.to_reply() async for ping in Ping.objects.filter(run=run).order_by("index")]
    await writer.close()
    assert kept == [reply(index) for index in range(5)]


async def test_many_runs_at_once_are_few_transactions() -> None:
    batches = []

    def admit(runs: list[Run], now: dt.datetime) -> list[Refusal | None]:
        batches.append(len(runs))
        return [None] * len(runs)

    writer = Writer(admit)
    await asyncio.gather(*(writer.begin(new_run()) for _ in range(200)))
    await writer.close()
    assert sum(batches) == 200
    assert len(batches) <= 20
    assert await Run.objects.acount() == 200


async def test_a_refused_run_is_not_inserted() -> None:
    writer = Writer(lambda runs, now: [Refusal("too_fast", "no")] * len(runs))
    with pytest.raises(Refusal):
        await writer.begin(new_run())
    await writer.close()
    assert not await Run.objects.aexists()


async def test_pings_wait_in_order_while_the_database_is_away_and_are_counted_when_there_is_no_room() -> None:
    gate = Gate()
    writer = Writer(gate, capacity=3)
    gate.away = False
    run = new_run()
    await writer.begin(run)
    gate.away = True
    blocked = asyncio.ensure_future(writer.begin(new_run()))
    await asyncio.sleep(0.2)
    for index in range(5):
        writer.keep(run, reply(index))
    gate.away = False
    await blocked
    await writer.finish(run)
    await writer.close()
    assert [ping.index async for ping in Ping.objects.order_by("index")] == [0, 1, 2]
    assert writer.dropped == 2


async def test_a_start_is_refused_in_words_where_the_database_does_not_answer() -> None:
    writer = Writer(Gate())
    with pytest.raises(Refusal) as refused:
        await writer.begin(new_run())
    assert refused.value.code == "unavailable"
    await writer.close()


async def test_a_run_deleted_in_mid_run_stays_deleted_and_costs_the_others_nothing() -> None:
    writer, alice, bob = Writer(everybody), new_run(), new_run()
    await asyncio.gather(writer.begin(alice), writer.begin(bob))
    await Run.objects.filter(pk=alice.pk).adelete()
    for run in (alice, bob):
        writer.keep(run, reply(0))
        run.outcome = Outcome.FINISHED
        await writer.finish(run)
    await writer.close()
    assert [ping.run_id async for ping in Ping.objects.all()] == [bob.pk]
    assert [run async for run in Run.objects.values_list("pk", "outcome")] == [(bob.pk, Outcome.FINISHED)]


def test_runs_older_than_the_setting_are_deleted_with_their_pings(settings: Settings) -> None:
    settings.PINGSITE_KEEP_DAYS = 30
    for days in (1, 29, 31, 400):
        run = new_run(outcome=Outcome.FINISHED)
        run.started_at -= dt.timedelta(days=days)
        run.save()
        insert_pings([(run.id, reply(0))])
    assert tidy() == 2
    assert Run.objects.count() == Ping.objects.count() == 2


def test_pruning_goes_in_steps() -> None:
    old = [new_run(outcome=Outcome.FINISHED) for _ in range(450)]
    Run.objects.bulk_create(old)
    assert prune_runs(timezone.now() + dt.timedelta(seconds=1)) == 450
    assert not Run.objects.exists()
