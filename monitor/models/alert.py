"""Whom to tell, and what was told to whom with what outcome."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitor.models.host import Host
from monitor.models.incident import Incident


class Kind(models.TextChoices):
    """How a channel is spoken to."""

    APPRISE = "apprise", "Apprise"
    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", "webhook"


class Channel(models.Model):
    """A way to tell people: where to, about which hosts (all where none are named), what, when, in which words.

    `address` is a secret: an Apprise URL, e-mail addresses, or the URL of a webhook, whose bodies are signed with
    `secret`. Once saved neither is shown again. `repeat_minutes` is when "still down" is first said (0: never).
    Between `quiet_from` and `quiet_until` of the wall clock of `zone` nothing is sent before that time is over.
    `anywhere` lets staff allow addresses of private networks.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    address = models.TextField(_("address"), max_length=2000)
    secret = models.CharField(max_length=64, blank=True, editable=False)
    language = models.CharField(
        _("language"), max_length=8, default="en", choices=(("en", "English"), ("ko", "한국어"))
    )
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    enabled = models.BooleanField(_("in use"), default=True)
    tells_degraded = models.BooleanField(_("tells when a host is degraded"), default=True)
    tells_recovery = models.BooleanField(_("tells of recoveries"), default=True)
    repeat_minutes = models.PositiveIntegerField(_("repeats “still down” after (min)"), default=60)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    hosts: Any = models.ManyToManyField(Host, blank=True, related_name="+", verbose_name=_("hosts"))
    groups: Any = models.JSONField(_("groups"), default=list, blank=True)
    tags: Any = models.JSONField(_("tags"), default=list, blank=True)
    anywhere = models.BooleanField(_("may be in a private network"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Occasion(models.TextChoices):
    """What a message is about."""

    DOWN = "down", _("down")
    DEGRADED = "degraded", _("degraded")
    STILL = "still", _("still bad")
    FLAPPING = "flapping", _("flapping")
    RECOVERED = "recovered", _("recovered")
    TEST = "test", _("test")


class Fate(models.TextChoices):
    """What became of a message."""

    WAITING = "waiting", _("waiting")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    WITHHELD = "withheld", _("not sent")


class Delivery(models.Model):
    """One message through one channel: the outbox, and afterwards the record.

    `number` tells repetitions apart; `due_at` is when it may be tried (again); whoever sends it has claimed it by a
    conditional update, until `claimed_until`. `created_at` is when there was something to tell. `held` says that it
    waited for the end of quiet hours, `doubtful` that an earlier try may have arrived. `outcome` is what the service
    answered, or why it was withheld, without any secret.
    """

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="deliveries", verbose_name=_("channel"))
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, blank=True, related_name="deliveries")
    occasion = models.CharField(_("occasion"), max_length=16, choices=Occasion)
    number = models.PositiveIntegerField(default=0)
    fate = models.CharField(_("fate"), max_length=16, choices=Fate, default=Fate.WAITING)
    created_at = models.DateTimeField(_("planned"), default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    held = models.BooleanField(default=False)
    doubtful = models.BooleanField(default=False)
    claimed_by = models.CharField(max_length=64, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("channel", "incident", "occasion", "number"), name="delivery_once"),
        )
        indexes = (
            models.Index(fields=("fate", "due_at"), name="delivery_due"),
            models.Index(fields=("incident",), condition=models.Q(occasion="flapping"), name="delivery_flapping"),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.occasion}"
