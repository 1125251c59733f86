"""`manage.py prune`: delete what is older than the setting, as the running site does once an hour."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from monitor.upkeep import tidy


class Command(BaseCommand):
    """Prune the history."""

    help = "Delete runs older than PINGSITE_KEEP_DAYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune and say how much."""
        try:
            number = tidy()
        except DatabaseError as error:
            seen = " ".join(str(error).split())
            raise CommandError(f"Nothing was pruned: {seen} (manage.py prepare makes the tables).") from None
        self.stdout.write(f"{number} runs deleted")
