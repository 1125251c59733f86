"""The pages of incidents: what they say, who may read and write what, what is shared, and what hostile input does."""

import csv
import datetime as dt
import io
import re
import uuid
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from django.utils import timezone

from monitor.chronicle import Choice, add_details, list_incidents, read_choice
from monitor.models import Channel, Delivery, Incident, Maintenance, Note, Transition
from monitor.packing import Code
from tests.watch.histories import write_minute
from tests.watch.outages import add_incident
from tests.watch.sites import watch
from tests.watch.test_pages import reader, text_of
from tests.watch.test_watcher import do

pytestmark = pytest.mark.django_db
PRIVATE = override_settings(PINGSITE_PUBLIC_BOARD=False)
LONG_AGO = 40 * 86_400


def text(page: Any) -> str:
    """What a page says, without its markup."""
    body = re.sub(r"<script.*?</script>", "", page.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", body).split())


def sign_in(name: str = "eve", **fields: Any) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_user(name, **fields))
    return client


def path(incident: Incident) -> str:
    return f"/incidents/{incident.identity}/"


def test_without_incidents_the_list_says_so(client: Client) -> None:
    assert "No incidents in the last 30 days." in text(client.get("/incidents/"))


def test_incidents_are_sentences_and_open_ones_stand_on_top(client: Client) -> None:
    alice, bob = watch("alice", "bob")
    add_incident(alice, ago=300, lasted=200)
    add_incident(bob, ago=740, lasted=None)
    page = client.get("/incidents/")
    said = text(page)
    assert re.search(r"bob: no reply for 12 min 2[0-9] s", said)
    assert "alice: no reply for 3 min 20 s" in said
    assert said.index("bob: no") < said.index("alice: no")
    assert "5 pings in a row had no reply" in said
    assert "data-since=" in page.content.decode()


@pytest.mark.parametrize(
    ("reason", "measure", "sentence", "cause"),
    [
        (
            "loss",
            {"value": 0.229, "limit": 0.05},
            "loses pings for",
            "At least 22.9 % of the pings had no reply (from 5 % on",
        ),
        (
            "p95",
            {"value": 91_250, "limit": 30_000},
            "slow now and then for",
            "took 91.2 ms or more (the limit is 30 ms)",
        ),
        ("median", {"value": 91_250, "limit": 30_000}, "slow for", "Half of the pings took"),
        ("jitter", {"value": 5000, "limit": 1000}, "uneven for", "changed by 5 ms on average"),
        ("jitter", {}, "uneven for", "changed too much"),
        ("loss", {"value": "<b>", "limit": None}, "loses pings for", "Too many of the pings"),
        ("something new", {"value": 1}, "degraded for", ""),
    ],
)
def test_each_reason_has_its_words(client: Client, reason: str, measure: Any, sentence: str, cause: str) -> None:
    (alice,) = watch("alice")
    incident = add_incident(alice, state="degraded", reason=reason, measure=measure)
    for said in (text(client.get("/incidents/")), text(client.get(path(incident)))):
        assert sentence in said
        assert cause in said


def test_those_of_the_network_are_one_with_their_parts_folded(client: Client) -> None:
    network = add_incident(None, reason="network", measure={})
    for host in watch("alice", "bob", "carol"):
        add_incident(host, part_of=network)
    page = client.get("/incidents/")
    assert "This server’s own network: 3 hosts bad for 1 min 0 s" in text(page)
    assert page.content.decode().count('<li class="incident"') == 1
    assert "part of a network incident" in text(client.get("/incidents/?host=alice"))
    assert "bob: no reply" in text(client.get(path(network)))


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("signed_in", [True, False])
def test_the_list_costs_the_same_queries_however_long(
    number: int, signed_in: bool, django_assert_num_queries: Any
) -> None:
    for host in watch(*[f"host {place}" for place in range(number)]):
        add_incident(host, ago=place_of(host) * 100, part_of=add_incident(None, ago=place_of(host) * 100))
    client = sign_in() if signed_in else Client()
    client.get("/incidents/")
    with django_assert_num_queries(8 if signed_in else 6):
        client.get("/incidents/")


def place_of(host: Any) -> int:
    return 1 + int(host.name.split()[1])


@pytest.mark.parametrize("number", [1, 3])
def test_a_page_costs_the_same_queries_however_much_was_bad(number: int, django_assert_num_queries: Any) -> None:
    alice, *others = watch("alice", *[f"host {place}" for place in range(number)])
    incident = add_incident(alice)
    for host in others:
        add_incident(host, behind=alice)
        Note.objects.create(incident=incident, text=host.name)
    client = Client()
    with django_assert_num_queries(8):
        client.get(path(incident))


