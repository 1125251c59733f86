"""Hosts that are watched day and night."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitor.health import State

STATES = {
    State.STARTING.value: _("starting"),
    State.UP.value: _("up"),
    State.DEGRADED.value: _("degraded"),
    State.DOWN.value: _("down"),
    State.NOT_MEASURED.value: _("not measured"),
    State.PAUSED.value: _("paused"),
    State.MAINTENANCE.value: _("maintenance"),
}
SHORTEST = 0.2
LONGEST = 300.0


class Family(models.TextChoices):
    """Which addresses of a name are asked."""

    AUTO = "auto", _("IPv4 or IPv6")
    FOUR = "4", "IPv4"
    SIX = "6", "IPv6"


class Host(models.Model):
    """A host that is watched: what to ask, how often, and what its name last resolved to.

    `interval` and `timeout` are seconds. `parent` is the host that this one is reached through: while that is down,
    nothing is told of this. `problem` is the code of why it cannot be measured at all, or "". Whoever
    changes a host sets `changed_at`, from which the watcher learns of it; `save` does so. `address`, `problem`, `state`
    and `state_since` are the watcher's own notes.
    """

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("address of its page"), max_length=100, unique=True)
    host = models.CharField(_("host"), max_length=253)
    family = models.CharField(_("address family"), max_length=4, choices=Family, default=Family.AUTO)
    interval = models.FloatField(
        _("interval (s)"), default=1.0, validators=[MinValueValidator(SHORTEST), MaxValueValidator(LONGEST)]
    )
    timeout = models.FloatField(
        _("timeout (s)"), default=2.0, validators=[MinValueValidator(0.1), MaxValueValidator(30.0)]
    )
    group = models.CharField(_("group"), max_length=100, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    paused = models.BooleanField(_("paused"), default=False)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="children", verbose_name=_("reached through")
    )
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, db_index=True, editable=False)
    address = models.GenericIPAddressField(_("address"), null=True, editable=False)
    problem = models.CharField(_("problem"), max_length=32, blank=True, editable=False)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=State.STARTING.value, editable=False)
    state_since = models.DateTimeField(_("since"), null=True, editable=False)

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        ordering = ("group", "name")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(interval__gte=SHORTEST, interval__lte=LONGEST), name="host_interval"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **options: object) -> None:
        """Save it, for the watcher to see."""
        self.changed_at = timezone.now()
        if (fields := options.get("update_fields")) is not None:
            options["update_fields"] = {*fields, "changed_at"}  # type: ignore[misc]
        super().save(*args, **options)  # type: ignore[arg-type]
