"""Messages on their way: real Apprise to a local server, real mail, and everything that goes wrong."""

import asyncio
import datetime as dt
import hashlib
import hmac
import json
import logging
import socket
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import override_settings
from django.utils import timezone

from monitor import courier
from monitor.alerts import plan
from monitor.courier import Courier, claim, note
from monitor.models import Channel, Delivery, Fate, Incident
from monitor.mouth import Mouth
from tests.alerts.services import Service, carrying, do, make_channel, make_incident, service, serving
from tests.browser.server import free_port
from tests.watch.sites import watch

__all__ = ["service"]
pytestmark = pytest.mark.django_db(transaction=True)


def tell(*channels: tuple[str, dict[str, Any]]) -> list[Delivery]:
    """Alice is down, and it is planned to say so."""
    for address, fields in channels:
        make_channel(address, **fields)
    (host,) = watch("alice")
    make_incident(host)
    plan(timezone.now(), storm=False)
    return list(Delivery.objects.order_by("pk"))


async def end_of(delivery: Delivery, timeout: float = 30) -> Delivery:
    """The row of a message when it was sent or given up."""
    async with asyncio.timeout(timeout):
        while (row := await Delivery.objects.aget(pk=delivery.pk)).fate in (Fate.WAITING, Fate.SENDING):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return row


async def attempted(delivery: Delivery, timeout: float = 30) -> Delivery:
    """The row of a message when an attempt at it has failed."""
    async with asyncio.timeout(timeout):
        while not (row := await Delivery.objects.aget(pk=delivery.pk)).outcome:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return row


async def test_apprise_says_it_and_what_the_service_answered_is_kept_without_the_secret(service: Service) -> None:
    (message,) = await do(tell, (service.url("json"), {}))
    async with carrying():
        row = await end_of(message)
    assert row.fate == Fate.SENT
    assert row.outcome == "200 OK: thank you for /•••"
    (_, body, _), = service.got  # fmt: skip
    assert json.loads(body)["title"].startswith("✕ alice is down since ")
    assert json.loads(body)["title"].endswith(": 5 pings in a row had no reply")


async def test_a_message_that_cannot_be_put_into_words_is_given_up_and_holds_up_no_other(service: Service) -> None:
    (message,) = await do(tell, (service.url("json"), {}))
    await Incident.objects.aupdate(reason="loss", measure={"value": "many", "limit": "few"})
    async with carrying():
        row = await attempted(message)
        assert (row.fate, row.outcome) == (Fate.WAITING, courier.WORDLESS)
        await Incident.objects.aupdate(measure={"value": 0.5, "limit": 0.05})
        await Delivery.objects.filter(pk=message.pk).aupdate(due_at=timezone.now())
        assert (await end_of(message)).fate == Fate.SENT


@pytest.mark.parametrize(("scheme", "kind"), [("json", "apprise"), ("http", "webhook")])
async def test_of_a_page_that_answers_its_text_is_kept_short_and_without_the_secret(
    service: Service, scheme: str, kind: str
) -> None:
    style = "p {color: red} " * 500
    service.page = (
        f"<!DOCTYPE html><html><head><title>x</title><style>{style}</style></head><body><h1>Bad\nGateway</h1>"
    )
    service.page += f"<p>at&nbsp;{{path}} &amp; <b>every</b>where<script>let x = '<p>';</script>{' word' * 200}"
    (message,) = await do(tell, (service.url(scheme), {"kind": kind}))
    async with carrying():
        row = await end_of(message)
    assert row.outcome.startswith("200 OK: Bad Gateway at /••• & everywhere word word")
    assert row.outcome.endswith("word …")
    assert len(row.outcome) < 400


