"""Somebody who signs in."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """Somebody who signs in."""

    password_is_one_time = models.BooleanField(_("must choose a password"), default=False, editable=False)

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def set_password(self, raw_password: str | None) -> None:
        """Set a password of one's own; it ends the reign of a one-time one."""
        super().set_password(raw_password)
        self.password_is_one_time = False
