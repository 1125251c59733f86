"""The pages of maintenance, uptime and reports: who may, what they say, what they refuse."""

import csv
import datetime as dt
import io
import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from django.utils import timezone

from monitor import report_views
from monitor.health import State
from monitor.models import Host, Incident, Maintenance, Transition
from monitor.templatetags.accounting import elapsed, exact_share
from tests.watch.histories import new_host, write_minute
from tests.watch.test_pages import reader, text_of
from tests.watch.test_watcher import do

pytestmark = pytest.mark.django_db

PLAN = {
    "name": "Router", "starts_on": "2027-03-27", "starts_at": "02:30", "minutes": "60", "zone": "Europe/Berlin",
    "recurrence": "FREQ=DAILY", "group": "", "tag": "",
}  # fmt: skip
LOOKING = [
    "/maintenance/",
    "/hosts/alice/uptime/",
    "/hosts/alice/report/2026-11",
    "/hosts/alice/report/2026-11.csv",
    "/reports/2026-11?group=lab",
]
CHANGING = ["/maintenance/add", "/maintenance/1/edit", "/maintenance/1/cancel", "/maintenance/1/delete"]


def visitor(*, staff: bool = False) -> Client:
    client = Client(headers={"host": "127.0.0.1:8000"})
    if staff:
        client.force_login(get_user_model().objects.create_user("admin", is_staff=True))
    return client


def november(host: Host) -> None:
    """A host that was down for 1 h 2 min 3 s in November."""
    start = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    began, ended = start + dt.timedelta(hours=10), start + dt.timedelta(hours=11, minutes=2, seconds=3)
    for at, state in ((start, State.UP), (began, State.DOWN), (ended, State.UP)):
        Transition.objects.create(host=host, at=at, state=state)
    Incident.objects.create(
        host=host, state=State.DOWN, began_at=began, noticed_at=began, ended_at=ended, end_noticed_at=ended,
        ending="recovered", reason="lost_in_row",
    )  # fmt: skip
    write_minute(host, int(start.timestamp()) // 60, [5000] * 59 + [-1])


@pytest.mark.parametrize("path", LOOKING)
@override_settings(PINGSITE_PUBLIC_BOARD=False)
def test_who_may_not_look_sees_nothing(path: str) -> None:
    new_host(group="lab")
    assert visitor().get(path).status_code in (302, 403)
    assert visitor(staff=True).get(path).status_code == 200


@pytest.mark.parametrize("path", CHANGING)
def test_only_staff_change_windows(path: str) -> None:
    Maintenance.objects.create(pk=1, name="w", starts_on="2026-01-01", starts_at="00:00")
    assert "/login/" in visitor().post(path, PLAN)["Location"]
    assert Maintenance.objects.filter(cancelled=False, name="w").exists()


def test_a_window_is_planned_changed_cancelled_and_deleted() -> None:
    ann, host = visitor(staff=True), new_host()
    assert ann.post("/maintenance/add", PLAN | {"hosts": [host.pk]}).status_code == 302
    window = Maintenance.objects.get()
    assert (window.zone, list(window.hosts.all())) == ("Europe/Berlin", [host])
    page = ann.get("/maintenance/").content.decode()
    assert "2027-03-27 02:30</time>" in page
    assert "2027-03-27 01:30 UTC" in page
    ann.post(f"/maintenance/{window.pk}/edit", PLAN | {"name": "Switch"})
    assert "Switch" in ann.get("/maintenance/").content.decode()
    ann.post(f"/maintenance/{window.pk}/cancel", {"cancelled": "yes"})
    assert "cancelled" in ann.get("/maintenance/").content.decode()
    ann.post(f"/maintenance/{window.pk}/cancel", {"cancelled": "no"})
    assert not Maintenance.objects.get().cancelled
    ann.post(f"/maintenance/{window.pk}/delete")
    assert "No maintenance is planned" in ann.get("/maintenance/").content.decode()


def test_a_preview_shows_the_next_five_in_both_clocks_and_keeps_nothing() -> None:
    page = visitor(staff=True).post("/maintenance/add", PLAN | {"preview": "yes"}).content.decode()
    # Summer time begins on the 28th, when there is no 02:30.
    for both in ("2027-03-27 02:30 – 2027-03-27 03:30</td><td>2027-03-27 01:30", "2027-03-28 03:30 – 2027-03-28 04:30</td><td>2027-03-28 01:30",
                 "2027-03-31 02:30 – 2027-03-31 03:30</td><td>2027-03-31 00:30"):  # fmt: skip
        assert both in page
    assert page.count("<tr><td>") == 5
    assert not Maintenance.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("zone", "Mars/Olympus", "There is no such time zone"),
        ("recurrence", "FREQ=MINUTELY", "hourly and more often is too much"),
        ("recurrence", "DTSTART:20260101", "Leave DTSTART out"),
        ("recurrence", "often", "This is no recurrence rule"),
        ("recurrence", "FREQ=DAILY;UNTIL=20200101", "it would never begin"),
        ("recurrence", "FREQ=DAILY;BYHOUR=1;BYMINUTE=0,30", "begin again before it ends"),
        ("minutes", "100000", "1 minute to 7 days"),
        ("starts_on", "1969-01-01", "between 2000 and 2199"),
        ("starts_on", "", "This field is required"),
    ],
)
def test_a_refusal_stands_beside_its_field(field: str, value: str, sentence: str) -> None:
    response = visitor(staff=True).post("/maintenance/add", PLAN | {field: value})
    page = response.content.decode()
    to_blame = "minutes" if "BYMINUTE" in value else field
    assert (response.status_code, Maintenance.objects.count()) == (400, 0)
    assert sentence in page.split(f'id="id_{to_blame}_error"')[1].split("</span>")[0]
    assert f'aria-describedby="id_{to_blame}_error"' in page


