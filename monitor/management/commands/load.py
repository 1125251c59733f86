"""`manage.py load FILE`: make the watched hosts those of a TOML file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitor import roster
from monitor.hosts import BadFile, parse_toml

SIGNS = {"add": "+", "change": "~", "remove": "-"}


class Command(BaseCommand):
    """Shows what a file changes, and changes it."""

    help = (
        "Watch the hosts of a TOML file: [[hosts]] with name, host, family, interval, timeout, group, tags, paused, "
        "parent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, and what is to become of hosts that are not in it."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")
        parser.add_argument("--remove", action="store_true", help="delete the hosts that are not in the file")

    def handle(self, *args: Any, file: Path, dry_run: bool, remove: bool, **options: Any) -> None:
        """Print a line for each change; a file that is wrong in one line changes nothing."""
        try:
            wishes = parse_toml(file.read_text(encoding="utf-8"), {} if remove else roster.read_ways())
        except BadFile as bad:
            raise CommandError(f"{file}, {bad}") from None
        except (OSError, UnicodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from None
        steps = roster.plan(wishes, remove=remove)
        for step in steps:
            if step.kind != "keep":
                changes = ", ".join(f"{name} {before!r} → {after!r}" for name, (before, after) in step.changes.items())
                self.stdout.write(f"{SIGNS[step.kind]} {step.name}{': ' if changes else ''}{changes}")
        number = sum(step.kind != "keep" for step in steps)
        if not dry_run:
            roster.apply(steps)
        self.stdout.write(f"{number} of {len(steps)} hosts {'would change' if dry_run else 'changed'}")