def test_filters_choose_and_months_go_back() -> None:
    alice, bob = watch("alice", "bob", group="core")
    old = add_incident(alice, ago=LONG_AGO)
    add_incident(bob, state="degraded", reason="loss")
    now = timezone.now()

    def found(**query: str) -> list[str]:
        return [str(each.host) for each in list_incidents(read_choice(query), now)]

    assert found() == ["bob"]
    assert found(host="alice") == []
    assert found(month=f"{old.began_at:%Y-%m}") == ["alice"]
    assert found(state="degraded") == found(group="core") == found(host="Bob") == ["bob"]
    assert found(state="down") == []


@pytest.mark.parametrize(
    "query",
    [
        "state=x", "month=2026-13", "month=0000-01", "month=9999-12", "month=%EF%BC%91", "page=x", "page=-1", "page=9" * 30,
        "host=%00", "group=%00", "host=" + "x" * 5000, "state=down&state=up", "month='; DROP TABLE", "host=<script>",
    ],
)  # fmt: skip
def test_a_query_that_makes_no_sense_chooses_nothing_and_breaks_nothing(client: Client, query: str) -> None:
    add_incident(*watch("alice"))
    page = client.get(f"/incidents/?{query}")
    assert page.status_code == 200
    assert b"<script>alert" not in page.content
    assert b'value="<script>"' not in page.content


def test_long_lists_have_pages(client: Client) -> None:
    (alice,) = watch("alice")
    for place in range(51):
        add_incident(alice, ago=10_000 - place * 100, lasted=50)
    assert "Page 1 of 2" in text(client.get("/incidents/"))
    last = client.get("/incidents/?page=2")
    assert last.content.decode().count('<li class="incident"') == 1
    assert 'rel="prev"' in last.content.decode()


def test_a_page_has_the_packets_around_its_beginning(client: Client) -> None:
    (alice,) = watch("alice")
    minute = int(timezone.now().timestamp()) // 60 - 10
    write_minute(alice, minute, [1500] * 30 + [int(Code.TIMEOUT)] * 20 + [2500] * 10)
    began = dt.datetime.fromtimestamp(minute * 60 + 30.25, dt.UTC)
    ended = began + dt.timedelta(seconds=20)
    incident = add_incident(alice)
    Incident.objects.update(began_at=began, ended_at=ended)
    Transition.objects.create(host=alice, at=began, state="down")
    Transition.objects.create(host=alice, at=ended, state="up")
    said = text(client.get(path(incident)))
    assert "20 sent, 20 without a reply" in said
    onset = said[said.index("Packets at its beginning") :]
    assert "1.50 ms" in onset[: onset.index("no reply")]
    assert "✕ down" in said
    assert "✓ up" in said
    series = client.get(f"{path(incident)}series.json").json()
    assert sum(sent or 0 for sent in series["sent"]) == 60


def test_a_page_names_what_else_was_bad(client: Client) -> None:
    alice, bob, carol = watch("alice", "bob", "carol")
    incident = add_incident(alice, ago=600, lasted=60)
    add_incident(bob, ago=650, lasted=60)
    add_incident(carol, ago=1000, lasted=60)
    said = text(client.get(path(incident)))
    assert "bob: no reply" in said
    assert "carol: no reply" not in said


def test_people_who_signed_in_write_notes_and_nothing_of_them_is_run() -> None:
    incident = add_incident(*watch("alice"))
    assert Client().post(f"{path(incident)}note", {"text": "x"}).status_code == 302
    eve = sign_in("eve", first_name="Eve", last_name="Doe")
    eve.post(f"{path(incident)}note", {"text": "<script>alert(1)</script>\ncable\0 cut"})
    eve.post(f"{path(incident)}note", {"text": "  "})
    eve.post(f"{path(incident)}note", {"text": "y" * 9000})
    first, second = Note.objects.all()
    assert first.text.endswith("cable cut")
    assert len(second.text) == 4000
    page = eve.get(path(incident)).content.decode()
    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page
    assert "Eve Doe" in page


def test_only_staff_share_and_a_link_alone_changes_nothing() -> None:
    incident = add_incident(*watch("alice"))
    for visitor, code in ((Client(), 302), (sign_in("eve"), 403)):
        assert visitor.post(f"{path(incident)}share", {"shared": "yes"}).status_code == code
    staff = sign_in("admin", is_staff=True)
    assert staff.get(f"{path(incident)}share").status_code == 405
    assert not Incident.objects.filter(shared_at__isnull=False).exists()
    staff.post(f"{path(incident)}share", {"shared": "yes"})
    assert Incident.objects.filter(shared_at__isnull=False).exists()
    staff.post(f"{path(incident)}share", {"shared": "no"})
    assert not Incident.objects.filter(shared_at__isnull=False).exists()