def test_a_report_says_what_was_and_how_it_was_counted() -> None:
    host = new_host(group="lab")
    november(host)
    page = visitor().get("/hosts/alice/report/2026-11?zone=Asia/Seoul").content.decode()
    assert "2026-11-01 19:00:00" in page
    assert "2026-11-01 20:02:03" in page
    assert "1 h 2 min 3 s" in page
    assert "All times are of Asia/Seoul." in page
    assert "1 of 60 pings had no reply" in page
    assert "/reports/2026-11?group=lab&amp;zone=Asia/Seoul" in page
    group = visitor().get("/reports/2026-11?group=lab&zone=Asia/Seoul").content.decode()
    assert "1 h 2 min 3 s" in group
    assert "/reports/2026-11.csv?group=lab&amp;zone=Asia%2FSeoul" in group


@pytest.mark.django_db(transaction=True)
async def test_the_csv_of_a_report_has_the_same_seconds() -> None:
    await do(lambda: november(new_host(group="lab")))
    for path in ("/hosts/alice/report/2026-11.csv?zone=Asia/Seoul", "/reports/2026-11.csv?group=lab&zone=Asia/Seoul"):
        rows = list(csv.DictReader(io.StringIO(await text_of(await reader().get(path)))))
        outage = rows[-1]
        assert (rows[0]["kind"], rows[0]["down_s"], rows[0]["sent"], rows[0]["lost"]) == ("month", "3723", "60", "1")
        assert (outage["since"], outage["until"]) == ("2026-11-01T19:00:00+09:00", "2026-11-01T20:02:03+09:00")
        assert (outage["down_s"], outage["reason"], outage["ending"], outage["zone"]) == (
            "3723",
            "lost_in_row",
            "recovered",
            "Asia/Seoul",
        )


@pytest.mark.django_db(transaction=True)
async def test_a_large_group_is_reported_some_hosts_a_page_and_whole_as_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_views, "MOST_HOSTS", 2)
    await do(lambda: [new_host(f"host-{place}", group="lab") for place in range(5)])
    shown = []
    for number in (1, 2, 3, 9):
        page = await text_of(await reader().get(f"/reports/2026-11?group=lab&page={number}"))
        shown.append(re.findall(r'aria-label="(host-\d)"', page))
    assert shown == [["host-0", "host-1"], ["host-2", "host-3"], ["host-4"], ["host-4"]]
    first = await text_of(await reader().get("/reports/2026-11?group=lab"))
    assert "Hosts 1 to 2 of 5; the CSV has all of them." in first
    assert 'href="?group=lab&amp;zone=UTC&amp;page=2"' in first
    response = await reader().get("/reports/2026-11.csv?group=lab")
    assert response.streaming, "nobody waits for the last host"
    rows = list(csv.DictReader(io.StringIO(await text_of(response))))
    assert [row["host"] for row in rows if row["kind"] == "month"] == [f"host-{place}" for place in range(5)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/hosts/alice/report/2026-13", 404), ("/hosts/alice/report/2026-11-01", 404), ("/hosts/alice/report/9999-01", 404),
        ("/hosts/alice/report/２026-11", 404), ("/hosts/nobody/report/2026-11", 404), ("/reports/2026-11?group=none", 404),
        ("/reports/2026-11", 404), ("/reports/2026-11?group=%00", 404), ("/hosts/alice/report/2026-11?zone=Mars", 400), ("/hosts/alice/report/2026-11.csv?zone=Mars", 400),
        ("/hosts/alice/uptime/?zone=../x", 400), ("/hosts/alice/uptime/?by=week", 200), ("/hosts/alice/report/2030-01", 200),
        ("/hosts/alice/report/1970-01", 200), ("/hosts/alice/uptime/?by=year", 200), ("/hosts/alice/uptime/?by=month&zone=Asia/Seoul", 200),
    ],
)  # fmt: skip
def test_what_is_asked_for_wrongly_is_refused(path: str, status: int) -> None:
    new_host(group="lab")
    assert visitor().get(path).status_code == status


