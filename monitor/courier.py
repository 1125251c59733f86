"""Takes planned messages to the services: claims one, has it said, notes what came of it, tries again."""

import asyncio
import contextlib
import datetime as dt
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from monitor.letters import compose, key_of
from monitor.mask import mask
from monitor.models import Channel, Delivery, Fate, Kind, Occasion
from monitor.mouth import Answer, Mouth, Order
from monitor.quiet import end_quiet

log = logging.getLogger(__name__)

Call = Callable[..., Awaitable[Any]]
# Told of an attempt at a message, or that there was none.
Told = Callable[[Delivery], None]

# How long a service may take; whoever claimed a message and is silent for longer than this and some is gone.
SPEAK_SECONDS = 20
CLAIM = dt.timedelta(seconds=SPEAK_SECONDS + 25)
MOST_AT_ONCE = 16
LOOK_SECONDS = 1.0
# The process that talks is let go when it had nothing to say for so long; what is being said at the end gets a moment.
IDLE_SECONDS = 60.0
END_SECONDS = 2.0
BACK_OFF = tuple(dt.timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 3600))
GIVE_UP = dt.timedelta(days=1)
# What the service will not take later either is tried so often.
FINAL_ATTEMPTS = 3
RECOVERED_MEANWHILE = gettext_noop("It recovered meanwhile.")
DOWN_MEANWHILE = gettext_noop("It is down by now, and that is told.")
ONE_OF_MANY = gettext_noop("It is told as one of many, that this server's own network is down.")
WORDLESS = gettext_noop("It could not be put into words; the log says why.")
NO_MAIL = gettext_noop("This site has no mail server: see PINGSITE_EMAIL_URL.")


class Courier:
    """Sends what is due. `call` awaits what blocks on the database, and returns None where that is away; `told` is told
    what became of each message."""

    def __init__(self, call: Call, *, told: Told | None = None, now: Callable[[], dt.datetime] = timezone.now) -> None:
        self._call = call
        self._told = told
        self._now = now
        self._name = uuid.uuid4().hex
        self._woken = asyncio.Event()
        self._mouth = Mouth()
        self._sending: dict[asyncio.Task[None], int] = {}
        self._spoke_at = 0.0
        self._expecting = False

    def wake(self) -> None:
        """Something was planned: look at once."""
        self._woken.set()

    def expect(self) -> None:
        """Something may have to be said soon: have ready what says it."""
        self._expecting = True
        if not self._mouth.is_open:
            self.wake()

    async def work(self) -> None:
        """Send whatever falls due, until cancelled; what is being said then gets a moment to be heard to its end."""
        try:
            while True:
                try:
                    await self._look()
                except Exception:  # whatever it is, the hosts are watched on, and messages are looked for again
                    log.exception("looking for messages failed")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._woken.wait()
                self._woken.clear()
        finally:
            if self._sending:
                await asyncio.wait(self._sending, timeout=END_SECONDS)
            for task in self._sending:
                task.cancel()
            await self._mouth.close()

    async def _look(self) -> None:
        """Claim what is due, one message of each channel at a time: a slow service holds up itself alone."""
        room = MOST_AT_ONCE - len(self._sending)
        busy = list(self._sending.values())
        for delivery in await self._call(partial(claim, self._name, busy, room, self._now())) or []:
            task = asyncio.create_task(self._carry(delivery), name="message")
            self._sending[task] = delivery.channel_id
            task.add_done_callback(self._end)
        if self._expecting and await self._call(Channel.objects.filter(enabled=True).exists):
            await self._mouth.open()
            self._spoke_at = time.monotonic()
        self._expecting = False
        if self._mouth.is_open and not self._sending and time.monotonic() > self._spoke_at + IDLE_SECONDS:
            await self._mouth.close()

    async def _carry(self, delivery: Delivery) -> None:
        await self._send(delivery)
        if self._told:
            self._told(delivery)

    async def _send(self, delivery: Delivery) -> None:
        try:
            order = await self._call(partial(prepare, delivery, self._now()))
        except Exception:  # whatever its words stumble over: a claim that runs out would be made again for ever
            log.exception("message %d was not composed", delivery.pk)
            answer: Answer = {"ok": False, "final": True, "said": WORDLESS}
        else:
            if order is None:
                return
            answer = await self._mouth.say(order)
        self._spoke_at = time.monotonic()
        level = logging.INFO if answer["ok"] else logging.WARNING
        secrets = delivery.channel.address, delivery.channel.secret, settings.EMAIL_HOST_PASSWORD
        outcome = mask(answer["said"], *secrets)
        log.log(level, "message %d, through channel %d: %s", delivery.pk, delivery.channel_id, ascii(outcome))
        # It is noted as soon as the database is there: an outcome that is lost is a message sent twice.
        while await self._call(partial(note, delivery, answer, outcome, self._now())) is None:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._sending.pop(task, None)
        self._woken.set()
        if not task.cancelled() and task.exception():
            log.error("a message was not sent", exc_info=task.exception())


