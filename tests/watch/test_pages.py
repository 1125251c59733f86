"""The pages of watched hosts as HTTP serves them: who may see and change what, and what they say."""

import csv
import datetime as dt
import io
import json
import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import override_settings
from django.utils import timezone

from monitor import board_page
from monitor.board import View
from monitor.minutes import Keeper
from monitor.models import Host, Maintenance
from monitor.ping.reply import Reply, Status
from monitor.runs import Runs
from pingsite.asgi import Application
from tests.watch.sites import Reader, watch
from tests.watch.test_watcher import do

pytestmark = pytest.mark.django_db(transaction=True)

CHANGING = ["/hosts/add", "/hosts/alice/edit"]
DEEDS = ["/hosts/alice/pause", "/hosts/alice/delete"]
SEEING = ["/", "/hosts/alice/"]
DATA = ["/hosts.json", *[f"/hosts/alice/{name}" for name in (
    "series.json", "series.csv", "packets.csv", "week.json", "distribution.json")]]  # fmt: skip


@pytest.fixture(autouse=True)
def forget() -> None:
    board_page.last_hour.forget()


def reader() -> Reader:
    return Reader(Application(Runs()))


async def staff(name: str = "admin", **fields: Any) -> Reader:
    user = await do(get_user_model().objects.create_user, name, **({"is_staff": True} | fields))
    visitor = reader()
    await visitor.aforce_login(user)
    return visitor


async def text_of(response: HttpResponse) -> str:
    if response.streaming:
        return b"".join([part async for part in response.streaming_content]).decode()
    return response.content.decode()


