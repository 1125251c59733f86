"""What nginx adds to the site and what it keeps from it."""

import http.client
from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosed

from tests.deploy.deployment import Deployment
from tests.deploy.visitor import Visitor, find_static, upgrade


def test_the_page_comes_over_https_and_says_so(visitor: Visitor) -> None:
    page = visitor.get("/home")
    assert page.status == 200
    assert "max-age" in page.headers["Strict-Transport-Security"]
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Server"] == "nginx"


def test_plain_http_leads_to_https(site: Deployment) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.http_port, timeout=10)
    connection.request("GET", "/home?x=1", headers={"Host": "evil.example"})
    answer = connection.getresponse()
    connection.close()
    assert (answer.status, answer.headers["Location"]) == (301, f"{site.origin}/home?x=1")


def test_static_files_come_from_nginx_and_are_kept_for_ever(visitor: Visitor, site: Deployment) -> None:
    address = find_static(visitor.get("/home"), "pingsite.css")
    plain = visitor.get(address)
    packed = visitor.get(address, Accept_Encoding="gzip")
    assert plain.text == (site.folder / "static" / "pingsite.css").read_text()
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("name", ["js/page.js", "vendor/uplot-1.6.32/uPlot.iife.min.js"])
def test_scripts_have_a_type_that_browsers_run(visitor: Visitor, name: str) -> None:
    script = visitor.get(find_static(visitor.get("/home"), name))
    assert script.status == 200
    assert "javascript" in script.headers["Content-Type"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/000000000000/../../data/secret_key",
        "/static/000000000000/%2e%2e/%2e%2e/data/secret_key",
        "/static/000000000000//../data/secret_key",
        "/static/000000000000/..%2f..%2fdata/secret_key",
        "/static/../data/secret_key",
        "/static/000000000000/none.css",
        "/static/pingsite.css",
    ],
)
def test_nothing_beside_the_static_files_is_served(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert page.status in (400, 404)
    assert "immutable" not in page.headers.get("Cache-Control", "")


def test_a_query_string_is_not_logged(visitor: Visitor, site: Deployment) -> None:
    visitor.get("/home?secret=hunter2")
    log = (site.folder / "access.log").read_text()
    assert f"{visitor.address} " in log
    assert "hunter2" not in log


def test_forms_are_limited_before_they_reach_the_site(visitor: Visitor) -> None:
    statuses = [visitor.post("/home", {"host": "127.0.0.1"}).status for _ in range(14)]
    # Without the page's cookie the site itself answers 403.
    assert statuses[:10] == [403] * 10
    assert 429 in statuses[10:]
    assert visitor.get("/home").status == 200


def test_guesses_at_a_password_are_limited(visitor: Visitor) -> None:
    statuses = [visitor.post("/admin/login/", {"username": "admin", "password": "x"}).status for _ in range(9)]
    assert statuses[:5] == [403] * 5
    assert 429 in statuses[5:]


def test_a_client_has_at_most_fifty_sockets(visit: Callable[[], Visitor]) -> None:
    greedy, other = visit(), visit()
    connections = [greedy.dial() for _ in range(50)]
    tls = greedy.tls()
    sockets = [tls.wrap_socket(connection, server_hostname="localhost") for connection in connections]
    try:
        for each in sockets:
            assert upgrade(each, greedy.origin) == 101
        assert greedy.knock() == 429
        with other.connect():
            pass
    finally:
        for each in sockets:
            each.close()


def test_only_the_path_of_sockets_is_upgraded(visitor: Visitor) -> None:
    assert visitor.knock("/elsewhere/") == 404
    with visitor.connect("/ws/elsewhere/") as page, pytest.raises(ConnectionClosed, match="4404"):
        page.hear()


def test_readiness_is_for_this_machine_alone(visitor: Visitor) -> None:
    assert visitor.get("/readyz").status == 403
    assert visitor.get("/healthz").status == 200
    ready = visitor.at("127.0.0.1").get("/readyz")
    assert (ready.status, ready.text.count('"ok"')) == (200, 4)
