"""What the watcher notes in the hosts' rows: address, problem, state. It waits here while the database is away."""

from typing import Any

from django.db import transaction

from monitor.models import Host

# Rows a transaction, so that no write lock is held for long.
STEP = 50


class Notes:
    """The newest notes of each host, not yet written."""

    def __init__(self) -> None:
        self._waiting: dict[int, dict[str, Any]] = {}

    def put(self, host: int, **values: Any) -> None:
        """Note values of a host's row."""
        # A new dict each time: the thread that writes may hold the one that was.
        self._waiting[host] = self._waiting.get(host, {}) | values

    def write(self) -> None:
        """Write what waits; it blocks, raises what the database raises, and keeps what it could not write.

        `changed_at` stays as it is, for these are no wishes of anybody.
        """
        while rows := list(self._waiting.items())[:STEP]:
            taken = {host: self._waiting.pop(host) for host, _ in rows}
            try:
                with transaction.atomic():
                    for host, values in taken.items():
                        Host.objects.filter(pk=host).update(**values)
            except Exception:
                for host, values in taken.items():
                    self._waiting[host] = values | self._waiting.get(host, {})
                raise
