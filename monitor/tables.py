"""The tables of the admin: whatever an address or a form asks of them, they refuse and never fail."""

import logging
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import ValidationError
from django.db import DataError, ProgrammingError, models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

log = logging.getLogger(__name__)


class Table(admin.ModelAdmin):
    """Rows to look through; an address with values that no column can have leads to all of them."""

    show_full_result_count = False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the rows asked for; Django itself minds only some of what may be wrong with the question."""
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError, LookupError, DataError, ProgrammingError) as error:
            # Where nothing was asked, the fault is not the question's; where something was, it may yet be ours.
            if not request.GET or ERROR_FLAG in request.GET:
                raise
            log.warning("the table of %s could not be asked for %s", self.opts.model_name, request.GET, exc_info=True)
            raise IncorrectLookupParameters from error

    def response_action(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse | None:
        """Do what was chosen with the rows that were ticked, where these may be rows."""
        key = self.model._meta.pk
        try:
            for ticked in request.POST.getlist(ACTION_CHECKBOX_NAME):
                key.run_validators(key.to_python(ticked))
        except ValidationError:
            self.message_user(request, _("There are no such rows."), messages.WARNING)
            return None
        return super().response_action(request, queryset)


class ReadOnly:
    """What was measured, noticed or told is looked at, and never changed: uptime is added up from it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes; retention does, by age."""
        return False


class Record(ReadOnly, Table):
    """Rows that nobody changes."""