@PRIVATE
def test_strangers_see_what_was_shared_and_no_more() -> None:
    alice, bob = watch("alice", "bob")
    parent = watch("secret-gateway")[0]
    shared, kept = add_incident(alice, behind=parent), add_incident(bob)
    author = get_user_model().objects.create_user("login-name")
    Note.objects.create(incident=shared, author=author, text="a cable was cut")
    channel = Channel.objects.create(name="Ops room", kind="webhook", address="https://example.org/s3cret")
    Delivery.objects.create(channel=channel, incident=shared, occasion="down", fate="sent", outcome="200 OK")
    stranger = Client()
    assert stranger.get(path(shared)).status_code == stranger.get(path(kept)).status_code == 302
    assert stranger.get(f"{path(shared)}series.json").status_code == 403
    Incident.objects.filter(pk=shared.pk).update(shared_at=timezone.now())
    page = stranger.get(path(shared))
    assert "a cable was cut" in text(page)
    for secret in ("login-name", alice.host, "bob", "secret-gateway", "Ops room", "200 OK", "s3cret", "/hosts/alice"):
        assert secret not in page.content.decode(), secret
    assert stranger.get(f"{path(shared)}series.json").status_code == 200
    assert stranger.get(path(kept)).status_code == 302
    assert stranger.get(f"/incidents/{uuid.uuid4()}/").status_code == 302
    for closed in ("/incidents/", "/incidents.csv", "/hosts/alice/incidents.json"):
        assert stranger.get(closed).status_code in (302, 403)


def test_outcomes_are_for_staff_and_who_was_told_for_those_who_signed_in() -> None:
    incident = add_incident(*watch("alice"))
    channel = Channel.objects.create(name="Ops room", kind="webhook", address="https://example.org/s3cret")
    Delivery.objects.create(channel=channel, incident=incident, occasion="down", fate="sent", outcome="200 OK")
    assert "Ops room" not in text(Client().get(path(incident)))
    assert "Ops room" not in text(Client().get("/incidents/"))
    eve, staff = text(sign_in("eve").get(path(incident))), text(sign_in("admin", is_staff=True).get(path(incident)))
    assert "Ops room" in eve
    assert "200 OK" not in eve
    assert "200 OK" in staff
    assert "s3cret" not in staff


def test_a_host_has_its_incidents_for_its_chart(client: Client) -> None:
    (alice,) = watch("alice")
    add_incident(alice, ago=5000, lasted=60)
    incident = add_incident(alice, ago=600, lasted=None)
    now = int(timezone.now().timestamp() * 1000)
    Maintenance.objects.create(name="once", starts_on=dt.date(2026, 3, 1), starts_at=dt.time(12), minutes=30)
    march = client.get("/hosts/alice/incidents.json?since=2026-03-01&until=2026-03-02").json()
    noon = round(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC).timestamp() * 1000)
    assert march == {"incidents": [], "maintenance": [{"since": noon, "until": noon + 1_800_000}]}
    found = client.get(f"/hosts/alice/incidents.json?since={now - 60_000}&until={now}").json()["incidents"]
    assert found == [
        {"state": "down", "since": round(incident.began_at.timestamp() * 1000), "until": None, "path": path(incident)}
    ]
    assert client.get("/hosts/alice/incidents.json?since=x").status_code == 400
    assert client.get("/hosts/nobody/incidents.json").status_code == 404


def test_the_header_counts_what_goes_on_for_those_who_may_know(client: Client) -> None:
    network = add_incident(None, lasted=None)
    add_incident(*watch("alice"), lasted=None, part_of=network)
    assert "going on: 1" in text(client.get("/home"))
    with PRIVATE:
        page = client.get("/home")
        assert "going on: 0" in text(page)
        assert 'class="count" hidden' in page.content.decode()


def test_details_are_prefetched() -> None:
    network = add_incident(None)
    add_incident(*watch("alice"), part_of=network)
    (found,) = add_details(list_incidents(Choice(), timezone.now()))
    assert found.number == 1
    assert [str(part.host) for part in found.some_parts] == ["alice"]
    assert found.told == []


@pytest.mark.django_db(transaction=True)
async def test_the_list_is_there_as_csv() -> None:
    (alice,) = await do(watch, "alice")
    network = await do(add_incident, None, ago=900)
    await do(add_incident, alice, ago=600, lasted=61.25, part_of=network)
    rows = list(csv.DictReader(io.StringIO(await text_of(await reader().get("/incidents.csv")))))
    assert [row["host"] for row in rows] == ["", "alice"]
    assert rows[1]["duration_s"] == "61.250000"
    assert rows[1]["part_of"] == rows[0]["id"] == str(network.identity)
    assert rows[1]["began_at"].endswith("+00:00")
