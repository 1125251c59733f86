"""Takes a channel's secrets out of what a service said, which may repeat them."""

import re
from base64 import b64encode
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "•••"
# Shorter pieces give nothing away, and are in every sentence.
SHORTEST = 3
BREAKS = re.compile(r"[\s/:@?&=,;#]+")
BETWEEN_MAILS = re.compile(r"[\s,;]+")


def mask(text: str, *secrets: str) -> str:
    """The text without any of the secrets, their parts, and these as they look quoted, unquoted and in a header."""
    pieces = {piece for secret in secrets for piece in _split(secret)}
    for piece in sorted(pieces, key=len, reverse=True):
        text = re.sub(re.escape(piece), HIDDEN, text, flags=re.IGNORECASE)
    return text


def place(kind: str, address: str) -> str:
    """Where an address leads, as far as that is no secret: a service, an origin, the domains of e-mail addresses."""
    if kind == "email":
        domains = (each.rpartition("@")[2] for each in BETWEEN_MAILS.split(address.strip()))
        return ", ".join(dict.fromkeys(f"{HIDDEN}@{domain}" for domain in domains))
    if kind == "webhook":
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    # The host of an Apprise URL may be a token.
    scheme, mark, _ = address.partition("://")
    return f"{scheme if mark else ''}://{HIDDEN}"


def _split(secret: str) -> set[str]:
    secret = secret.strip()
    rest = secret.rpartition("://")[2]
    person = unquote(rest.partition("/")[0].rpartition("@")[0])
    # A service that repeats what it was sent repeats the header of a name and a password.
    header = b64encode(person.encode(errors="replace")).decode().rstrip("=")
    found = {secret, rest, header, *BREAKS.split(rest)}
    return {way for each in found for way in (each, *_list_ways(unquote(each))) if len(way) >= SHORTEST}


def _list_ways(plain: str) -> tuple[str, ...]:
    return plain, quote(plain, errors="replace"), quote(plain, safe="", errors="replace")
