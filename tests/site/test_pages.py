"""The pages as HTTP serves them: what stands in them, what they refuse, what goes with every answer."""

import csv
import io
import json
import re
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import AsyncClient, Client

from monitor.models import Run
from monitor.ping.reply import Status
from pingsite.asgi import Application
from tests.site.conftest import site, visiting
from tests.site.engines import ScriptedEngine

pytestmark = pytest.mark.django_db(transaction=True)


class Reader(AsyncClient):
    """A client of Django whose requests carry the runs of an application, as those of a server do."""

    def __init__(self, application: Application, **options: Any) -> None:
        super().__init__(**options)
        self.application = application

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        return super()._base_scope(**request) | {"runs": self.application.runs}


def client_of(application: Application, **headers: str) -> Reader:
    return Reader(application, headers={"host": "127.0.0.1:8000"} | headers)


async def finished_run(application: Application, **fields: object) -> str:
    async with visiting(application) as browser:
        await browser.press(**({"count": 2, "interval": 0.2} | fields))
        return (await browser.hear_all())[0]["run"]


@pytest.mark.parametrize("path", ["/home", "/docs/", "/admin/login/", "/nowhere", "/healthz"])
def test_every_answer_carries_the_strict_policy(client: Client, path: str) -> None:
    policy = client.get(path).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert client.get(path).headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/home", "/docs/", "/nowhere"])
def test_no_page_has_inline_scripts_or_styles_or_foreign_addresses(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    scripts = re.findall(r"<script([^>]*)>", page)
    assert all("src=" in script or 'type="application/json"' in script for script in scripts)
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', page)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Ping anything. Watch it live."), ("ko", "어디든 핑을 보내고 바로 확인하세요.")]
)
def test_the_page_speaks_the_language_of_the_browser(client: Client, language: str, words: str) -> None:
    response = client.get("/home", headers={"accept-language": language})
    assert words in response.content.decode()
    assert f'<html lang="{language}"' in response.content.decode()


def test_the_switch_outlasts_the_preference_of_the_browser(client: Client) -> None:
    client.post("/i18n/setlang/", {"language": "ko", "next": "/home"})
    page = client.get("/home", headers={"accept-language": "en"}).content.decode()
    assert "어디든 핑을 보내고" in page


def test_the_ids_of_old_stay(client: Client) -> None:
    page = client.get("/home").content.decode()
    for name in ("header", "checkbutton", "demo"):
        assert page.count(f'id="{name}"') == 1


async def test_without_javascript_the_form_pings_and_leads_to_the_result() -> None:
    async with site() as application:
        client = client_of(application)
        response = await client.post("/home", {"host": "127.0.0.1", "count": "2", "interval": "0.2"})
        assert response.status_code == 303
        identity = uuid.UUID(response.headers["location"].removeprefix("/runs/"))
        active = application.runs._active[identity]
        page = (await client.get(response.headers["location"])).content.decode()
        assert '<meta http-equiv="refresh"' in page
        assert active.task is not None
        await active.task
        page = (await client.get(response.headers["location"])).content.decode()
        assert page.count("64 bytes from 127.0.0.1") >= 2
        assert '<meta http-equiv="refresh"' not in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"host": ""}, "address or a host name"),
        ({"host": "-f"}, "begins with a dash"),
        ({"host": "a", "count": "many"}, "1 to 100"),
        ({"host": "a", "count": "101"}, "1 to 100"),
        ({"host": "a", "interval": "nan"}, "0.2"),
        ({"host": "a", "interval": "1e999"}, "0.2"),
        ({"host": "a", "family": "5"}, "options"),
        ({"host": '"><script>alert(1)</script>'}, "&lt;script&gt;"),
    ],
)  # fmt: skip
async def test_a_posted_form_that_makes_no_sense_comes_back_with_the_reason(fields: dict[str, str], words: str) -> None:
    async with site() as application:
        response = await client_of(application).post("/home", fields)
    assert response.status_code == 400
    assert words in response.content.decode()
    assert not await Run.objects.aexists()


async def test_a_posted_form_needs_its_token() -> None:
    async with site() as application:
        client = Reader(application, enforce_csrf_checks=True)
        assert (await client.post("/home", {"host": "127.0.0.1"})).status_code == 403


async def test_the_page_of_a_run_is_its_record() -> None:
    async with site(ScriptedEngine({1: Status.TIMEOUT})) as application:
        run = await finished_run(application, timeout=0.1)
        client = client_of(application)
        page = (await client.get(f"/runs/{run}")).content.decode()
        assert "64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=1.00 ms" in page
        assert f"/runs/{run}.csv" in page
        config = json.loads(re.search(r'id="config"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
        assert config["run"]["outcome"] == "finished"
        assert [line["status"] for line in config["run"]["lines"]] == ["reply", "timeout"]


async def test_csv_and_json_have_every_ping() -> None:
    async with site(ScriptedEngine({1: Status.TIMEOUT})) as application:
        run = await finished_run(application, timeout=0.1)
        client = client_of(application)
        table = await client.get(f"/runs/{run}.csv")
        whole = json.loads((await client.get(f"/runs/{run}.json")).content)
    rows = list(csv.DictReader(io.StringIO(table.content.decode())))
    assert [(row["index"], row["status"], row["rtt_ms"]) for row in rows] == [
        ("0", "reply", "1.0"),
        ("1", "timeout", ""),
    ]
    assert table.headers["content-disposition"] == f'attachment; filename="ping-{run}.csv"'
    assert whole["id"] == run
    assert whole["summary"]["loss"] == 0.5
    assert [line["sent_at"] for line in whole["lines"]] == [row["sent_at"] for row in rows]


@pytest.mark.parametrize(
    "path", ["/runs/x", "/runs/1", "/docs/nothing/", "/docs/../settings/", "/ws/ping/", "/home/", "/.env"]
)
async def test_what_is_not_there_is_not_found(path: str) -> None:
    async with site() as application:
        assert (await client_of(application).get(path)).status_code == 404
        assert (await client_of(application).get(f"/runs/{uuid.uuid4()}")).status_code == 404


def test_a_foreign_host_name_is_refused(client: Client) -> None:
    assert client.get("/home", headers={"host": "evil.example"}).status_code == 400


def test_readiness_names_what_fails_and_no_secrets(client: Client) -> None:
    response = client.get("/readyz")
    assert response.json() == {"status": "ok", "checks": {"icmp": "ok", "database": "ok", "layer": "ok"}}


def test_static_files_are_versioned_and_kept_for_ever(client: Client) -> None:
    page = client.get("/home").content.decode()
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert addresses
    for address in addresses:
        assert address.startswith(settings.STATIC_URL)
        response = client.get(address)
        assert response.status_code == 200
        assert "max-age=31536000" in response.headers["cache-control"]
        response.close()


def test_a_database_that_is_away_is_a_page_that_says_so(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    admin_client.raise_request_exception = False
    # The real absence of PostgreSQL is tried behind nginx; here the connection alone is made to fail.
    monkeypatch.setattr(connection, "connect", _fail)
    connection.close()
    response = admin_client.get("/admin/monitor/run/", headers={"accept-language": "ko"})
    monkeypatch.undo()
    assert response.status_code == 503
    assert "데이터베이스" in response.content.decode()


def _fail() -> None:
    raise OperationalError("the server closed the connection")
