"""What the admin shows and nobody changes there."""

from typing import Any

from django.http import HttpRequest


class ReadOnly:
    """What was measured or noticed is looked at, and never changed: uptime is added up from it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes; retention does, by age."""
        return False
