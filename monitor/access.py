"""Who is let in to the pages of watched hosts."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache

from monitor.visitors import may_change, may_look

View = Callable[..., HttpResponseBase]


def for_lookers(view: View) -> View:
    """Show it to whoever may see the watched hosts; the others are led to the sign-in, their scripts told no."""

    @functools.wraps(view)
    def respond(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if may_look(request.user):
            return view(request, *args, **options)
        if request.path.endswith((".json", ".csv")):
            raise PermissionDenied
        return redirect_to_login(request.get_full_path())

    return never_cache(respond)


def for_staff(view: View) -> View:
    """Let nobody but staff do it."""

    @functools.wraps(view)
    def respond(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if may_change(request.user):
            return view(request, *args, **options)
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path())

    return never_cache(respond)
