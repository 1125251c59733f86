"""Hostile addresses, numbers, names and posts at the pages of incidents, messages and maintenance."""

import asyncio
import csv
import io
import threading
import time
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import AsyncClient, Client, override_settings
from django.utils import timezone

from monitor.alerts import plan
from monitor.models import Channel, Delivery, Host, Incident, Maintenance, Note, Transition
from monitor.mouth import Mouth
from monitor.urls import urlpatterns
from tests.alerts.services import Service, carrying, do, make_channel, make_incident, service
from tests.alerts.test_alert_pages import FORM
from tests.alerts.test_courier import attempted, end_of
from tests.browser.server import free_port
from tests.watch.outages import add_incident
from tests.watch.sites import watch

__all__ = ["service"]
pytestmark = pytest.mark.django_db
WINDOW = {"name": "x", "starts_on": "2026-11-30", "starts_at": "03:00", "minutes": "60", "zone": "UTC"}


@pytest.mark.parametrize(
    "address",
    [
        "https://[", "https://[::1", "http://alice:x@[::1]:y/", "https://example.org:99999999/", "http://\u2100.example",
        "https://", "https:///x", "https://example.org/\r\nX-Evil: 1", "http://x\x01y/", "https://exa mple.org",
        "https://example.org/\u202egpj", "javascript:alert(1)", "file:///etc/passwd", "gopher://127.0.0.1/x",
        "https://example.org:0/",
    ],
)  # fmt: skip
def test_addresses_that_make_no_sense_are_refused_and_nothing_raises(admin_client: Client, address: str) -> None:
    for path in ("/alerts/add", "/admin/monitor/channel/add/"):
        page = admin_client.post(path, FORM | {"address": address})
        assert "https:// or http://" in page.content.decode()
    assert not Channel.objects.exists()


async def test_no_way_of_writing_an_address_leads_into_the_servers_own_network(service: Service) -> None:
    hosts = [
        "127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f000001", "127.1", "0", "%31%32%37.0.0.1",
        "192.0.2.1@127.0.0.1", "127.0.0.1\\@192.0.2.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
        "[::]", "[64:ff9b::7f00:1]", "[::1]", "①②⑦.0.0.1", "127。0。0。1",
    ]  # fmt: skip
    orders = [(kind, f"{scheme}://{host}:{service.port}/x") for host in hosts for kind, scheme in WAYS]
    for (kind, address), answer in (await say(*orders)).items():
        assert not answer["ok"], (kind, address)
    assert service.got == []


WAYS = (("webhook", "http"), ("apprise", "json"))


async def say(*orders: tuple[str, str]) -> dict[tuple[str, str], dict[str, Any]]:
    """What comes of messages through channels that may not reach private addresses, a few at a time."""
    mouth, answers, turn = Mouth(), {}, asyncio.Semaphore(4)

    async def order(kind: str, address: str) -> None:
        words = {"title": "x", "body": "x", "payload": "{}", "key": "x", "secret": "s" * 64}
        async with turn:
            answers[kind, address] = await mouth.say(words | {"kind": kind, "address": address, "seconds": 20})

    try:
        await asyncio.gather(*(order(*each) for each in orders))
    finally:
        await mouth.close()
    return answers


async def test_no_address_has_a_file_read_or_a_program_run() -> None:
    reading = ["fcm://alice/bob?keyfile=/etc/passwd", "workflows://example.org/a/b?template=/etc/passwd"]
    others = [
        "exec://ls",
        "script:///etc/passwd",
        "file:///etc/passwd",
        "config:///etc/passwd",
        "syslog://x",
        "dbus://",
    ]
    answers = await say(*(("apprise", address) for address in (*reading, *others)))
    for address in reading:
        assert answers["apprise", address]["said"] == "A message reads no file."
    for address in others:
        assert not answers["apprise", address]["ok"]
        assert answers["apprise", address]["final"]


@pytest.mark.django_db(transaction=True)
async def test_a_name_of_two_lines_is_no_second_header_of_an_e_mail() -> None:
    got: list[bytes] = []

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            got.append(envelope.content)
            return "250 OK"

    mail = Controller(Handler(), hostname="127.0.0.1", port=free_port())
    mail.start()
    try:
        with override_settings(EMAIL_HOST="127.0.0.1", EMAIL_PORT=mail.port, DEFAULT_FROM_EMAIL="ping@example.org"):
            message = await do(_tell_of, "alice\r\nBcc: eve@example.org")
            async with carrying():
                assert (await end_of(message)).fate == "sent"
    finally:
        mail.stop()
    letter = message_from_bytes(got[0], policy=policy.default)
    assert letter["Bcc"] is None
    assert letter["Subject"].strip().startswith("✕ alice Bcc: eve@example.org is down since")


@pytest.mark.django_db(transaction=True)
async def test_the_password_of_the_mail_server_is_not_in_what_that_answers() -> None:
    class Handler:
        async def handle_RCPT(self, *args: Any) -> str:
            return "550 no relaying for pingsite with correct-horse-battery"

    mail = Controller(Handler(), hostname="127.0.0.1", port=free_port())
    mail.start()
    try:
        server = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": mail.port, "EMAIL_HOST_PASSWORD": "correct-horse-battery"}
        with override_settings(**server):
            message = await do(_tell_of, "alice")
            async with carrying():
                outcome = (await attempted(message)).outcome
    finally:
        mail.stop()
    assert outcome == "550 no relaying for pingsite with •••"


