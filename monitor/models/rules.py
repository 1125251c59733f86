"""What makes a host bad: for all, for a group, for one host."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitor.models.host import Host


def _share(name: Any) -> models.FloatField:
    return models.FloatField(name, null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(1)])


def _number(name: Any, most: float) -> models.FloatField:
    return models.FloatField(name, null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(most)])


class Rules(models.Model):
    """Overrides of the rules, of one host, of a group, or of all hosts (neither is set).

    None leaves a rule to the next wider, and 0 turns it off. Shares are 0 to 1, `..._ms` milliseconds, `..._times` how
    many times what is usual for the hour of the week, `..._s` seconds. The watcher learns of it by `changed_at`.
    """

    host = models.OneToOneField(Host, models.CASCADE, null=True, blank=True, related_name="rules")
    group = models.CharField(_("group"), max_length=100, null=True, blank=True, unique=True)
    lost_in_row = models.PositiveSmallIntegerField(
        _("lost in a row"), null=True, blank=True, validators=[MaxValueValidator(1000)]
    )
    lost_s = _number(_("over at least (s)"), 86_400)
    down_loss = _share(_("down by loss"))
    loss = _share(_("degraded by loss"))
    p95_ms = _number(_("degraded by the 95th percentile (ms)"), 60_000)
    p95_times = _number(_("by the 95th percentile, times the usual"), 1000)
    median_ms = _number(_("degraded by the median (ms)"), 60_000)
    median_times = _number(_("by the median, times the usual"), 1000)
    jitter_ms = _number(_("degraded by jitter (ms)"), 60_000)
    window_s = _number(_("window (s)"), 86_400)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("rules")
        verbose_name_plural = _("rules")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(host__isnull=True) | models.Q(group__isnull=True), name="rules_of_one_thing"
            ),
            # Nulls are all different to a database.
            models.UniqueConstraint(
                Coalesce("group", models.Value("")),
                condition=models.Q(host__isnull=True, group__isnull=True),
                name="rules_of_all",
            ),
        )

    def __str__(self) -> str:
        return str(self.host or self.group or _("all hosts"))

    def save(self, *args: Any, **options: Any) -> None:
        """Save it, for the watcher to see."""
        self.changed_at = timezone.now()
        super().save(*args, **options)
