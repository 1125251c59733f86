"""Incidents to look at: rows put where a watcher would have put them."""

import datetime as dt
from typing import Any

from django.utils import timezone

from monitor.models import Host, Incident


def add_incident(host: Host | None, *, ago: float = 600, lasted: float | None = 60, **fields: Any) -> Incident:
    """An incident that began so many seconds ago and took so many, None for one that goes on."""
    began = timezone.now() - dt.timedelta(seconds=ago)
    ended = None if lasted is None else began + dt.timedelta(seconds=lasted)
    values = {
        "state": "down",
        "reason": "lost_in_row",
        "measure": {"value": 5, "limit": 5},
        "noticed_at": began + dt.timedelta(seconds=5),
        "ending": "recovered" if ended else "",
    }
    return Incident.objects.create(host=host, began_at=began, ended_at=ended, **(values | fields))
