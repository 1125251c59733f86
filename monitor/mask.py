"""Takes a channel's secrets out of what a service said, which may repeat them."""

import re
from urllib.parse import unquote, urlsplit

HIDDEN = "•••"
# Shorter pieces give nothing away, and are in every sentence.
SHORTEST = 3
BREAKS = re.compile(r"[\s/:@?&=,;#]+")
BETWEEN_MAILS = re.compile(r"[\s,;]+")


def mask(text: str, *secrets: str) -> str:
    """The text without any of the secrets, their parts, and these as they look unquoted."""
    pieces = {piece for secret in secrets for piece in _split(secret)}
    for piece in sorted(pieces, key=len, reverse=True):
        text = re.sub(re.escape(piece), HIDDEN, text, flags=re.IGNORECASE)
    return text


def place(kind: str, address: str) -> str:
    """Where an address leads, as far as that is no secret: a service, an origin, the domains of e-mail addresses."""
    if kind == "email":
        domains = (each.rpartition("@")[2] for each in BETWEEN_MAILS.split(address.strip()))
        return ", ".join(dict.fromkeys(f"{HIDDEN}@{domain}" for domain in domains))
    parts = urlsplit(address)
    if kind == "webhook":
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    # The host of an Apprise URL may be a token.
    return f"{parts.scheme}://{HIDDEN}"


def _split(secret: str) -> set[str]:
    secret = secret.strip()
    rest = secret.rpartition("://")[2]
    found = {secret, rest, *BREAKS.split(rest)}
    return {piece for each in found for piece in (each, unquote(each)) if len(piece) >= SHORTEST}
