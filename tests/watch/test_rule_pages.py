"""The pages of rules: who may change them, what they inherit, what is refused, and what they would have found."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from monitor import rule_views
from monitor.models import Host, Incident, Rules
from monitor.packing import Code
from monitor.rule_views import Scope, _save
from monitor.rule_words import FIELDS, MOST
from monitor.rules import FIELDS as NAMES
from tests.watch.histories import write_minutes
from tests.watch.sites import watch
from tests.watch.test_incident_pages import sign_in, text

pytestmark = pytest.mark.django_db
PATHS = ["/rules", "/groups/core/rules", "/hosts/alice/rules"]


@pytest.fixture
def alice() -> Host:
    return watch("alice", group="core")[0]


@pytest.fixture
def staff(alice: Host) -> Client:
    return sign_in("admin", is_staff=True)


def test_every_rule_has_a_field_that_bears_what_its_column_bears() -> None:
    assert {each.name for each in FIELDS} == set(NAMES)
    for each in FIELDS:
        most = Rules._meta.get_field(each.name).validators
        assert MOST[each.unit] in {validator.limit_value for validator in most}, each.name


@pytest.mark.parametrize("path", PATHS)
def test_only_staff_see_and_change_rules(alice: Host, path: str) -> None:
    for visitor, code in ((Client(), 302), (sign_in("eve"), 403)):
        assert visitor.get(path).status_code == code
        assert visitor.post(path, {"do": "save", "loss": "10"}).status_code == code
    assert not Rules.objects.exists()


def test_fields_say_what_applies_and_whence(staff: Client) -> None:
    Rules.objects.create(loss=0.1)
    Rules.objects.create(group="core", lost_in_row=9)
    said = text(staff.get("/hosts/alice/rules"))
    assert "All hosts: 10 %" in said
    assert "The group: 9 " in said
    assert "Default: 300 s " in said
    assert "Default: off " in said
    assert "Default: 5 " in text(staff.get("/groups/core/rules"))


@pytest.mark.parametrize("path", PATHS)
def test_rules_are_saved_changed_and_given_up(staff: Client, path: str) -> None:
    assert staff.post(path, {"do": "save", "loss": "12,5", "lost_in_row": "0", "down_loss": "50"}).status_code == 302
    rules = Rules.objects.get()
    assert (rules.loss, rules.lost_in_row, rules.down_loss, rules.p95_ms) == (0.125, 0, 0.5, None)
    assert 'value="12.5"' in staff.get(path).content.decode()
    staff.post(path, {"do": "save", "loss": "20"})
    assert [each.loss for each in Rules.objects.all()] == [0.2]
    staff.post(path, {"do": "clear"})
    assert not Rules.objects.exists()
    staff.post(path, {"do": "save"})
    assert not Rules.objects.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"loss": "x"}, "This is not a number."),
        ({"loss": "nan"}, "not a number of 0 or more"),
        ({"loss": "-1"}, "not a number of 0 or more"),
        ({"loss": "150"}, "This is at most 100."),
        ({"lost_in_row": "2.5"}, "whole number"),
        ({"loss": "50", "down_loss": "20"}, "It would be down before it is degraded"),
        ({"p95_times": "1"}, "would never clear"),
        ({"window_s": "5"}, "less than 10 s"),
        ({"lost_in_row": "9" * 400}, "at most 1000"),
        ({"loss": "<script>alert(1)</script>"}, "This is not a number."),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(staff: Client, fields: dict[str, str], said: str) -> None:
    for do in ("save", "try"):
        page = staff.post("/hosts/alice/rules", {"do": do} | fields)
        assert page.status_code == 400
        assert said in text(page)
        assert 'aria-invalid="true"' in page.content.decode()
        assert "<script>alert" not in page.content.decode()
    assert not Rules.objects.exists()


def test_a_trial_finds_what_the_rules_would_have_found_and_saves_nothing(staff: Client, alice: Host) -> None:
    start = timezone.now().replace(second=0, microsecond=0) - dt.timedelta(hours=2)
    first = int(start.timestamp())
    cuts = [(first + 600, 8), (first + 1800, 40)]

    def draw(second: int) -> int:
        return int(Code.TIMEOUT) if any(cut <= second < cut + long for cut, long in cuts) else 1000

    write_minutes(alice, start, 100, draw)
    page = staff.post("/hosts/alice/rules", {"do": "try", "loss": "0", "p95_times": "0", "lost_in_row": "20"})
    said = text(page)
    assert "the last 30 days would have had 1 incident." in said
    assert "no reply for 40 s" in said
    # Those that apply now find both cuts, and call the second one worse.
    assert "With those that apply now: 2." in said
    page = staff.post("/groups/core/rules", {"do": "try", "loss": "0", "p95_times": "0", "lost_in_row": "5"})
    assert "would have had 2 incidents" in text(page)
    assert "alice: no reply for 8 s" in text(page)
    assert not Rules.objects.exists()
    assert not Incident.objects.exists()


def test_a_group_that_is_not_there_is_not_found(staff: Client) -> None:
    for path in ("/groups/nobody/rules", "/groups/%00/rules", "/hosts/nobody/rules"):
        assert staff.get(path).status_code == 404
    watch("bob", group="a/b ?")
    assert staff.get("/groups/a/b%20%3F/rules").status_code == 200


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_costs_the_same_queries_however_many_hosts(
    staff: Client, number: int, django_assert_num_queries: Any
) -> None:
    watch(*[f"host {place}" for place in range(number)])
    with django_assert_num_queries(8):
        staff.get("/rules")


class Late(Scope):
    """A scope of which somebody else saved the first rules just after it was looked for them."""

    asked = 0

    def saved(self) -> Any:
        Late.asked += 1
        # What is undone with our transaction here, is the other's own and stays.
        if not (found := Scope.saved(self)).exists():
            Rules.objects.create(host=self.host, group=self.group, loss=0.5)
        return Rules.objects.none() if Late.asked == 1 else found


@pytest.mark.parametrize("group", [None, "core"])
def test_two_that_save_the_first_rules_in_the_same_moment_come_to_one_row_and_the_later_applies(
    group: str | None,
) -> None:
    scope, Late.asked = Late(group=group), 0
    _save(scope, scope.draft(loss=0.2))
    assert list(Rules.objects.values_list("group", "loss")) == [(group, 0.2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        Rules.objects.create(group=group)


@pytest.mark.django_db(transaction=True)
def test_of_two_rows_of_all_hosts_the_newer_survives_the_migration() -> None:
    executor = MigrationExecutor(connection)
    try:
        executor.migrate([("monitor", "0007_judged_until")])
        old = executor.loader.project_state([("monitor", "0007_judged_until")]).apps.get_model("monitor", "Rules")
        now = timezone.now()
        for loss, age in ((0.1, 2), (0.2, 1), (0.3, 3)):
            old.objects.create(loss=loss, changed_at=now - dt.timedelta(days=age))
        old.objects.create(group="core", loss=0.4)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert set(Rules.objects.values_list("group", "loss")) == {(None, 0.2), ("core", 0.4)}


def test_a_trial_of_many_hosts_goes_on_where_it_stopped(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_views, "PATIENCE", 0.0)
    start = timezone.now().replace(second=0, microsecond=0) - dt.timedelta(minutes=30)
    for host in watch("host-1", "host-2", "host-3", group="lab"):
        write_minutes(host, start, 20, lambda second: int(Code.TIMEOUT) if second % 600 < 20 else 1000)
    fields, token, said = {"loss": "0", "p95_times": "0", "lost_in_row": "5"}, "", []
    for _ in range(3):
        page = staff.post("/groups/lab/rules", fields | {"after": token})
        said.append(text(page))
        token = next(iter(re.findall(r'name="after" value="([\d-]+)"', page.content.decode())), "")
    assert ["1 of 3 hosts" in said[0], "2 of 3 hosts" in said[1], "hosts were tried" in said[2]] == [True, True, False]
    numbers = [int(re.search(r"would have had (\d+) incident", page)[1]) for page in said]  # type: ignore[index]
    assert numbers == [numbers[0], 2 * numbers[0], 3 * numbers[0]]
    assert numbers[0] > 0
    assert token == ""
    # Of other rules it begins anew, and so it does where the token makes no sense.
    last = re.findall(r'name="after" value="([\d-]+)"', staff.post("/groups/lab/rules", fields).content.decode())[0]
    for other, after in ((fields | {"lost_in_row": "7"}, last), (fields, "1-2"), (fields, "９-9-9-9")):
        assert "1 of 3 hosts" in text(staff.post("/groups/lab/rules", other | {"after": after}))
