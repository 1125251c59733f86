"""System checks, run by `manage.py check` and at each start: may we ping, and is every setting one that we know."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from monitor.diagnosis import look_at_icmp


@register("monitor")
def check_icmp(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn where this process may not ping, with the line that permits it."""
    finding = look_at_icmp()
    if finding.good:
        return []
    return [Warning(f"This server may not ping: {finding.seen}.", finding.cure, id="monitor.W001")]


@register("monitor")
def check_names_of_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of variables that look like settings and are none: a misspelt limit would be no limit."""
    return [
        Warning(f"{name} is not a setting.", f"{likely} is." if likely else None, id="monitor.W002")
        for name, likely in settings.UNKNOWN_VARIABLES.items()
    ]