def test_the_picker_leads_to_the_month() -> None:
    new_host()
    answer = visitor().get("/hosts/alice/report/?month=2026-11&zone=Asia/Seoul")
    assert answer["Location"] == "/hosts/alice/report/2026-11?zone=Asia%2FSeoul"
    assert re.fullmatch(r"/hosts/alice/report/\d{4}-\d\d", visitor().get("/hosts/alice/report/?month=x")["Location"])


def test_the_picker_of_a_group_leads_to_its_month() -> None:
    new_host(group="lab & co")
    page = visitor().get("/reports/2026-10?group=lab+%26+co").content.decode()
    assert '<form class="choose" method="get" action="/reports/">' in page
    assert '<input type="hidden" name="group" value="lab &amp; co">' in page
    answer = visitor().get("/reports/?group=lab+%26+co&month=2026-11&zone=Asia/Seoul")
    assert answer["Location"] == "/reports/2026-11?group=lab+%26+co&zone=Asia%2FSeoul"


def test_of_days_of_which_nothing_is_known_nothing_is_said() -> None:
    host = new_host()
    for hour, state in ((24, State.NOT_MEASURED), (48, State.UP)):
        at = dt.datetime(2026, 11, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hour)
        Transition.objects.create(host=host, at=at, state=state)
    page = visitor().get("/hosts/alice/report/2026-11").content.decode()
    cells = [re.findall(r'<td class="number">(.*?)</td>', row)[1:5] for row in re.findall('<th scope="row">.*', page)]
    # Down, degraded, not measured, maintenance: before it was watched, while it could not be measured, and then.
    assert cells[:3] == [["–"] * 4, ["–", "–", "1 d", "0 s"], ["0 s"] * 4]
    assert "nothing is known of this time" in visitor().get("/hosts/alice/report/2026-10").content.decode()


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_costs_the_same_questions_however_many_windows(number: int, django_assert_num_queries: Any) -> None:
    for place in range(number):
        Maintenance.objects.create(name=f"w{place}", starts_on="2026-01-01", starts_at="00:00", recurrence="FREQ=DAILY")
    with django_assert_num_queries(3):
        assert visitor().get("/maintenance/").status_code == 200


def test_the_admin_checks_windows_too() -> None:
    ann = visitor(staff=True)
    get_user_model().objects.update(is_superuser=True)
    assert ann.get("/admin/monitor/maintenance/add/").status_code == 200
    assert (
        "There is no such time zone"
        in ann.post("/admin/monitor/maintenance/add/", PLAN | {"zone": "x"}).content.decode()
    )
    assert ann.post("/admin/monitor/maintenance/add/", PLAN).status_code == 302
    assert "Router" in ann.get("/admin/monitor/maintenance/").content.decode()


def test_shares_are_cut_and_times_are_to_the_second() -> None:
    assert [exact_share(share) for share in (1.0, 0.9999999, 0.99987, 0.0, None)] == [
        "100 %",
        "99.999 %",
        "99.987 %",
        "0.000 %",
        "–",
    ]
    assert [elapsed(us) for us in (0, 1, 61_000_000, 90_061_000_000)] == [
        "0 s",
        "under 1 s",
        "1 min 1 s",
        "1 d 1 h 1 min 1 s",
    ]


def test_the_uptime_page_has_a_row_for_each_day_so_far() -> None:
    host = new_host()
    Transition.objects.create(host=host, at=timezone.now() - dt.timedelta(days=40), state=State.UP)
    page = visitor().get("/hosts/alice/uptime/").content.decode()
    assert page.count('<th scope="row">') == timezone.now().day
    assert page.count("100 %") >= timezone.now().day


def test_the_outages_that_made_an_uptime_stand_under_it() -> None:
    host = new_host()
    november(host)
    Host.objects.update(created_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    page = visitor().get("/hosts/alice/uptime/?by=year&zone=Asia/Seoul").content.decode()
    assert page.index("1 h 2 min 3 s") < page.index("2026-11-01 19:00:00") < page.index("2026-11-01 20:02:03")
