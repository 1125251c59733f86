"""Runs through nginx: lines as they come, on whichever process, and who may ping what."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.deploy.deployment import Deployment
from tests.deploy.visitor import Visitor

# Whatever a client writes into these, it stays the one that nginx sees.
FORGED = ("X-Real-IP", "X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Port", "True-Client-IP")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_lines_arrive_one_by_one_while_pings_go_out(staff: Visitor, host: str) -> None:
    with staff.connect() as page:
        page.press(host, count=4, interval=1)
        *lines, finished = page.hear_lines()
    assert [line["data1"] for line in lines] == [0, 1, 2, 3]
    assert [line["status"] for line in lines] == ["reply"] * 4
    moments = [line["heard_at"] for line in lines]
    # Three seconds, of which a machine that stalls may hold up the first ones for some.
    assert moments[-1] - moments[0] > 1
    assert (finished["outcome"], finished["summary"]["received"]) == ("finished", 4)


@pytest.mark.parametrize("interval", [0.2, 0.6])
def test_a_run_is_watched_live_on_every_process(
    staff: Visitor, visit: Callable[[], Visitor], site: Deployment, interval: float
) -> None:
    watcher = visit()
    with (
        staff.connect() as page,
        watcher.connect(through=site.sockets[0]) as one,
        watcher.connect(through=site.sockets[1]) as other,
        ThreadPoolExecutor(2) as watchers,
    ):
        run = page.press(count=8, interval=interval)
        seen = [watchers.submit(each.follow, run) for each in (one, other)]
        *lines, _ = page.hear_lines()
        for future in seen:
            watched = future.result()
            assert [line["data"] for line in watched] == [line["data"] for line in lines]
            # Live, not replayed in the end: what came after the first three came at its own time.
            assert watched[-1]["heard_at"] - watched[2]["heard_at"] > interval * 2


def test_whoever_comes_back_to_another_process_may_stop_the_run(staff: Visitor, site: Deployment) -> None:
    with staff.connect(through=site.sockets[0]) as page:
        run = page.press(count=100, interval=0.2)
        page.hear_lines(1)
    with staff.connect(through=site.sockets[1]) as page:
        page.say(event="resume", run=run, after=-1)
        assert page.hear()["event"] == "started"
        page.say(event="stop")
        assert page.hear_lines()[-1]["outcome"] == "stopped"


def test_the_form_works_without_a_script(staff: Visitor) -> None:
    staff.get("/home")
    pressed = staff.post("/home", {"host": "127.0.0.1", "count": "1", "interval": "", "timeout": "", "family": "auto"})
    assert pressed.status == 303
    assert "127.0.0.1" in staff.get(pressed.headers["Location"]).text


def test_a_run_is_found_as_page_csv_json_and_in_the_admin(staff: Visitor, visitor: Visitor) -> None:
    with staff.connect() as page:
        run = page.press(count=2, interval=0.2)
        page.hear_lines()
    record = json.loads(visitor.get(f"/runs/{run}.json").text)
    assert [line["status"] for line in record["lines"]] == ["reply", "reply"]
    assert len(visitor.get(f"/runs/{run}.csv").text.splitlines()) == 3
    assert visitor.get(f"/runs/{run}").status == 200
    assert record["lines"][1]["data"] in staff.get(f"/admin/monitor/run/{run}/change/").text


def test_the_admin_is_for_those_who_sign_in_over_https(staff: Visitor, visitor: Visitor) -> None:
    assert staff.get("/admin/monitor/run/").status == 200
    assert visitor.get("/admin/monitor/run/").status == 302
    page = visitor.get("/admin/login/")
    assert "; Secure" in page.headers["Set-Cookie"]
    fields = {"username": "admin", "password": "wrong"}
    assert visitor.post("/admin/login/", fields).status == 200
    assert visitor.post("/admin/login/", fields, Origin="https://evil.example").status == 403


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "fd00::1", "::ffff:127.0.0.1", "localhost"],
)
def test_strangers_ping_no_private_address(visitor: Visitor, host: str) -> None:
    with visitor.connect() as page:
        page.say(event="my_event", host=host, count=1)
        refusal = page.hear()
    assert (refusal["event"], refusal["code"]) == ("error", "bad_host" if ":ffff" in host else "not_allowed")


def test_forged_headers_make_nobody_staff_or_local(visitor: Visitor) -> None:
    headers = dict.fromkeys(FORGED, "127.0.0.1")
    with visitor.connect(**headers) as page:
        page.say(event="my_event", host="127.0.0.1", count=1)
        assert page.hear()["code"] == "not_allowed"
    assert visitor.get("/readyz", **headers).status == 403


def test_forged_headers_evade_no_limit(staff: Visitor) -> None:
    answers = []
    for number in range(32):
        with staff.connect(**dict.fromkeys(FORGED, f"198.51.100.{number}")) as page:
            page.say(event="my_event", host="127.0.0.1", count=1, interval=10, timeout=0.1)
            answers.append(page.hear())
            if answers[-1]["event"] == "started":
                page.hear_lines()
    assert [answer["event"] for answer in answers] == ["started"] * 30 + ["error"] * 2
    assert answers[-1]["code"] == "too_fast"
    assert 0 < answers[-1]["retry_after"] <= 60


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:{port}", "https://localhost", "null", ""])
def test_foreign_pages_get_no_socket(visitor: Visitor, site: Deployment, origin: str) -> None:
    assert visitor.knock(origin=origin.format(port=site.port)) in {400, 403}
    assert visitor.knock() == 101, "the site's own page gets one"
