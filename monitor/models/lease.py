"""Work that one process at a time may do."""

from django.db import models


class Lease(models.Model):
    """Who may do the work of a name, and until when unless they ask again."""

    name = models.CharField(primary_key=True, max_length=32)
    holder = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"