def claim(name: str, busy: list[int], most: int, now: dt.datetime) -> list[Delivery]:
    """Messages that are due, at most one of a channel that is not `busy`, each claimed: nobody else sends them.

    A message waits for earlier ones of its incident, so that nobody hears of an end before the beginning. A claim that
    ran out in mid-send may have been sent.
    """
    before = Delivery.objects.filter(
        channel=OuterRef("channel"), incident=OuterRef("incident"), pk__lt=OuterRef("pk"),
        fate__in=(Fate.WAITING, Fate.SENDING),
    )  # fmt: skip
    idle = Q(fate=Fate.WAITING) | Q(fate=Fate.SENDING, claimed_until__lt=now)
    due = Delivery.objects.filter(idle, due_at__lte=now, fate__in=(Fate.WAITING, Fate.SENDING), channel__enabled=True)
    due = due.exclude(channel__in=busy)
    found: dict[int, Delivery] = {}
    for delivery in due.exclude(Exists(before)).order_by("due_at", "pk").select_related("channel")[: 20 * most]:
        if len(found) < most and delivery.channel_id not in found and _claim(delivery, name, now):
            found[delivery.channel_id] = delivery
    return list(found.values())


def _claim(delivery: Delivery, name: str, now: dt.datetime) -> bool:
    again = delivery.fate == Fate.SENDING
    as_seen = Delivery.objects.filter(pk=delivery.pk, fate=delivery.fate, attempts=delivery.attempts)
    fields = {"fate": Fate.SENDING, "claimed_by": name, "claimed_until": now + CLAIM}
    mine = as_seen.update(attempts=F("attempts") + 1, doubtful=again or delivery.doubtful, **fields)
    if mine:
        delivery.refresh_from_db()
    return bool(mine)


def prepare(delivery: Delivery, now: dt.datetime) -> Order | None:
    """The order for the process that talks; None where there is nothing to say any more, or not yet, which is noted."""
    channel, incident = delivery.channel, delivery.incident
    over = end_quiet(now, channel.zone, channel.quiet_from, channel.quiet_until)
    if over and incident:
        mine(delivery).update(fate=Fate.WAITING, due_at=over, held=True, attempts=F("attempts") - 1)
        return None
    if why := _find_needless(delivery):
        mine(delivery).update(fate=Fate.WITHHELD, outcome=why, ended_at=now, attempts=F("attempts") - 1)
        return None
    if channel.kind == Kind.EMAIL and not settings.EMAIL_HOST:
        note(delivery, {"ok": False, "final": True}, NO_MAIL, now)
        return None
    letter = compose(delivery, now)
    return _order(channel) | {
        "title": letter.title,
        "body": letter.body if channel.kind != Kind.EMAIL else f"{letter.title}\n\n{letter.body}\n",
        "payload": json.dumps(letter.payload, ensure_ascii=False, allow_nan=False),
        "key": key_of(delivery),
    }


def note(delivery: Delivery, answer: Answer, outcome: str, now: dt.datetime) -> bool:
    """Note what came of an attempt: sent, to be tried again, or given up; whether the claim was still ours."""
    fields: dict[str, Any] = {"outcome": outcome[:500], "claimed_by": "", "claimed_until": None}
    if answer["ok"]:
        fields |= {"fate": Fate.SENT, "ended_at": now}
    elif _is_hopeless(delivery, answer, now):
        fields |= {"fate": Fate.FAILED, "ended_at": now}
    else:
        wait = BACK_OFF[min(delivery.attempts, len(BACK_OFF)) - 1]
        fields |= {"fate": Fate.WAITING, "due_at": now + wait}
    if answer.get("doubtful"):
        fields["doubtful"] = True
    return bool(mine(delivery).update(**fields))


def mine(delivery: Delivery) -> Any:
    """The row of a message as long as the claim to it is the one that was made."""
    return Delivery.objects.filter(pk=delivery.pk, claimed_by=delivery.claimed_by, attempts=delivery.attempts)


def _find_needless(delivery: Delivery) -> str:
    """Why a message need not be sent any more; "" where it is to be sent."""
    incident, untried = delivery.incident, delivery.attempts == 1
    if incident is None:
        return ""
    if delivery.occasion == Occasion.STILL and incident.ended_at:
        return RECOVERED_MEANWHILE
    if delivery.occasion in (Occasion.DOWN, Occasion.DEGRADED) and incident.part_of_id and untried:
        return ONE_OF_MANY
    down = incident.deliveries.filter(channel=delivery.channel, occasion=Occasion.DOWN)
    if delivery.occasion == Occasion.DEGRADED and untried and down.exclude(fate=Fate.WITHHELD).exists():
        return DOWN_MEANWHILE
    return ""


def _is_hopeless(delivery: Delivery, answer: Answer, now: dt.datetime) -> bool:
    """Whether to try no more. A test tells what happened, at once."""
    tried_enough = answer["final"] and delivery.attempts >= FINAL_ATTEMPTS
    return delivery.occasion == Occasion.TEST or tried_enough or now - delivery.created_at > GIVE_UP


def _order(channel: Channel) -> Order:
    order = {"kind": channel.kind, "address": channel.address, "anywhere": channel.anywhere, "seconds": SPEAK_SECONDS}
    if channel.kind == Kind.WEBHOOK:
        order["secret"] = channel.secret
    if channel.kind == Kind.EMAIL:
        order |= {"sender": settings.DEFAULT_FROM_EMAIL, "server": {
            "host": settings.EMAIL_HOST, "port": settings.EMAIL_PORT, "username": settings.EMAIL_HOST_USER,
            "password": settings.EMAIL_HOST_PASSWORD, "use_tls": settings.EMAIL_USE_TLS,
            "use_ssl": settings.EMAIL_USE_SSL, "timeout": SPEAK_SECONDS,
        }}  # fmt: skip
    return order
