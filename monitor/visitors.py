"""Who asks: what their requests are counted by, which addresses they may ping, what they may see and change."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels.auth import get_user
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from monitor.ping.host import Policy


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks: `client` is what the limits count by."""

    client: str
    policy: Policy


async def visitor_of_scope(scope: Mapping[str, Any]) -> Visitor:
    """The visitor behind a socket. Asked anew at each run: somebody may have signed out since the socket opened."""
    return Visitor(client_of_scope(scope), choose_policy(_address_of_scope(scope), await _user_of_scope(scope)))


def visitor_of_request(request: HttpRequest) -> Visitor:
    """The visitor behind an HTTP request."""
    address = request.META.get("REMOTE_ADDR") or ""
    return Visitor(client_key(address), choose_policy(address, request.user))


async def may_look_in_scope(scope: Mapping[str, Any]) -> bool:
    """Whether the visitor behind a socket may see the watched hosts."""
    return may_look(await _user_of_scope(scope))


def may_look(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether somebody may see the watched hosts: whoever signed in, and everybody where the board is public."""
    return bool(settings.PINGSITE_PUBLIC_BOARD or (user.is_authenticated and user.is_active))


def may_change(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether somebody may add, change and delete watched hosts."""
    return bool(user.is_active and getattr(user, "is_staff", False))


def client_of_scope(scope: Mapping[str, Any]) -> str:
    """What the limits count the other end of a socket by."""
    return client_key(_address_of_scope(scope))


def client_key(address: str) -> str:
    """Whom an address is counted as: an IPv4 address itself, an IPv6 address by its /64, which is one subscriber."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if mapped := getattr(parsed, "ipv4_mapped", None):
        return str(mapped)
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


def choose_policy(address: str, user: AbstractBaseUser | AnonymousUser) -> Policy:
    """What somebody at this address may ping. A site that was given no origins serves its own machine: to anybody
    from elsewhere it is as strict as one on the internet."""
    # Whoever has yet to choose a password of their own has no rights yet.
    if user.is_active and getattr(user, "is_staff", False) and not getattr(user, "password_is_one_time", False):
        return Policy.UNICAST
    policy = Policy(settings.PINGSITE_ANONYMOUS_MAY_PING)
    if settings.PINGSITE_LOCAL and policy is Policy.UNICAST and not _is_loopback(address):
        return Policy.GLOBAL
    return policy


async def _user_of_scope(scope: Mapping[str, Any]) -> AbstractBaseUser | AnonymousUser:
    # Not the middleware of sessions, which looks at the session again with every message that is sent.
    key = scope["cookies"].get(settings.SESSION_COOKIE_NAME)
    return await get_user({"session": SessionStore(key)}) if key else AnonymousUser()


def _address_of_scope(scope: Mapping[str, Any]) -> str:
    # A socket that came through a Unix socket has no address of its own.
    return str((scope.get("client") or [""])[0])


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