async def record(host: Host, values: list[int | None], seconds_ago: int = 0) -> int:
    """Keep packets a second apart, the last of them so long ago; when the first was due (µs)."""
    keeper = Keeper()
    start = (time.time_ns() // 1_000_000_000 - seconds_ago - len(values)) * 1_000_000
    for place, rtt in enumerate(values):
        reply = Reply(place, Status.TIMEOUT if rtt is None else Status.REPLY, start + place * 1_000_000, rtt)
        keeper.add(host.pk, reply, start + place * 1_000_000, 1.0)
    await keeper.close()
    return start


async def test_an_empty_board_offers_to_watch_the_first_host() -> None:
    assert "Watch your first host" in await text_of(await (await staff()).get("/"))


async def test_the_board_has_a_row_for_each_host_worst_first() -> None:
    await do(watch, "alice", "bob", "carol")
    await do(lambda: Host.objects.filter(name="bob").update(state="down"))
    await do(lambda: Host.objects.filter(name="alice").update(state="up"))
    page = await text_of(await reader().get("/"))
    assert page.index(">bob<") < page.index(">carol<") < page.index(">alice<")
    assert "1 of 3 hosts needs attention" in page


async def test_maintenance_says_until_when_where_nobody_watches() -> None:
    (host,) = await do(watch, "alice")
    now = timezone.now()
    began, ends = now - dt.timedelta(minutes=2), now + dt.timedelta(minutes=7)
    await do(Host.objects.filter(pk=host.pk).update, state="maintenance", state_since=began)
    await do(Maintenance.objects.create, name="m", starts_on=began.date(), starts_at=began.time(), minutes=9)
    said = f"n maintenance until {ends:%H:%M} UTC" if ends.date() == now.date() else f"until {ends:%Y-%m-%d %H:%M} UTC"
    for path in SEEING:
        assert said in await text_of(await reader().get(path)), path
    (row,) = json.loads(await text_of(await reader().get("/hosts.json")))["rows"]
    assert row[6:] == [round(began.timestamp() * 1000), "until", round(ends.timestamp() * 1000)]


@pytest.mark.parametrize("number", [1, 3])
async def test_the_board_costs_the_same_queries_however_many_hosts(number: int, django_assert_num_queries: Any) -> None:
    await do(watch, *[f"host {place}" for place in range(number)])

    def ask() -> None:
        with django_assert_num_queries(3):
            board_page.export_board(View(0, None, {}, None))

    await do(ask)


@pytest.mark.parametrize("path", [*SEEING, *DATA])
async def test_a_public_board_is_for_everybody(path: str) -> None:
    await do(watch, "alice")
    assert (await reader().get(path)).status_code == 200


@pytest.mark.parametrize("path", SEEING)
@override_settings(PINGSITE_PUBLIC_BOARD=False)
async def test_a_board_that_is_not_public_asks_to_sign_in(path: str) -> None:
    await do(watch, "alice")
    response = await reader().get(path)
    assert response.status_code == 302
    assert response.headers["location"].startswith("/admin/login/?next=")
    assert (await (await staff("eve", is_staff=False)).get(path)).status_code == 200


@pytest.mark.parametrize("path", DATA)
@override_settings(PINGSITE_PUBLIC_BOARD=False)
async def test_data_that_is_not_public_is_refused_to_strangers(path: str) -> None:
    await do(watch, "alice")
    assert (await reader().get(path)).status_code == 403
    assert (await (await staff("eve", is_staff=False)).get(path)).status_code == 200


@pytest.mark.parametrize("path", [*CHANGING, *DEEDS])
async def test_only_staff_may_change_anything(path: str) -> None:
    await do(watch, "alice")
    for visitor, code in ((reader(), 302), (await staff("eve", is_staff=False), 403)):
        assert (await visitor.post(path, {"lines": "127.0.0.1"})).status_code == code
    assert await Host.objects.acount() == 1
    assert not (await Host.objects.aget()).paused


@pytest.mark.parametrize("path", DEEDS)
async def test_a_link_changes_nothing(path: str) -> None:
    await do(watch, "alice")
    assert (await (await staff()).get(path)).status_code == 405
    assert await Host.objects.filter(paused=False).aexists()


async def test_one_host_is_added_and_its_page_shown() -> None:
    response = await (await staff()).post("/hosts/add", {"lines": "gateway, 127.0.0.1", "interval": "5"})
    assert response.headers["location"] == "/hosts/gateway/"
    host = await Host.objects.aget()
    assert (host.name, host.host, host.interval) == ("gateway", "127.0.0.1", 5)


async def test_of_many_lines_the_good_are_watched_and_the_others_come_back() -> None:
    lines = "\n".join(f"host {place}, 127.0.1.{place}" for place in range(1, 21)) + "\nbad, 127.1\n-x"
    response = await (await staff()).post("/hosts/add", {"lines": lines})
    page = await text_of(response)
    assert response.status_code == 400
    assert await Host.objects.acount() == 20
    assert "20 hosts are watched" in page
    assert '<span class="unseen">bad, 127.1:</span>' in page
    assert "begins with a dash" in page
    assert "bad, 127.1\n-x</textarea>" in page


async def test_a_host_that_is_watched_already_is_offered_and_not_made() -> None:
    await do(watch, "alice", host="127.0.0.1")
    visitor = await staff()
    page = await text_of(
        await visitor.post("/hosts/add", {"lines": "bob, 127.0.0.1\ncarol, 127.0.0.2\ndave, 127.0.0.2"})
    )
    assert "It is watched already, as alice." in page
    assert 'href="/hosts/alice/"' in page
    assert "stands in the lines twice" in page
    assert {host.name async for host in Host.objects.all()} == {"alice", "carol"}
    await visitor.post("/hosts/add", {"lines": "bob, 127.0.0.1", "again": "yes"})
    assert await Host.objects.filter(host="127.0.0.1").acount() == 2


@pytest.mark.parametrize(
    "fields",
    [{"interval": "0.1"}, {"interval": "x"}, {"interval": "nan"}, {"timeout": "99"}, {"family": "5"}, {"lines": ""}],
)
async def test_bad_values_are_refused_with_the_reason(fields: dict[str, str]) -> None:
    response = await (await staff()).post("/hosts/add", {"lines": "127.0.0.1"} | fields)
    assert response.status_code == 400
    assert "✕" in await text_of(response)
    assert not await Host.objects.aexists()


async def test_what_people_type_is_shown_and_never_run() -> None:
    page = await text_of(await (await staff()).post("/hosts/add", {"lines": "<script>alert(1)</script>"}))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


async def test_a_host_is_edited_and_keeps_its_page() -> None:
    await do(watch, "alice")
    await do(lambda: Host.objects.update(address="127.0.1.1", state="up"))
    visitor = await staff()
    form = {
        "name": "bob",
        "host": "127.0.9.9",
        "family": "4",
        "interval": "2.5",
        "timeout": "1",
        "tags": "a, b",
        "paused": "yes",
    }
    assert (await visitor.post("/hosts/alice/edit", form)).headers["location"] == "/hosts/alice/"
    host = await Host.objects.aget()
    assert (host.name, host.host, host.family, host.interval, host.tags, host.paused) == (
        "bob", "127.0.9.9", "4", 2.5, ["a", "b"], True,
    )  # fmt: skip
    assert host.address is None
    response = await visitor.post("/hosts/alice/edit", form | {"host": "127.1"})
    assert response.status_code == 400
    assert (await Host.objects.aget()).host == "127.0.9.9"


async def test_a_host_is_reached_through_another_and_never_through_itself() -> None:
    alice, bob, carol = await do(watch, "alice", "bob", "carol")
    visitor = await staff()

    async def edit(host: Host, parent: str) -> int:
        form = {"name": host.name, "host": host.host, "family": "auto", "parent": parent}
        return (await visitor.post(f"/hosts/{host.slug}/edit", form)).status_code

    assert await edit(bob, "alice") == await edit(carol, "bob") == 302
    assert [host.parent_id async for host in Host.objects.order_by("pk")] == [None, alice.pk, bob.pk]
    for parent in ("alice", "carol", "nobody", "\0", "<b>"):
        assert await edit(alice, parent) == 400, parent
    assert await edit(carol, "") == 302
    assert (await Host.objects.aget(name="carol")).parent_id is None


async def test_an_edit_that_changes_nothing_wakes_nobody() -> None:
    (host,) = await do(watch, "alice")
    form = {"name": "alice", "host": host.host, "family": "auto", "interval": "1.0", "timeout": "2.0"}
    await (await staff()).post("/hosts/alice/edit", form)
    assert (await Host.objects.aget()).changed_at == host.changed_at


async def test_a_host_is_paused_and_goes_on() -> None:
    await do(watch, "alice")
    visitor = await staff()
    await visitor.post("/hosts/alice/pause", {"paused": "yes"})
    assert (await Host.objects.aget()).paused
    await visitor.post("/hosts/alice/pause", {"paused": "no"})
    assert not (await Host.objects.aget()).paused


async def test_a_host_is_deleted() -> None:
    await do(watch, "alice")
    assert (await (await staff()).post("/hosts/alice/delete")).headers["location"] == "/"
    assert not await Host.objects.aexists()


async def test_the_history_is_there_as_columns() -> None:
    (host,) = await do(watch, "alice")
    start = await record(host, [1000, None, 3000], seconds_ago=60)
    path = f"/hosts/alice/series.json?since={start // 1000}&until={start // 1000 + 3000}&buckets=100"
    series = await reader().fetch(path)
    assert series["source"] == "packets"
    assert sum(number or 0 for number in series["sent"]) == 3
    assert [rtt for rtt in series["median"] if rtt is not None] == [1000, 3000]
    assert len({len(column) for name, column in series.items() if isinstance(column, list)}) == 1


async def test_the_same_history_is_there_as_csv() -> None:
    (host,) = await do(watch, "alice")
    start = await record(host, [1000, None, 3000], seconds_ago=60)
    path = f"/hosts/alice/series.csv?since={start // 1000}&until={start // 1000 + 3000}"
    rows = list(csv.DictReader(io.StringIO(await text_of(await reader().get(path)))))
    assert sum(int(row["received"] or 0) for row in rows) == 2
    assert all(row["t"].endswith("+00:00") for row in rows)


async def test_every_packet_can_be_had() -> None:
    (host,) = await do(watch, "alice")
    start = await record(host, [1000, None, 3000, 4000], seconds_ago=60)
    path = f"/hosts/alice/packets.csv?since={start // 1000}&until={start // 1000 + 3000}"
    rows = list(csv.DictReader(io.StringIO(await text_of(await reader().get(path)))))
    assert [(row["status"], row["rtt_ms"]) for row in rows] == [("reply", "1.000"), ("timeout", ""), ("reply", "3.000")]


async def test_a_week_has_seven_days_of_hours_and_a_distribution_its_bins() -> None:
    (host,) = await do(watch, "alice")
    await record(host, [1000] * 90, seconds_ago=120)
    week = await reader().fetch("/hosts/alice/week.json?weeks=1")
    assert [len(day) for day in week["days"]] == [24] * 7
    assert week["zone"] == "UTC"
    distribution = await reader().fetch("/hosts/alice/distribution.json")
    assert sum(number for _, _, number in distribution["bins"]) == distribution["total"]["received"] == 90


@pytest.mark.parametrize(
    ("zone", "shown"),
    [("Asia/Kolkata", "Asia/Kolkata"), ("Mars/Olympus", "UTC"), ("../../etc/passwd", "UTC"), ("America", "UTC"),
     ("%00", "UTC"), ("x" * 5000, "UTC")],
)  # fmt: skip
async def test_a_week_is_by_the_zone_of_the_reader_or_says_that_it_is_not(zone: str, shown: str) -> None:
    await do(watch, "alice")
    assert (await reader().fetch(f"/hosts/alice/week.json?zone={zone}"))["zone"] == shown


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday", "since=5&until=4", "buckets=0", "buckets=1501", "buckets=x", "since=99999999999999999999",
        "until=-5", "since=0001-01-01", "since=9999-12-31T23:59:59-23:59", "since=%EF%BC%91", "buckets=%00",
    ],
)  # fmt: skip
async def test_a_range_that_makes_no_sense_is_refused(query: str) -> None:
    await do(watch, "alice")
    response = await reader().get(f"/hosts/alice/series.json?{query}")
    assert response.status_code == 400
    assert response.json()["code"] == "bad_value"


async def test_times_may_be_iso_or_milliseconds() -> None:
    await do(watch, "alice")
    now = timezone.now()
    for since in (f"{now:%Y-%m-%d}", now.isoformat(), str(round(now.timestamp() * 1000) - 1000), "2026-01-01T00:00Z"):
        response = await reader().get(f"/hosts/alice/series.json?since={since}&until={now.isoformat()[:10]}T23:59:59.9")
        assert response.status_code == 200, response.content


async def test_a_host_that_is_not_there_is_not_found() -> None:
    for path in ("/hosts/nobody/", "/hosts/nobody/series.json", "/hosts/nobody/packets.csv", "/hosts/Ä/"):
        assert (await reader().get(path)).status_code == 404
