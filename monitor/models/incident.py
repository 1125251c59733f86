"""What was bad, from when until when; and every change of a state, from which uptime is added up."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitor.health import State
from monitor.models.host import STATES, Host

BAD = {state.value: STATES[state.value] for state in (State.DEGRADED, State.DOWN)}


class Ending(models.TextChoices):
    """How an incident ended; "" while it goes on."""

    RECOVERED = "recovered", _("recovered")
    PAUSED = "paused", _("the host was paused")
    MAINTENANCE = "maintenance", _("maintenance began")


class Incident(models.Model):
    """A time in which a host was degraded or down, from the first bad packet to the first good one of its recovery.

    Without a host it is one of this server's own network, and those of the hosts are its `parts`. `state` is the
    worst so far. `reason` and `measure` say what rule was broken, and `{"value": …, "limit": …}` in its own unit: a
    share, µs, or packets. `noticed_at` and `end_noticed_at` are when that was known, `judged_until` is when the last
    packet was due that was judged by then. `behind` is the parent that was bad already. `news` says that messages are
    still to be planned for what happened last. Whoever has the address of one that was shared may read it.
    """

    identity = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    host = models.ForeignKey(
        Host, models.CASCADE, null=True, blank=True, related_name="incidents", verbose_name=_("host")
    )
    part_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="parts", db_index=False)
    behind = models.ForeignKey(Host, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    state = models.CharField(_("state"), max_length=16, choices=BAD)
    began_at = models.DateTimeField(_("began"))
    noticed_at = models.DateTimeField(_("noticed"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end_noticed_at = models.DateTimeField(null=True, blank=True)
    judged_until = models.DateTimeField(null=True, blank=True, editable=False)
    ending = models.CharField(_("ending"), max_length=16, choices=Ending, blank=True)
    reason = models.CharField(_("reason"), max_length=32)
    measure: Any = models.JSONField(default=dict, blank=True)
    news = models.BooleanField(default=True)
    flapping = models.BooleanField(_("flapping"), default=False)
    shared_at = models.DateTimeField(_("shared"), null=True, blank=True)

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ("-began_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("host",), condition=models.Q(ended_at__isnull=True), name="incident_one_open"
            ),
            # What is lived through and what is replayed after a crash is one and the same.
            models.UniqueConstraint(fields=("host", "began_at"), name="incident_once"),
        )
        indexes = (
            models.Index(fields=("-began_at",), name="incident_began"),
            models.Index(fields=("noticed_at",), name="incident_noticed"),
            # Asked for twice a second: an index of all would be mostly of those that are not asked for.
            models.Index(fields=("began_at",), condition=models.Q(news=True), name="incident_news"),
            models.Index(fields=("began_at",), condition=models.Q(ended_at__isnull=True), name="incident_open"),
            models.Index(fields=("part_of",), condition=models.Q(part_of__isnull=False), name="incident_parts"),
            models.Index(fields=("behind",), condition=models.Q(behind__isnull=False), name="incident_behind"),
        )

    def __str__(self) -> str:
        return f"{self.host or _('network')} {self.began_at:%Y-%m-%d %H:%M:%S}"


class Note(models.Model):
    """What somebody wrote to an incident."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    text = models.TextField(_("note"), max_length=4000)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at",)

    def __str__(self) -> str:
        return self.text[:60]


class Transition(models.Model):
    """From `at` on a host was in `state`, until its next transition; `at` never goes back."""

    host = models.ForeignKey(Host, models.CASCADE, related_name="transitions")
    at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=STATES)

    class Meta:
        ordering = ("host", "at")
        constraints = (models.UniqueConstraint(fields=("host", "at"), name="transition_once"),)

    def __str__(self) -> str:
        return f"{self.host_id} {self.at:%Y-%m-%d %H:%M:%S} {self.state}"
