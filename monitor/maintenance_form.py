"""What people may type as a maintenance window; each refusal stands beside its field."""

import functools
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from monitor.models import Maintenance
from monitor.recurrence import BadRecurrence
from monitor.windows import check_window

REFUSALS = {
    "far": _("Choose a day between 2000 and 2199."),
    "length": _("A window takes 1 minute to 7 days."),
    "overlap": _("It would begin again before it ends. Make it shorter, or let it recur less often."),
    "unknown": _("There is no such time zone. Choose one such as Europe/Berlin."),
    "start": _("Leave DTSTART out: the first day and time stand in the fields above."),
    "often": _("It may recur once a day, or up to 24 times by BYHOUR; hourly and more often is too much."),
    "ends": _("Give COUNT or UNTIL, not both."),
    "number": _("INTERVAL is 1 to 1000, COUNT is 1 to 10000."),
    "until": _("UNTIL is a day such as 20261231, or a time such as 20261231T220000Z."),
    "never": _("With this rule it would never begin."),
    "syntax": _("This is no recurrence rule. Write it as FREQ=WEEKLY;BYDAY=SU, or leave it empty for once."),
}


class HostsField(forms.ModelMultipleChoiceField):
    """Hosts by their ids."""

    def clean(self, value: Any) -> Any:
        """The hosts; a number that no column holds is none of theirs."""
        try:
            return super().clean(value)
        except OverflowError:
            raise ValidationError(self.error_messages["invalid_list"], code="invalid_list") from None


class MaintenanceForm(forms.ModelForm):
    """A maintenance window that can be, and that ends."""

    class Meta:
        model = Maintenance
        fields = ("name", "starts_on", "starts_at", "minutes", "zone", "recurrence", "hosts", "group", "tag")
        field_classes = {"hosts": HostsField}
        widgets = {
            "starts_on": forms.DateInput({"type": "date"}, "%Y-%m-%d"),
            "starts_at": forms.TimeInput({"type": "time"}, "%H:%M"),
            "zone": forms.TextInput({"list": "zones", "autocapitalize": "none", "spellcheck": "false"}),
            "recurrence": forms.TextInput({"list": "rules", "autocapitalize": "none", "spellcheck": "false"}),
        }

    def clean(self) -> dict[str, Any]:
        """Refuse what cannot be, beside the field that is to blame."""
        values = super().clean() or self.cleaned_data
        names = ("starts_on", "starts_at", "minutes", "zone", "recurrence")
        if all(values.get(name) is not None for name in names):
            try:
                check_window(Maintenance(**{name: values[name] for name in names}))
            except BadRecurrence as bad:
                self.add_error(bad.field, str(REFUSALS[bad.code]))
        return values


@functools.cache
def list_zones() -> list[str]:
    """The names of the time zones that there are."""
    return sorted(available_timezones() - {"localtime", "Factory", "posixrules"})
