"""Times of maintenance: measured and drawn, neither counted nor told."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitor.models.host import Host


class Maintenance(models.Model):
    """A window, once or again and again by `recurrence` (an RRULE without DTSTART; "" for once).

    `starts_on` and `starts_at` are of the wall clock of `zone`, an IANA name; `minutes` is how long it takes by that
    clock's elapsed time. It is of the hosts named, of a group, of a tag, and of all where none of these is set.
    """

    name = models.CharField(_("name"), max_length=100)
    starts_on = models.DateField(_("first day"))
    starts_at = models.TimeField(_("at"))
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    minutes = models.PositiveIntegerField(
        _("minutes"), default=60, validators=[MinValueValidator(1), MaxValueValidator(7 * 1440)]
    )
    recurrence = models.CharField(_("recurrence"), max_length=300, blank=True)
    hosts: Any = models.ManyToManyField(Host, blank=True, related_name="maintenance", verbose_name=_("hosts"))
    group = models.CharField(_("group"), max_length=100, blank=True)
    tag = models.CharField(_("tag"), max_length=100, blank=True)
    cancelled = models.BooleanField(_("cancelled"), default=False)

    class Meta:
        verbose_name = _("maintenance window")
        verbose_name_plural = _("maintenance windows")
        ordering = ("-starts_on", "-starts_at")

    def __str__(self) -> str:
        return self.name
