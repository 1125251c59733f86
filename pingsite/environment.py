"""Strict readers of environment variables: a value that makes no sense stops the start with a sentence."""

import difflib
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ENV = environ.Env()
PREFIX = "PINGSITE_"
_known: set[str] = set()


def read_text(name: str, default: str, *, choices: tuple[str, ...] = ()) -> str:
    """The value of PINGSITE_<name>, one of `choices` where given."""
    value = ENV.str(_register(name), default=default).strip()
    if choices and value not in choices:
        raise _complaint(name, f"one of {', '.join(choices)}", value)
    return value


def read_number(name: str, default: float, *, least: float, most: float) -> float:
    """The value of PINGSITE_<name> as a number within [least, most]."""
    text = ENV.str(_register(name), default=str(default)).strip()
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise _complaint(name, f"a number from {least:g} to {most:g}", text)
    return value


def read_integer(name: str, default: int, *, least: int, most: int) -> int:
    """The value of PINGSITE_<name> as a whole number within [least, most]."""
    text = ENV.str(_register(name), default=str(default)).strip()
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise _complaint(name, f"a whole number from {least} to {most}", text)
    return int(text)


def read_origins(name: str) -> list[str]:
    """The comma-separated web origins in PINGSITE_<name>, each scheme://host[:port] and nothing more."""
    origins = [part.strip() for part in ENV.str(_register(name), default="").split(",") if part.strip()]
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
            raise _complaint(name, "origins such as https://ping.example.org, separated by commas", origin)
    return origins


def read_url(name: str, default: str, schemes: tuple[str, ...]) -> str:
    """The value of the variable `name`, a URL of one of the schemes, or the default where unset or empty."""
    value = ENV.str(name, default="").strip() or default
    if value and value.split("://")[0] not in schemes:
        raise ImproperlyConfigured(f"{name} must begin with {' or '.join(f'{s}://' for s in schemes)}.")
    return value


def make_folder(path: Path) -> Path:
    """The folder, made where it is missing, for nobody but its owner."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"The folder {path} cannot be made: {error.strerror}.") from None
    return path


def read_secret(name: str, folder: Path) -> str:
    """The value of PINGSITE_<name>, else a key kept in `folder`, made there (0600) at the first start."""
    value = ENV.str(_register(name), default="")
    if value:
        return value
    path = folder / "secret_key"
    try:
        if not path.exists():
            _create(path, secrets.token_urlsafe(50))
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(f"The data folder {folder} cannot be used: {error.strerror}.") from None


def find_unknown() -> dict[str, str]:
    """Variables that begin as ours do and are read by nothing, each with the likeliest meant name or ""."""
    strange = [name for name in os.environ if name.startswith(PREFIX) and name not in _known]
    return {name: next(iter(difflib.get_close_matches(name, _known, 1)), "") for name in strange}


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


def _register(name: str) -> str:
    _known.add(PREFIX + name)
    return PREFIX + name


def _complaint(name: str, expected: str, got: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{PREFIX}{name} must be {expected}; it is {got!r}.")