def _tell_of(name: str) -> Delivery:
    make_channel("bob@example.org", "email")
    (host,) = watch("alice")
    host.name = name
    host.save()
    make_incident(host)
    plan(timezone.now(), storm=False)
    return Delivery.objects.get()


@pytest.mark.parametrize("number", ["99999999999999999999", "9223372036854775808", "-1", "1e400", "nan", "9" * 400])
def test_numbers_that_no_column_holds_are_refused(admin_client: Client, number: str) -> None:
    channel = FORM | {"address": "https://example.org/x"}
    posts = [("/maintenance/add", WINDOW | {name: number}) for name in ("minutes", "hosts", "starts_on")]
    posts += [("/alerts/add", channel | {name: number}) for name in ("hosts", "repeat_minutes")]
    for path, fields in posts:
        assert admin_client.post(path, fields).status_code == 400, (path, fields)
    assert not Maintenance.objects.exists()


def test_a_page_of_a_very_long_name_is_not_there(client: Client) -> None:
    assert client.get(f"/docs/{'x' * 5000}/").status_code == 404


def test_nothing_is_posted_without_the_token_of_our_own_forms() -> None:
    staff = Client(enforce_csrf_checks=True)
    staff.force_login(get_user_model().objects.create_user("admin", is_staff=True, is_superuser=True))
    kwargs = {"slug": "alice", "group": "g", "month": "2026-10", "number": 1, "pk": 1, "page": "use"}
    incident = add_incident(*watch("alice"))
    for pattern in urlpatterns:
        given = {name: kwargs.get(name, incident.identity) for name in pattern.pattern.converters}
        path = "/" + str(pattern.pattern).replace("<", "{").replace(">", "}")
        for kind in ("uuid", "slug", "path", "int"):
            path = path.replace(f"{{{kind}:", "{")
        assert staff.post(path.format(**given), {"name": "x"}).status_code == 403, path


def test_no_forged_post_changes_a_record_in_the_admin(admin_client: Client) -> None:
    (host,) = watch("alice")
    incident, channel = add_incident(host), make_channel("json://x")
    Transition.objects.create(host=host, at=timezone.now(), state="down")
    Note.objects.create(incident=incident, text="a cable was cut")
    Delivery.objects.create(channel=channel, incident=incident, occasion="down", fate="sent")
    before = [list(model.objects.values()) for model in (Incident, Transition, Note, Delivery)]
    forged = {"state": "up", "fate": "waiting", "reason": "x", "notes-TOTAL_FORMS": "0", "notes-INITIAL_FORMS": "0"}
    for model in (Incident, Transition, Delivery):
        place, row = f"/admin/monitor/{model._meta.model_name}", model.objects.get()
        chosen = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
        for path, fields in (
            ("/add/", forged),
            (f"/{row.pk}/change/", forged),
            (f"/{row.pk}/delete/", {"post": "yes"}),
        ):
            assert admin_client.post(f"{place}{path}", fields).status_code == 403, (model, path)
        admin_client.post(f"{place}/", chosen)
    assert [list(model.objects.values()) for model in (Incident, Transition, Note, Delivery)] == before


def test_the_admin_deletes_hosts_and_channels_with_what_was_recorded_of_them(admin_client: Client) -> None:
    (host,) = watch("alice")
    incident, channel = add_incident(host), make_channel("json://x")
    Transition.objects.create(host=host, at=timezone.now(), state="down")
    Delivery.objects.create(channel=channel, incident=incident, occasion="down", fate="sent")
    for row in (channel, host):
        path = f"/admin/monitor/{row._meta.model_name}/{row.pk}/delete/"
        assert admin_client.post(path, {"post": "yes"}).status_code == 302
    assert not Host.objects.exists()
    assert not Channel.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_no_cell_of_an_export_is_a_formula(admin_user: Any) -> None:
    (host,) = await do(watch, '=HYPERLINK("https://example.org")', group="@SUM(1)", tags=("+1",))
    await do(add_incident, host, reason="loss", measure={"value": 0.5, "limit": 0.05})
    client = AsyncClient()
    await client.aforce_login(admin_user)
    month = f"{timezone.now():%Y-%m}"
    paths = [f"/hosts/{host.slug}/report/{month}.csv", f"/reports/{month}.csv?group=@SUM(1)", "/incidents.csv"]
    for path in paths:
        page = await client.get(path)
        assert page.status_code == 200
        body = b"".join([part async for part in page.streaming_content]) if page.streaming else page.content
        rows = list(csv.reader(io.StringIO(body.decode())))
        assert len(rows) > 1
        assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r" and cell]


@pytest.mark.django_db(transaction=True)
def test_a_second_click_on_save_is_told_that_the_channel_is_there(admin_client: Client) -> None:
    pages: list[int] = []

    def press() -> None:
        try:
            pages.append(admin_client.post("/alerts/add", FORM | {"address": "https://example.org/x"}).status_code)
        finally:
            connection.close()

    second = threading.Thread(target=press)
    with transaction.atomic():
        make_channel("https://example.org/x", "webhook", name="ops")
        second.start()
        # Long enough for it to have looked for the name and to wait for this transaction; if not, it finds the name.
        time.sleep(1)
    second.join()
    assert pages == [400]
    assert Channel.objects.count() == 1


def test_a_second_click_writes_no_second_note(admin_client: Client) -> None:
    incident = add_incident(*watch("alice"))
    for text in ("a cable was cut", "a cable was cut", "and mended"):
        admin_client.post(f"/incidents/{incident.identity}/note", {"text": text})
    assert [note.text for note in Note.objects.all()] == ["a cable was cut", "and mended"]
