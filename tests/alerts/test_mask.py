"""Secrets that a service repeats, in every way in which it may: whole, in parts, quoted, in a header."""

from base64 import b64encode
from urllib.parse import quote

import pytest

from monitor.mask import HIDDEN, mask, place

TOKEN = "T0PSECRET-of-alice"
ADDRESS = f"https://alice:pass%20word@example.org/hooks/{TOKEN}?key=k%2Fey-é"


@pytest.mark.parametrize(
    "said",
    [
        ADDRESS,
        ADDRESS.upper(),
        f"404: no hook {TOKEN}",
        "Authorization: Basic " + b64encode(b"alice:pass word").decode(),
        "key=k/ey-é",
        "key=" + quote("k/ey-é", safe=""),
        "pass word",
    ],
)
def test_what_is_secret_is_not_said_again_in_whatever_way(said: str) -> None:
    shown = mask(f"200 OK: you said {said}!", ADDRESS).lower()
    for secret in (TOKEN, "alice", "pass", b64encode(b"alice:pass word").decode()[:-2], "ey-é", "ey-%c3%a9"):
        assert secret.lower() not in shown, (secret, shown)


@pytest.mark.parametrize(
    ("kind", "address", "shown"),
    [
        ("webhook", f"https://alice:secret@example.org:8443/{TOKEN}", "https://example.org:8443"),
        ("apprise", f"slack://{TOKEN}/x", f"slack://{HIDDEN}"),
        ("apprise", f"jsons://{TOKEN}@[::1", f"jsons://{HIDDEN}"),
        ("apprise", TOKEN, f"://{HIDDEN}"),
        ("email", "alice@example.org, bob@example.org;carol@example.net", "•••@example.org, •••@example.net"),
    ],
)
def test_where_an_address_leads_is_shown_as_far_as_that_is_no_secret(kind: str, address: str, shown: str) -> None:
    assert place(kind, address) == shown


def test_what_is_no_secret_stays() -> None:
    assert mask("The mail server took it.", "it.support@example.org") == "The mail server took it."
    assert mask("404 Not Found: try again in 5 s.", ADDRESS, "s" * 64) == "404 Not Found: try again in 5 s."
