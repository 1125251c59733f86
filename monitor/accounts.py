"""The first account, and the one-time password it begins with."""

import secrets
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from monitor.models import User

FIRST_NAME = "admin"

GetResponse = Callable[[HttpRequest], HttpResponse]


@transaction.atomic
def create_first_account() -> str | None:
    """Make the account of the administrator and return its one-time password; None where there are accounts."""
    if User.objects.exists():
        return None
    password = secrets.token_urlsafe(9)
    user = User(username=FIRST_NAME, is_staff=True, is_superuser=True)
    user.set_password(password)
    user.password_is_one_time = True
    user.save()
    return password


class OwnPasswordValidator:
    """Refuses the one-time password as a password of one's own."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise `ValidationError` where nothing would change."""
        if user and user.pk and user.password_is_one_time and user.check_password(password):
            raise ValidationError(self.get_help_text(), code="one_time_password")

    def get_help_text(self) -> str:
        """The rule, for the form."""
        return _("Your password cannot be the one-time password.")


def require_own_password(get_response: GetResponse) -> GetResponse:
    """Middleware: whoever signed in with a one-time password chooses one of their own before anything else."""

    def respond(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and getattr(request.user, "password_is_one_time", False):
            change = reverse("admin:password_change")
            if request.path not in (change, reverse("admin:logout"), reverse("set_language")):
                return redirect(change)
        return get_response(request)

    return respond
