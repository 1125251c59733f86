"""Strict readers of environment variables: a value that makes no sense stops the start with a sentence."""

import difflib
import os
import re
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from monitor.ping.host import BadHost, parse_host

PREFIX = "PINGSITE_"
# float() and int() take more: "1_0", "nan", digits of every script.
NUMBER = re.compile(r"[0-9]*\.?[0-9]+", re.ASCII)
INTEGER = re.compile(r"[0-9]{1,18}", re.ASCII)
DEFAULT_PORTS = {"http": 80, "https": 443}
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
NO_MAIL = {
    "EMAIL_HOST": "", "EMAIL_PORT": 25, "EMAIL_HOST_USER": "", "EMAIL_HOST_PASSWORD": "",
    "EMAIL_USE_TLS": False, "EMAIL_USE_SSL": False,
}  # fmt: skip
_known: set[str] = set()


def read_text(name: str, default: str, *, choices: tuple[str, ...] = ()) -> str:
    """The value of PINGSITE_<name>, one of `choices` where given."""
    value = _read(name, default)
    if choices and value not in choices:
        raise _complaint(name, f"one of {', '.join(choices)}", value)
    return value


def read_number(name: str, default: float, *, least: float, most: float) -> float:
    """The value of PINGSITE_<name> as a number within [least, most]."""
    text = _read(name, str(default))
    if not NUMBER.fullmatch(text) or not least <= float(text) <= most:
        raise _complaint(name, f"a number from {least:g} to {most:g}", text)
    return float(text)


def read_integer(name: str, default: int, *, least: int, most: int) -> int:
    """The value of PINGSITE_<name> as a whole number within [least, most]."""
    text = _read(name, str(default))
    if not INTEGER.fullmatch(text) or not least <= int(text) <= most:
        raise _complaint(name, f"a whole number from {least} to {most}", text)
    return int(text)


def read_host(name: str, default: str) -> str:
    """The value of PINGSITE_<name> as it was typed, an address or host name that could be pinged."""
    text = _read(name, default)
    try:
        parse_host(text)
    except BadHost as bad:
        raise ImproperlyConfigured(f"{PREFIX}{name}: {bad}") from None
    return text


def read_origins(name: str) -> list[str]:
    """The comma-separated web origins in PINGSITE_<name>, each as browsers write it and in no other way: they are
    compared as whole strings."""
    origins = [part.strip() for part in _read(name, "").split(",") if part.strip()]
    for origin in origins:
        if origin != _rebuild_origin(origin):
            raise _complaint(name, "origins such as https://ping.example.org, separated by commas", origin)
    return origins


def take_host(origin: str) -> str:
    """The host of an origin as ALLOWED_HOSTS has it: without the port, an IPv6 address in brackets."""
    return re.sub(r":[0-9]+$", "", urlsplit(origin).netloc)


def read_url(name: str, default: str, schemes: tuple[str, ...]) -> str:
    """The value of the variable `name`, a URL of one of the schemes, or the default where unset or empty."""
    value = os.environ.get(name, "").strip() or default
    if value and not _is_url(value, schemes):
        beginnings = " or ".join(f"{scheme}://" for scheme in schemes)
        # The value is not shown: there may be a password in it.
        raise ImproperlyConfigured(f"{name} must begin with {beginnings}, and its port, if any, must be a number.")
    return value


def read_database(name: str, default: str) -> dict[str, Any]:
    """The database of the URL in the variable `name`, as Django's DATABASES has it: a file, or PostgreSQL."""
    url = read_url(name, default, ("sqlite", "postgres", "postgresql"))
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        # Every thread would have an in-memory database of its own.
        if parts.netloc or not parts.path.strip("/") or ":memory:" in parts.path:
            raise ImproperlyConfigured(
                f"{name} must name a file, as sqlite:////var/lib/pingsite/pingsite.sqlite3 does."
            )
    elif not find_spec("psycopg"):
        cure = ".venv/bin/python -m pip install --require-hashes -r requirements-postgres.txt"
        raise ImproperlyConfigured(f"{name} needs psycopg, which is not installed: {cure}")
    elif not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} must name a database, as postgres://user@localhost/pingsite does.")
    return Env.db_url_config(url)


def read_email(name: str) -> dict[str, Any]:
    """The mail server of the URL in PINGSITE_<name> as Django's EMAIL settings have it; none where unset or empty."""
    _register(name)
    url = read_url(PREFIX + name, "", ("smtp", "smtp+tls", "smtp+ssl"))
    if not url:
        return dict(NO_MAIL)
    if not urlsplit(url).hostname:
        raise ImproperlyConfigured(f"{PREFIX}{name} must name a server, as smtp+tls://user:password@host:587 does.")
    found = {key: value for key, value in Env.email_url_config(url).items() if key in NO_MAIL and value is not None}
    return NO_MAIL | found | {"EMAIL_PORT": urlsplit(url).port or MAIL_PORTS[urlsplit(url).scheme]}


def read_folder(name: str, default: Path) -> Path:
    """The folder PINGSITE_<name>, the default where unset or empty, made where it is missing, for nobody but its
    owner."""
    path = Path(_read(name, "") or default).resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"The folder {path} cannot be made: {error.strerror}.") from None
    return path


def read_secret(name: str, folder: Path) -> str:
    """The value of PINGSITE_<name>, else a key kept in `folder`, made there (0600) at the first start."""
    if value := os.environ.get(_register(name), ""):
        return value
    path = folder / "secret_key"
    try:
        if not path.exists():
            _create(path, secrets.token_urlsafe(50))
        key = path.read_text("utf-8")
    except OSError as error:
        raise ImproperlyConfigured(f"The data folder {folder} cannot be used: {error.strerror}.") from None
    except UnicodeDecodeError:
        key = ""
    if not key.strip():
        raise ImproperlyConfigured(f"There is no key in {path}: delete the file, and the next start makes one.")
    return key


def find_unknown() -> dict[str, str]:
    """Variables that begin as ours do and are read by nothing, each with the likeliest meant name or ""."""
    strange = [name for name in os.environ if name.startswith(PREFIX) and name not in _known]
    return {name: next(iter(difflib.get_close_matches(name, _known, 1)), "") for name in strange}


def _rebuild_origin(text: str) -> str:
    """The origin in the one way browsers write it, "" where there is none."""
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parse_host(parts.hostname or "")
    except ValueError:  # BadHost is one
        return ""
    # Django answers no host with an underscore.
    if parts.scheme not in DEFAULT_PORTS or "_" in host:
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}")


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    scheme, separator, _ = text.partition("://")
    try:
        _ = urlsplit(text).port
    except ValueError:
        return False
    return bool(separator) and scheme in schemes


def _create(path: Path, text: str) -> None:
    # Two processes may start at once: a link made from a complete file is all or nothing.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(0o600)
    draft.write_text(text)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _read(name: str, default: str) -> str:
    return os.environ.get(_register(name), default).strip()


def _register(name: str) -> str:
    _known.add(PREFIX + name)
    return PREFIX + name


def _complaint(name: str, expected: str, got: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{PREFIX}{name} must be {expected}; it is {got!r}.")
