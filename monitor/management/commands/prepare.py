"""`manage.py prepare`: make everything ready that a start needs; doing it twice does no harm."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from monitor.accounts import FIRST_NAME, create_first_account


class Command(BaseCommand):
    """Migrate the database and make the first account."""

    help = "Migrate the database and make the first account."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say only what happened."""
        try:
            self._migrate()
            password = create_first_account()
        except DatabaseError as error:
            seen = " ".join(str(error).split())
            raise CommandError(f"The database {self._name()} cannot be opened: {seen}.") from None
        if password:
            self.stdout.write(f"First account: {FIRST_NAME}, one-time password: {password}")
            self.stdout.write("It is shown only now; sign in at /admin/ and choose your own.")

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Preparing the database …")
            call_command("migrate", verbosity=0, interactive=False)

    def _name(self) -> str:
        settings = connection.settings_dict
        return f"{settings['NAME']} at {settings['HOST']}" if settings["HOST"] else str(settings["NAME"])