async def test_the_half_of_a_secret_in_which_a_long_page_is_cut_is_not_said(service: Service) -> None:
    secret = "x".join(map(str, range(150)))
    begin = "<!DOCTYPE html><html><body><p>Gone: "
    filler = "<hr>" * ((20_000 - len(begin) - 100) // 4)
    service.page = f"{begin}{filler}{secret} {secret}</p>"
    (message,) = await do(tell, (service.url("json", secret), {}))
    async with carrying():
        row = await end_of(message)
    assert row.outcome == "200 OK: Gone:"


async def test_a_secret_that_an_answer_ends_in_is_not_cut_and_missed(service: Service) -> None:
    secret = "x".join(map(str, range(150)))
    service.page = f"{'a' * 400} {secret} {secret}"
    (message,) = await do(tell, (service.url("json", secret), {}))
    async with carrying():
        row = await end_of(message)
    assert row.outcome == f"200 OK: {'a' * 400} ••• •••"


async def test_a_service_that_answers_nothing_is_not_said_to_have_taken_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog:
        syslog.bind(("127.0.0.1", 0))
        (message,) = await do(tell, (f"rsyslog://127.0.0.1:{syslog.getsockname()[1]}", {}))
        async with carrying():
            row = await end_of(message)
        assert b"alice" in syslog.recv(2000)
    assert (row.fate, row.outcome) == (Fate.SENT, "Handed over; this service gives no answer.")


async def test_a_webhook_is_signed_and_has_an_identity(service: Service) -> None:
    (message,) = await do(tell, (service.url(), {"kind": "webhook"}))
    async with carrying():
        await end_of(message)
    (_, body, headers), = service.got  # fmt: skip
    signed = headers["X-Pingsite-Timestamp"].encode() + b"." + body
    assert headers["X-Pingsite-Signature"] == "sha256=" + hmac.new(b"s" * 64, signed, hashlib.sha256).hexdigest()
    assert headers["Idempotency-Key"] == json.loads(body)["id"]
    assert json.loads(body)["incident"]["host"]["name"] == "alice"


async def test_e_mail_goes_through_the_mail_server_of_the_settings() -> None:
    got: list[Any] = []

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            got.append(envelope)
            return "250 OK"

    port = free_port()
    mail = Controller(Handler(), hostname="127.0.0.1", port=port)
    mail.start()
    try:
        with override_settings(EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, DEFAULT_FROM_EMAIL="ping@example.org"):
            (message,) = await do(tell, ("bob@example.org, carol@example.org", {"kind": "email", "anywhere": False}))
            async with carrying():
                row = await end_of(message)
    finally:
        mail.stop()
    assert (row.fate, row.outcome) == (Fate.SENT, "The mail server took it.")
    assert got[0].rcpt_tos == ["bob@example.org", "carol@example.org"]
    assert got[0].mail_from == "ping@example.org"


async def test_without_a_mail_server_it_says_so() -> None:
    (message,) = await do(tell, ("bob@example.org", {"kind": "email"}))
    async with carrying():
        assert "PINGSITE_EMAIL_URL" in (await attempted(message)).outcome


async def test_a_service_that_fails_once_is_tried_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "BACK_OFF", (dt.timedelta(seconds=0.2),))
    service.answers = [500]
    (message,) = await do(tell, (service.url("json"), {}))
    async with carrying():
        row = await end_of(message)
    assert (row.fate, row.attempts, len(service.got)) == (Fate.SENT, 2, 2)


@pytest.mark.parametrize("steps", range(4))
async def test_a_courier_that_is_told_to_end_just_when_it_is_woken_ends(steps: int) -> None:
    courier = Courier(do)
    task = asyncio.create_task(courier.work())
    await asyncio.sleep(0.2)
    courier.wake()
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=20)
    assert done


async def test_what_will_not_change_is_given_up_soon(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "BACK_OFF", (dt.timedelta(seconds=0.1),))
    service.answers = [404] * 9
    (message,) = await do(tell, (service.url("json"), {}))
    async with carrying():
        row = await end_of(message)
    assert (row.fate, row.attempts) == (Fate.FAILED, courier.FINAL_ATTEMPTS)
    assert row.outcome.startswith("404 Not Found")


@pytest.mark.parametrize(("scheme", "kind"), [("json", "apprise"), ("http", "webhook")])
async def test_no_redirect_is_followed_whatever_the_address_wishes(service: Service, scheme: str, kind: str) -> None:
    service.answers = [302]
    (message,) = await do(tell, (service.url(scheme, "a?redirect=yes"), {"kind": kind}))
    async with carrying():
        assert (await attempted(message)).outcome.startswith("302 Found")
    assert len(service.got) == 1


