"""The admin: every run and every ping, to read; the first account and its one-time password; the log of refusals."""

import csv
import datetime as dt
import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from monitor.accounts import create_first_account
from monitor.models import Outcome, Run, User

pytestmark = pytest.mark.django_db


def keep_run(host: str, received: int, **fields: object) -> Run:
    run = Run(
        host=host,
        address="192.0.2.1",
        count=2,
        interval=1.0,
        timeout=1.0,
        client="198.51.100.7",
        engine="raw",
        **fields,
    )
    run.set_start(timezone.now())
    run.outcome, run.sent, run.received = fields.get("outcome", Outcome.FINISHED), 2, received
    run.min_us = run.avg_us = run.max_us = 12_345 if received else None
    run.save()
    for index in range(2):
        answered = index < received
        status, rtt = ("reply", 12_345) if answered else ("timeout", None)
        run.pings.create(
            index=index, status=status, sent_at=run.started_at, rtt_us=rtt, source="192.0.2.1" if answered else None
        )
    return run


def rows(client: Client, path: str) -> list[str]:
    return client.get(path).content.decode().split("<tr")[2:]


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_of_runs_costs_the_same_for_any_number(
    admin_client: Client, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for each in range(number):
        keep_run(f"host{each}.example", 2)
    with django_assert_num_queries(7):
        page = admin_client.get("/admin/monitor/run/").content.decode()
    assert page.count("12.345") == 3 * number


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_of_pings_costs_the_same_for_any_number(
    admin_client: Client, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for each in range(number):
        keep_run(f"host{each}.example", 1)
    with django_assert_num_queries(6):
        page = admin_client.get("/admin/monitor/ping/").content.decode()
    assert page.count("✓ reply") == page.count("✕ no reply") == number


def test_runs_are_found_by_host_outcome_replies_and_date(admin_client: Client) -> None:
    keep_run("alice.example", 2)
    keep_run("bob.example", 1)
    keep_run("charlie.example", 0, outcome=Outcome.STOPPED)
    today = timezone.now()
    for query, found in {
        "q=alice": ["alice"],
        "q=192.0.2.1": ["alice", "bob", "charlie"],
        "outcome__exact=stopped": ["charlie"],
        "host=alice.example": ["alice"],
        "replies=some": ["bob"],
        "replies=none": ["charlie"],
        "replies=all": ["alice"],
        f"started_at__year={today.year}": ["alice", "bob", "charlie"],
        f"started_at__year={today.year - 1}": [],
    }.items():
        page = admin_client.get(f"/admin/monitor/run/?{query}").content.decode()
        table = page.partition('id="result_list"')[2].partition("</table>")[0]
        assert [name for name in ("alice", "bob", "charlie") if f"{name}.example" in table] == found, query


def test_a_run_shows_its_pings_as_they_were_shown(admin_client: Client) -> None:
    run = keep_run("alice.example", 1)
    page = admin_client.get(f"/admin/monitor/run/{run.pk}/change/").content.decode()
    assert "bytes from 192.0.2.1: icmp_seq=1" in page
    assert f'href="/runs/{run.pk}"' in page


def test_nothing_measured_can_be_changed_or_added(admin_client: Client) -> None:
    run = keep_run("alice.example", 2)
    for path in ("run/add/", "ping/add/", f"run/{run.pk}/delete/"):
        assert admin_client.get(f"/admin/monitor/{path}").status_code == 403
    assert admin_client.post(f"/admin/monitor/run/{run.pk}/change/", {"host": "evil.example"}).status_code == 403
    run.refresh_from_db()
    assert run.host == "alice.example"


@async_to_sync
async def export(client: AsyncClient, path: str, keys: list[Any], language: str = "en") -> tuple[str, str]:
    """How the export is to be saved, and its text."""
    form = {"action": "export_csv", "_selected_action": [str(key) for key in keys]}
    answer = await client.post(path, form, headers={"accept-language": language})
    pieces = [piece async for piece in answer.streaming_content]
    return answer.headers["content-disposition"], b"".join(pieces).decode()


@pytest.fixture
def asgi_client(admin_user: User) -> AsyncClient:
    client = AsyncClient()
    client.force_login(admin_user)
    return client


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_selection_is_exported_as_csv(
    asgi_client: AsyncClient, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.admin.CSV_PIECE", 1)
    runs = [keep_run("alice.example", 2), keep_run("bob.example", 0)]
    disposition, text = export(asgi_client, "/admin/monitor/run/", [run.pk for run in runs], language)
    assert disposition == 'attachment; filename="runs.csv"'
    table = list(csv.DictReader(io.StringIO(text)))
    assert {(row["host"], row["received"], row["avg_us"]) for row in table} == {
        ("alice.example", "2", "12345"),
        ("bob.example", "0", ""),
    }


def test_the_first_account_is_made_once_and_must_choose_a_password(client: Client) -> None:
    password = create_first_account()
    assert password
    assert create_first_account() is None
    assert client.post("/admin/login/", {"username": "admin", "password": password}).status_code == 302
    assert client.get("/admin/monitor/run/").headers["location"] == "/admin/password_change/"
    assert client.get("/home").headers["location"] == "/admin/password_change/"
    new = {"old_password": password, "new_password1": "correct-horse-42", "new_password2": "correct-horse-42"}
    assert client.post("/admin/password_change/", new).status_code == 302
    assert client.get("/admin/monitor/run/").status_code == 200
    assert not User.objects.get().password_is_one_time


def test_the_admin_speaks_korean(admin_client: Client) -> None:
    keep_run("alice.example", 1)
    page = admin_client.get("/admin/monitor/run/", headers={"accept-language": "ko"}).content.decode()
    assert str(dt.date.today().year) in page
    assert '<html lang="ko"' in page
    assert "핑" in page
    assert "Monitor" not in page
    page = admin_client.get("/admin/monitor/ping/", headers={"accept-language": "ko"}).content.decode()
    assert "✓ 응답" in page
    assert "✕ 응답 없음" in page


@pytest.mark.parametrize("number", [1, 100])
def test_the_page_of_a_run_costs_the_same_for_any_number_of_pings(
    admin_client: Client, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = keep_run("alice.example", 0)
    run.pings.all().delete()
    for index in range(number):
        run.pings.create(index=index, status="timeout", sent_at=run.started_at)
    with django_assert_num_queries(4):
        page = admin_client.get(f"/admin/monitor/run/{run.pk}/change/").content.decode()
    assert page.count("No answer from 192.0.2.1") == number


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the site writes to its log from here on."""
    handler = next(handler for handler in logging.getLogger().handlers if handler.name == "stderr")
    text = io.StringIO()
    before = handler.setStream(text)
    yield text
    handler.setStream(before)


@pytest.mark.parametrize(
    ("path", "host", "status", "line"),
    [
        ("/home", "evil.example", 400, "Invalid HTTP_HOST header: 'evil.example'"),
        ("/nowhere", "127.0.0.1", 404, "Not Found: /nowhere"),
        ("/admin/monitor/run/add/", "127.0.0.1", 403, "Forbidden (Permission denied)"),
    ],
)
def test_a_refused_request_is_a_line_in_the_log_without_a_traceback(
    admin_client: Client, log: io.StringIO, path: str, host: str, status: int, line: str
) -> None:
    assert admin_client.get(path, headers={"host": host}).status_code == status
    assert line in log.getvalue()
    assert "Traceback" not in log.getvalue()


def test_a_failure_keeps_its_traceback_in_the_log(
    admin_client: Client, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.admin.RunAdmin.list_per_page", "many")
    admin_client.raise_request_exception = False
    assert admin_client.get("/admin/monitor/run/").status_code == 500
    assert "Traceback" in log.getvalue()
