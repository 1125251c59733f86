"""The first account, and the one-time password it begins with."""

import secrets
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

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


def require_own_password(get_response: GetResponse) -> GetResponse:
    """Middleware: whoever signed in with a one-time password chooses one of their own before anything else."""

    def respond(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and getattr(request.user, "password_is_one_time", False):
            change = reverse("admin:password_change")
            if request.path not in (change, reverse("admin:logout"), reverse("set_language")):
                return redirect(change)
        return get_response(request)

    return respond
