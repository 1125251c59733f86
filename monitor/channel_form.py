"""What staff may type of a channel: checked here, the address by the process that would speak to it."""

import secrets
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from monitor.maintenance_form import HostsField
from monitor.models import Channel, Kind
from monitor.mouth import ask

CHECK_SECONDS = 15
MOST_MAILS = 20


class ChannelForm(forms.ModelForm):
    """A channel. Its address is written and never read: left empty, it stays what it was."""

    address = forms.CharField(
        label=_("Address"), required=False, max_length=2000, widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )
    groups = forms.CharField(label=_("Groups, with commas between them"), required=False, max_length=2000)
    tags = forms.CharField(label=_("Tags, with spaces between them"), required=False, max_length=2000)
    renew = forms.BooleanField(label=_("A new secret for the signatures"), required=False)

    class Meta:
        model = Channel
        fields = (
            "name", "kind", "address", "language", "zone", "enabled", "tells_degraded", "tells_recovery",
            "repeat_minutes", "quiet_from", "quiet_until", "hosts", "groups", "tags", "anywhere",
        )  # fmt: skip
        widgets = {
            "zone": forms.TextInput({"list": "zones", "autocapitalize": "none", "spellcheck": "false"}),
            "quiet_from": forms.TimeInput({"type": "time"}, "%H:%M"),
            "quiet_until": forms.TimeInput({"type": "time"}, "%H:%M"),
        }
        field_classes = {"hosts": HostsField}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.new_secret = ""
        # The instance's fields are overwritten while the form is checked.
        self._before = (self.instance.kind, self.instance.address)
        self.fields["kind"].choices = Kind.choices  # type: ignore[attr-defined]
        self.initial["kind"] = self.instance.kind or Kind.APPRISE
        self.initial["address"] = ""
        self.initial["groups"] = ", ".join(self.instance.groups)
        self.initial["tags"] = " ".join(self.instance.tags)

    def clean_zone(self) -> str:
        """A time zone that there is."""
        if (zone := self.cleaned_data["zone"].strip()) not in available_timezones():
            raise ValidationError(_("There is no such time zone: it is a name like Europe/Berlin or Asia/Seoul."))
        return zone

    def clean_groups(self) -> list[str]:
        """A list of names."""
        return [name for part in self.cleaned_data["groups"].split(",") if (name := part.strip())]

    def clean_tags(self) -> list[str]:
        """A list of words."""
        return self.cleaned_data["tags"].replace(",", " ").split()

    def clean(self) -> dict[str, Any]:
        """The whole; an address that changed is tried for sense, not for a connection."""
        values = super().clean() or {}
        kind, address = values.get("kind"), values.get("address", "").strip()
        same_kind = kind == self._before[0]
        if kind and not address and not (same_kind and self._before[1]):
            self.add_error("address", _("Type where the messages go."))
        elif kind and address and (problem := find_problem(kind, address)):
            self.add_error("address", problem)
        values["address"] = address or self._before[1]
        if (values.get("quiet_from") is None) != (values.get("quiet_until") is None):
            self.add_error("quiet_until", _("Quiet hours need a beginning and an end."))
        return values

    def save(self, commit: bool = True) -> Channel:
        """Save it; a webhook that has no secret gets one, which is in `new_secret` this once."""
        if self.instance.kind == Kind.WEBHOOK and (not self.instance.secret or self.cleaned_data["renew"]):
            self.instance.secret = self.new_secret = secrets.token_hex(32)
        return super().save(commit)


def find_problem(kind: str, address: str) -> Any:
    """Why no message could go there; "" where one could."""
    if kind == Kind.EMAIL:
        return _find_mail_problem(address)
    if kind == Kind.WEBHOOK:
        return "" if _is_web(address) else _("A webhook's address begins with https:// or http://.")
    answer = ask({"kind": "check", "address": address, "seconds": CHECK_SECONDS})
    return "" if answer["ok"] else _("Apprise knows no service of this address, or it is none that is on a network.")


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        leads = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        # A bracket without its other, a port of letters, a letter that stands for several.
        return False
    return bool(leads) and address.isprintable() and " " not in address


def _find_mail_problem(address: str) -> Any:
    mails = address.replace(",", " ").replace(";", " ").split()
    try:
        for mail in mails:
            validate_email(mail)
    except ValidationError:
        return _("These are no e-mail addresses.")
    return "" if len(mails) <= MOST_MAILS else _("These are too many addresses.")
