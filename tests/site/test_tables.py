"""The tables of the admin: whatever their addresses and forms are made to ask, they answer."""

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.db import models
from django.test import Client
from django.urls import reverse

from monitor.models import Delivery, Host, Incident, Transition, User

# Not in a transaction of the tests: PostgreSQL refuses all that follows a refusal in one.
pytestmark = pytest.mark.django_db(transaction=True)
HUGE = "9" * 25
MODELS = sorted(admin.site._registry, key=str)
DATES = (HUGE, "0001-01-01 00:00+23:00", "9999-12-31 23:59-23:00", "never")


def list_page(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def spell_questions(model: type[models.Model]) -> list[dict[str, str]]:
    """What no column can have, asked of each."""
    questions = [{name: HUGE} for name in ("q", "p", "o", "id__in", "id__exact")]
    for field in model._meta.fields:
        if isinstance(field, models.DateField):
            questions += [{f"{field.name}__gte": date} for date in DATES] + [{f"{field.name}__year": HUGE}]
        else:
            lookups = ("exact", "in", "range", "id__in") if field.is_relation else ("exact", "in", "range")
            questions += [{f"{field.name}__{lookup}": value} for lookup in lookups for value in (HUGE, "\0", "")]
    return questions


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
def test_a_question_that_makes_no_sense_leads_to_all_rows(model: type[models.Model], admin_client: Client) -> None:
    path = list_page(model)
    for question in spell_questions(model):
        answer = admin_client.get(path, question)
        assert answer.status_code in {200, 302, 400}, question
        if answer.status_code == 302:
            assert answer["Location"] == f"{path}?e=1"
    assert admin_client.get(path, {"e": "1"}).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
def test_rows_that_cannot_be_are_told_so(model: type[models.Model], admin_client: Client) -> None:
    # Messages, incidents and transitions have nothing that could be done with them.
    acted = model not in {Delivery, Incident, Transition}
    path = list_page(model)
    for ticked in (HUGE, "x", "\0", ""):
        answer = admin_client.post(path, {"action": "delete_selected", "_selected_action": ["1", ticked], "index": "0"})
        assert answer.status_code == (302 if acted else 200)
        assert [str(each) for each in get_messages(answer.wsgi_request)][-1:] == ["There are no such rows."] * acted


def test_a_fault_of_ours_is_in_the_log_whatever_was_asked(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("monitor.host_admin.HostAdmin.list_per_page", "many")
    assert admin_client.get(list_page(Host), {"state__exact": "up"})["Location"].endswith("?e=1")
    assert "the table of host could not be asked" in caplog.text
    assert "Traceback" in caplog.text


def test_rows_that_are_there_are_still_acted_upon(admin_client: Client) -> None:
    hosts = [Host.objects.create(name=name, slug=name, host="192.0.2.1") for name in ("one", "two")]
    admin_client.post(list_page(Host), {"action": "pause", "_selected_action": [hosts[0].pk], "index": "0"})
    assert list(Host.objects.filter(paused=True)) == hosts[:1]


def test_people_and_groups_are_found_as_before(admin_client: Client) -> None:
    User.objects.create_user("bob")
    assert "bob" in admin_client.get(list_page(User), {"is_staff__exact": "0"}).content.decode()
