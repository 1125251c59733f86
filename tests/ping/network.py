"""Fixtures that lend out networks of our own making; they need root."""

from collections.abc import Iterator

import pytest

from tests.needs import need
from tests.ping.namespaces import FORBID, Namespace, Routed, Truth

__all__ = ["FORBID", "Namespace", "Routed", "Truth", "alone", "routed", "truth"]


@pytest.fixture(scope="session")
def truth() -> Iterator[Truth]:
    """Lend the network whose addresses say how its hosts answer."""
    need("ip", "sysctl", root=True)
    network = Truth()
    yield network
    network.delete()


@pytest.fixture(scope="session")
def routed() -> Iterator[Routed]:
    """Lend a client, a router and a server."""
    need("ip", "sysctl", root=True)
    network = Routed()
    yield network
    network.delete()


@pytest.fixture
def alone() -> Iterator[Namespace]:
    """Lend an empty namespace to do harm in."""
    need("ip", "sysctl", root=True)
    namespace = Namespace("alone")
    yield namespace
    namespace.delete()
