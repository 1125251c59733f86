"""Who may connect, and where to."""

import pytest
from pytest_django import Settings

from tests.site.conftest import Browser, site

OWN = b"http://127.0.0.1:8000"

pytestmark = pytest.mark.django_db(transaction=True)


def headers(origin: bytes | None, host: bytes = b"127.0.0.1:8000") -> list[tuple[bytes, bytes]]:
    return [(b"host", host)] + ([(b"origin", origin)] if origin is not None else [])


@pytest.mark.parametrize("host", [b"127.0.0.1:8000", b"localhost:8000", b"[::1]:8000"])
async def test_our_own_page_may_connect(host: bytes) -> None:
    async with site() as application:
        browser = Browser(application, headers=headers(b"http://" + host, host))
        assert (await browser.connect())[0]
        await browser.disconnect()


@pytest.mark.parametrize(
    "origin",
    [
        None, b"", b"null", b"http://evil.example", b"http://127.0.0.1:9999", b"http://127.0.0.1", b"https://127.0.0.1:8000",
        b"http://localhost:8000", b"http://127.0.0.1:8000.evil.example", b"http://127.0.0.1:8000@evil.example", b"127.0.0.1:8000",
        b"http://[::bad", b"http://127.0.0.1:99999999", b"ftp://127.0.0.1:8000", b"\xff\xfe", b"http://127.0.0.1:8000/",
    ],
)  # fmt: skip
async def test_a_foreign_page_may_not(origin: bytes | None) -> None:
    async with site() as application:
        connected, code = await Browser(application, headers=headers(origin)).connect()
    assert not connected
    assert code == 1000  # denied in the handshake: a browser sees 403


async def test_a_foreign_name_that_leads_here_may_not() -> None:
    async with site() as application:
        rebound = headers(b"http://evil.example:8000", b"evil.example:8000")
        assert not (await Browser(application, headers=rebound).connect())[0]


async def test_a_deployed_site_takes_its_own_origins_only(settings: Settings) -> None:
    settings.PINGSITE_ORIGINS = ["https://ping.example.org"]
    async with site() as application:
        for origin, welcome in {
            b"https://ping.example.org": True,
            b"http://ping.example.org": False,
            OWN: False,
        }.items():
            browser = Browser(application, headers=headers(origin))
            assert (await browser.connect())[0] is welcome
            await browser.disconnect()


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/ping", "/ws/ping/x", "/ws/%00/", "/wp-admin", "/ws/ping/../"])
async def test_an_unknown_path_closes_with_a_code_that_says_so(path: str) -> None:
    async with site() as application:
        browser = Browser(application, path=path)
        assert (await browser.connect())[0]
        assert await browser.receive_output() == {"type": "websocket.close", "code": 4404}