@pytest.mark.parametrize(("scheme", "kind"), [("json", "apprise"), ("http", "webhook")])
async def test_a_private_address_is_not_reached_unless_staff_allow_it(service: Service, scheme: str, kind: str) -> None:
    (message,) = await do(
        tell, (service.url(scheme).replace("127.0.0.1", "localhost"), {"kind": kind, "anywhere": False})
    )
    async with carrying():
        assert (await attempted(message)).outcome == "This channel may not reach private addresses."
    assert service.got == []


async def test_a_service_that_hangs_holds_up_nobody_else(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "SPEAK_SECONDS", 3)
    with serving(hang=6) as slow:
        hanging, quick = await do(tell, (slow.url("json"), {}), (service.url("json"), {}))
        async with carrying():
            assert (await end_of(quick)).fate == Fate.SENT
            assert (await Delivery.objects.aget(pk=hanging.pk)).fate == Fate.SENDING
            row = await attempted(hanging)
    assert (row.fate, row.outcome, row.doubtful) == (Fate.WAITING, "No answer within 3 s.", True)


async def test_two_couriers_at_once_send_each_message_once(service: Service) -> None:
    messages = await do(tell, *[(service.url("json", f"c{place}"), {}) for place in range(12)])
    async with carrying(), carrying():
        for message in messages:
            await end_of(message)
    assert sorted(path for path, _, _ in service.got) == sorted(f"/c{place}" for place in range(12))


async def test_a_claim_that_ran_out_is_tried_again_and_says_that_it_may_have_been_sent(service: Service) -> None:
    (message,) = await do(tell, (service.url("json"), {}))
    past = timezone.now() - courier.CLAIM - dt.timedelta(seconds=1)
    await do(lambda: Delivery.objects.update(due_at=past))
    assert len(await do(claim, "a watcher that was killed", [], 9, past)) == 1
    async with carrying():
        row = await end_of(message)
    assert (row.fate, row.attempts) == (Fate.SENT, 2)
    assert "It may have been sent before." in json.loads(service.got[0][1])["message"]


async def test_a_service_that_hangs_does_not_hold_up_the_end() -> None:
    mouth = Mouth()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        order = {"kind": "webhook", "address": address, "anywhere": True, "seconds": 300}
        saying = asyncio.create_task(mouth.say(order | {"payload": "{}", "secret": "x", "key": "1"}))
        connection, _ = await asyncio.to_thread(silent.accept)
        async with asyncio.timeout(60):
            await mouth.close()
        connection.close()
    saying.cancel()


async def test_an_outcome_of_one_whose_claim_was_taken_over_changes_nothing(service: Service) -> None:
    await do(tell, (service.url("json"), {}))
    now = timezone.now()
    (mine,) = await do(claim, "alice", [], 9, now)
    assert await do(claim, "bob", [], 9, now) == []
    (theirs,) = await do(claim, "bob", [], 9, now + courier.CLAIM + dt.timedelta(seconds=1))
    answer = {"ok": False, "final": True, "said": ""}
    assert not await do(note, mine, answer, "", now)
    assert await do(note, theirs, answer | {"ok": True}, "", now)


async def test_a_service_gone_for_a_day_is_told_late_and_the_message_says_so(service: Service) -> None:
    (message,) = await do(tell, (service.url("json"), {}))
    await do(lambda: Delivery.objects.update(attempts=30, created_at=timezone.now() - dt.timedelta(hours=20)))
    async with carrying():
        await end_of(message)
    assert "This message is 20 h late: it could not be delivered before." in json.loads(service.got[0][1])["message"]


async def test_no_secret_is_in_the_log_or_in_a_row(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service.answers = [500, 500]
    ways = [(service.url("json", "very-secret-token"), {}), ("http://very-secret-token.invalid/x", {"kind": "webhook"})]
    messages = await do(tell, *ways)
    async with carrying():
        for message in messages:
            row = await attempted(message)
            assert "very-secret-token" not in row.outcome
    assert "through channel" in caplog.text
    assert "very-secret-token" not in caplog.text
    assert "very-secret-token" not in str(await Channel.objects.afirst())
