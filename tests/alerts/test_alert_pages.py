"""The pages of channels and messages: who may see them, what they take, and that they give nothing away."""

import re

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from monitor import mouth
from monitor.alerts import plan
from monitor.models import Channel, Delivery, Occasion
from tests.alerts.services import make_channel, make_incident
from tests.watch.sites import watch

pytestmark = pytest.mark.django_db
SECRET = "T0PSECRET-of-alice"
FORM = {
    "name": "ops", "kind": "webhook", "address": f"https://example.org/{SECRET}", "language": "en",
    "zone": "Asia/Seoul", "repeat_minutes": "60", "enabled": "on", "tells_recovery": "on",
}  # fmt: skip
PATHS = ["/alerts/", "/alerts/add", "/alerts/1/edit", "/alerts/1/test"]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_but_staff_sees_channels(client: Client, path: str) -> None:
    make_channel("json://x", pk=1)
    assert client.get(path).status_code == 302
    client.force_login(get_user_model().objects.create_user("eve"))
    assert client.get(path).status_code == 403
    assert client.post("/alerts/1/delete").status_code == 403
    assert Channel.objects.exists()


def test_a_new_channel_begins_with_the_first_kind_and_another_keeps_its_own(admin_client: Client) -> None:
    make_channel("https://example.org/x", pk=1, kind="webhook")
    for path, kind in (("/alerts/add", "apprise"), ("/alerts/1/edit", "webhook")):
        page = admin_client.get(path).content.decode()
        assert f'value="{kind}" selected' in page
        assert "---------" not in page


def test_a_webhook_is_saved_and_its_secret_shown_once(admin_client: Client) -> None:
    page = admin_client.post("/alerts/add", FORM).content.decode()
    channel = Channel.objects.get()
    assert channel.address == FORM["address"]
    assert len(channel.secret) == 64
    assert channel.secret in page
    for path in ("/alerts/", f"/alerts/{channel.pk}/edit", f"/alerts/{channel.pk}/test"):
        assert channel.secret not in admin_client.get(path).content.decode()


def test_a_webhook_made_in_the_admin_shows_its_secret_once_as_well(admin_client: Client) -> None:
    page = admin_client.post("/admin/monitor/channel/add/", FORM).content.decode()
    channel = Channel.objects.get()
    assert channel.secret in page
    path = f"/admin/monitor/channel/{channel.pk}/change/"
    assert admin_client.post(path, FORM | {"name": "ops 2"}).status_code == 302
    assert channel.secret not in admin_client.get(path).content.decode()
    renewed = admin_client.post(path, FORM | {"renew": "on"}).content.decode()
    channel.refresh_from_db()
    assert channel.secret in renewed


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhook", f"https://alice:{SECRET}@example.org/{SECRET}"),
        ("apprise", f"slack://{SECRET}/B1/x"),
        ("email", f"{SECRET}@example.org"),
    ],
)
def test_no_page_shows_an_address_again(admin_client: Client, kind: str, address: str) -> None:
    channel = make_channel(address, kind)
    make_incident(watch("alice")[0])
    plan(timezone.now(), storm=False)
    bad = admin_client.post(f"/alerts/{channel.pk}/edit", FORM | {"zone": "x"})
    paths = ["/alerts/", f"/alerts/{channel.pk}/edit", f"/alerts/{channel.pk}/test", "/admin/monitor/channel/"]
    paths += [f"/admin/monitor/channel/{channel.pk}/{page}/" for page in ("change", "history", "delete")]
    paths += ["/admin/monitor/delivery/", "/admin/monitor/channel/?q=T0P", "/admin/", "/incidents/"]
    typed = FORM | {"kind": kind, "address": address, "name": channel.name}
    again = [admin_client.post(path, typed) for path in ("/alerts/add", "/admin/monitor/channel/add/")]
    for page in [bad, *again, *map(admin_client.get, paths)]:
        assert page.status_code in (200, 400)
        assert SECRET not in page.content.decode()
        assert channel.secret not in page.content.decode()


