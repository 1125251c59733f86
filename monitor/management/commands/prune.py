"""`manage.py prune`: delete what is older than the setting, as the running site does once an hour."""

from typing import Any

from django.core.management.base import BaseCommand

from monitor.upkeep import tidy


class Command(BaseCommand):
    """Prune the history."""

    help = "Delete runs older than PINGSITE_KEEP_DAYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune and say how much."""
        self.stdout.write(f"{tidy()} runs deleted")
