"""The application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from monitor import checks  # noqa: F401 - importing them registers them


class MonitorConfig(AppConfig):
    """Registers the system checks; starts nothing."""

    name = "monitor"
    verbose_name = _("Pings")
