"""Runs and the pings of a run."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import Count, F, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitor.ping.reply import Reply, Status
from monitor.ping.summary import Summary

# How long after its last ping was due a run may still be finishing; later than that nobody is at it any more.
SLACK = dt.timedelta(seconds=30)


class Outcome(models.TextChoices):
    """How a run ended, or that it has not."""

    RUNNING = "running", _("running")
    FINISHED = "finished", _("finished")
    STOPPED = "stopped", _("stopped")
    INTERRUPTED = "interrupted", _("interrupted")
    FAILED = "failed", _("failed")


# What a ping of a run can have come to, in the words of the page.
STATUSES = {
    Status.REPLY.value: _("reply"),
    Status.TIMEOUT.value: _("no reply"),
    Status.HOST_UNREACHABLE.value: _("host unreachable"),
    Status.NET_UNREACHABLE.value: _("network unreachable"),
    Status.PORT_UNREACHABLE.value: _("port unreachable"),
    Status.PROTOCOL_UNREACHABLE.value: _("protocol unreachable"),
    Status.UNREACHABLE.value: _("unreachable"),
    Status.PROHIBITED.value: _("forbidden by a firewall"),
    Status.TIME_EXCEEDED.value: _("too many hops"),
    Status.TOO_BIG.value: _("too big"),
    Status.CORRUPT.value: _("damaged answer"),
    Status.NO_ROUTE.value: _("no route"),
    Status.BLOCKED.value: _("blocked by this server"),
    Status.NOT_SENT.value: _("not measured"),
}

# Runs by how many of their pings had a reply.
WITH_REPLIES = {
    "all": models.Q(sent__gt=0, received=F("sent")),
    "some": models.Q(received__gt=0, received__lt=F("sent")),
    "none": models.Q(sent__gt=0, received=0),
}


class RunQuerySet(models.QuerySet["Run"]):
    """The questions asked of runs."""

    def going(self, now: dt.datetime) -> "RunQuerySet":
        """Runs that somebody is at."""
        return self.filter(outcome=Outcome.RUNNING, ends_by__gt=now)

    def abandoned(self, now: dt.datetime) -> "RunQuerySet":
        """Runs that must have ended by now, and whose process went away before it wrote so."""
        return self.filter(outcome=Outcome.RUNNING, ends_by__lte=now)

    def rates(self, addresses: set[str], now: dt.datetime) -> dict[tuple[str, str], float]:
        """Packets a second that the runs going on send, by address and client."""
        rows = self.going(now).filter(address__in=addresses).values_list("address", "client")
        rated = rows.annotate(rate=Sum(1.0 / F("interval"), output_field=models.FloatField()))
        return {(address, client): rate for address, client, rate in rated}

    def starts(self, clients: set[str], since: dt.datetime) -> dict[str, tuple[int, dt.datetime]]:
        """For each client that started runs since then: how many, and when the first of them."""
        rows = self.filter(client__in=clients, started_at__gt=since).values_list("client")
        counted = rows.annotate(number=Count("id"), first=models.Min("started_at"))
        return {client: (number, first) for client, number, first in counted}


class Run(models.Model):
    """A number of pings to one host, pressed for by one person; times are UTC, round trips microseconds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(_("host"), max_length=253)
    address = models.GenericIPAddressField(_("address"))
    count = models.PositiveSmallIntegerField(_("number of pings"))
    interval = models.FloatField(_("interval (s)"))
    timeout = models.FloatField(_("timeout (s)"))
    family = models.CharField(_("address family"), max_length=4, default="auto")
    engine = models.CharField(_("pinged by"), max_length=16)
    client = models.CharField(_("client"), max_length=64, blank=True)
    group = models.CharField(_("group"), max_length=64, editable=False)
    started_at = models.DateTimeField(_("started"))
    ends_by = models.DateTimeField(_("over by"), editable=False)
    resumed_at = models.DateTimeField(_("last resumed"), null=True, editable=False)
    finished_at = models.DateTimeField(_("ended"), null=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome, default=Outcome.RUNNING)
    sent = models.PositiveIntegerField(_("sent"), default=0)
    received = models.PositiveIntegerField(_("received"), default=0)
    not_sent = models.PositiveIntegerField(_("not sent"), default=0)
    duplicates = models.PositiveIntegerField(_("duplicates"), default=0)
    late = models.PositiveIntegerField(_("too late"), default=0)
    min_us = models.PositiveIntegerField(_("fastest (µs)"), null=True)
    avg_us = models.PositiveIntegerField(_("average (µs)"), null=True)
    max_us = models.PositiveIntegerField(_("slowest (µs)"), null=True)
    mdev_us = models.PositiveIntegerField(_("mdev (µs)"), null=True)
    jitter_us = models.PositiveIntegerField(_("jitter (µs)"), null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ("-started_at",)
        indexes = (
            models.Index(fields=["-started_at"], name="run_started"),
            models.Index(fields=["client", "started_at"], name="run_client_started"),
            models.Index(fields=["address", "ends_by"], name="run_going", condition=models.Q(outcome=Outcome.RUNNING)),
        )

    def __str__(self) -> str:
        return f"{self.host}, {self.started_at:%Y-%m-%d %H:%M:%S}"

    @property
    def lost(self) -> int:
        """How many of the pings sent had no reply."""
        return self.sent - self.received

    @property
    def loss(self) -> float | None:
        """The share of pings without a reply, 0 to 1; None where none was sent."""
        return self.lost / self.sent if self.sent else None

    @property
    def live(self) -> bool:
        """Whether somebody is at it."""
        return self.outcome == Outcome.RUNNING and self.ends_by > timezone.now()

    @property
    def ending(self) -> str:
        """The outcome; a run that nobody is at any more was interrupted, whether or not that is written yet."""
        return Outcome.INTERRUPTED.value if self.outcome == Outcome.RUNNING and not self.live else self.outcome

    def set_start(self, now: dt.datetime) -> None:
        """Note when the run starts and by when it is over at the latest."""
        self.started_at = now
        self.ends_by = now + dt.timedelta(seconds=self.count * self.interval + self.timeout) + SLACK

    def set_summary(self, summary: Summary) -> None:
        """Copy the figures of a summary into the columns of the same names."""
        for name in SUMMARY_FIELDS:
            value = getattr(summary, name)
            setattr(self, name, None if value is None else round(value))


SUMMARY_FIELDS = (
    "sent", "received", "not_sent", "duplicates", "late", "min_us", "avg_us", "max_us", "mdev_us", "jitter_us",
)  # fmt: skip
END_FIELDS = ("outcome", "finished_at", *SUMMARY_FIELDS)


class Ping(models.Model):
    """One echo request of a run and what came of it."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="pings", verbose_name=_("run"))
    index = models.PositiveSmallIntegerField(_("index"))
    status = models.CharField(_("status"), max_length=24, choices=STATUSES)
    sent_at = models.DateTimeField(_("sent"))
    rtt_us = models.PositiveIntegerField(_("round trip (µs)"), null=True)
    ttl = models.PositiveSmallIntegerField(_("TTL"), null=True)
    source = models.GenericIPAddressField(_("answered by"), null=True)
    size = models.PositiveIntegerField(_("bytes"), null=True)
    duplicates = models.PositiveSmallIntegerField(_("duplicates"), default=0)

    class Meta:
        verbose_name = _("ping")
        verbose_name_plural = _("pings")
        ordering = ("run", "index")
        constraints = (models.UniqueConstraint(fields=["run", "index"], name="ping_once"),)
        indexes = (models.Index(fields=["-sent_at"], name="ping_sent"),)

    def __str__(self) -> str:
        return f"#{self.index + 1}"

    def to_reply(self) -> Reply:
        """The reply that the row keeps."""
        return Reply(
            index=self.index,
            status=Status(self.status),
            sent_at=round(self.sent_at.timestamp() * 1e6),
            rtt_us=self.rtt_us,
            ttl=self.ttl,
            source=self.source,
            size=self.size,
            duplicates=self.duplicates,
        )


def insert_runs(runs: Iterable[Run]) -> None:
    """Insert runs that begin, as plain values: 59 µs a run of CPU, where `bulk_create` took 99."""
    fields = Run._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(["%s"] * len(fields))
    _execute_many(f"INSERT INTO monitor_run ({columns}) VALUES ({values})", fields, runs)  # noqa: S608 - our own names


def update_ends(runs: Iterable[Run]) -> None:
    """Write how runs ended, 28 µs a run where an upsert took 99; one that was deleted meanwhile stays deleted."""
    fields = [field for field in Run._meta.concrete_fields if field.name in END_FIELDS]
    changes = ", ".join(f'"{field.column}" = %s' for field in fields)
    key = Run._meta.concrete_fields[:1]
    _execute_many(f"UPDATE monitor_run SET {changes} WHERE id = %s", [*fields, *key], runs)  # noqa: S608 - the same


def _execute_many(statement: str, fields: "Sequence[models.Field[Any, Any]]", runs: Iterable[Run]) -> None:
    # Not the proxy `connection`, which asks for its thread's one at each of the 27 fields.
    database = connections[DEFAULT_DB_ALIAS]
    rows = [[field.get_db_prep_save(getattr(run, field.attname), database) for field in fields] for run in runs]
    if rows:
        with database.cursor() as cursor:
            cursor.executemany(statement, rows)


INSERT_PINGS = """
    INSERT INTO monitor_ping (run_id, "index", status, sent_at, rtt_us, ttl, source, size, duplicates) VALUES
"""


def insert_pings(kept: Sequence[tuple[uuid.UUID, Reply]]) -> None:
    """Insert the rows that keep these replies of runs, as one statement of plain values: 15 µs a row of CPU, where
    `bulk_create` took 52."""
    adapt = connection.ops
    keys = {run: Ping._meta.get_field("run").get_db_prep_save(run, connection) for run in {run for run, _ in kept}}
    values: list[Any] = []
    for run, reply in kept:
        sent_at = adapt.adapt_datetimefield_value(dt.datetime.fromtimestamp(reply.sent_at / 1e6, dt.UTC))
        source = adapt.adapt_ipaddressfield_value(reply.source)
        values += (keys[run], reply.index, reply.status.value, sent_at, reply.rtt_us, reply.ttl, source, reply.size)
        values.append(reply.duplicates)
    with connection.cursor() as cursor:
        cursor.execute(INSERT_PINGS + ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s, %s)"] * len(kept)), values)