def test_an_address_left_empty_stays(admin_client: Client) -> None:
    channel = make_channel(f"https://example.org/{SECRET}", "webhook")
    assert admin_client.post(f"/alerts/{channel.pk}/edit", FORM | {"address": ""}).status_code == 302
    changed = Channel.objects.get()
    assert (changed.name, changed.address, changed.secret) == ("ops", channel.address, channel.secret)


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": ""}, {"address": "ftp://example.org"}, {"zone": "Mars/Base"}, {"quiet_from": "22:00"},
        {"name": ""}, {"repeat_minutes": "-1"}, {"kind": "email", "address": "nobody"}, {"kind": "x"},
        {"kind": "apprise", "address": "syslog://"}, {"kind": "apprise", "address": "nonsense://x"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_the_reason(admin_client: Client, wrong: dict[str, str]) -> None:
    page = admin_client.post("/alerts/add", FORM | wrong)
    assert page.status_code == 400
    assert "✕" in page.content.decode()
    assert not Channel.objects.exists()


def test_an_apprise_address_is_taken_when_apprise_knows_it(admin_client: Client) -> None:
    form = FORM | {"kind": "apprise", "address": "ntfy://ntfy.example.org/alice"}
    assert admin_client.post("/alerts/add", form).status_code == 302
    assert Channel.objects.get().secret == ""


def test_who_checks_an_address_is_started_with_the_form_and_missed_by_nobody(admin_client: Client) -> None:
    assert admin_client.get("/alerts/add").status_code == 200
    (ready,) = mouth._ready
    admin_client.get("/alerts/add")
    assert mouth._ready == [ready]
    order = {"kind": "check", "address": "ntfy://ntfy.example.org/alice", "seconds": 15}
    assert mouth.ask(order)["ok"]
    assert ready.returncode == 0
    # One that ended meanwhile makes no difference.
    mouth.prepare()
    mouth._ready[0].kill()
    assert mouth.ask(order)["ok"]
    assert mouth.ask(order)["ok"]


def test_a_test_is_planned_once_until_it_was_sent(admin_client: Client) -> None:
    channel = make_channel("json://x")
    for _ in range(3):
        assert admin_client.post(f"/alerts/{channel.pk}/test").status_code == 302
    assert Delivery.objects.get().occasion == Occasion.TEST
    page = admin_client.get(f"/alerts/{channel.pk}/test").content.decode()
    assert re.search(r'http-equiv="refresh"', page)
    Delivery.objects.update(fate="failed", outcome="<b>403</b> Forbidden")
    page = admin_client.get(f"/alerts/{channel.pk}/test").content.decode()
    assert "&lt;b&gt;403&lt;/b&gt; Forbidden" in page
    assert not re.search(r'http-equiv="refresh"', page)


def test_messages_that_do_not_go_out_are_said_on_the_board() -> None:
    make_channel("json://x")
    make_incident(watch("alice")[0])
    plan(timezone.now(), storm=False)
    assert "cannot be spoken to" not in render_to_string("alerts/failing.html")
    Delivery.objects.update(attempts=1, fate="failed")
    assert "1 channel cannot be spoken to" in render_to_string("alerts/failing.html")
    assert "alerts/failing.html" in (settings.BASE_DIR / "templates/hosts/board.html").read_text()


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_costs_the_same_queries_however_long(
    admin_client: Client, number: int, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    for host in watch(*[f"host {place}" for place in range(number)]):
        make_channel("json://x")
        make_incident(host)
    plan(timezone.now(), storm=False)
    with django_assert_num_queries(8):  # type: ignore[operator]
        assert admin_client.get("/alerts/").status_code == 200


def test_what_waits_for_the_end_of_quiet_hours_says_so(admin_client: Client) -> None:
    Delivery.objects.create(channel=make_channel("json://x"), occasion="down", held=True)
    assert "◌ waits for quiet hours to end" in admin_client.get("/alerts/").content.decode()
