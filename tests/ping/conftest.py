"""Engines of each kind, inside the networks of the tests."""

import contextlib
from collections.abc import Iterator

import pytest

from monitor.ping.choice import open_engine
from monitor.ping.desk import Engine
from tests.needs import need
from tests.ping.network import Namespace, Truth, alone, routed, truth

__all__ = ["alone", "routed", "truth"]

KINDS = ("datagram", "raw", "command")
SOCKETS = ("datagram", "raw")


@contextlib.contextmanager
def engine_in(namespace: Namespace, kind: str, **options: float) -> Iterator[Engine]:
    """Open an engine of this kind in a namespace, for a while."""
    if kind == "command":
        need("ping")
    executor = namespace.executor()
    with namespace.inside():
        engine = open_engine(executor, prefer=kind, **options)
    try:
        assert engine.name == kind
        yield engine
    finally:
        engine.close()
        executor.shutdown()


@pytest.fixture(scope="module", params=KINDS)
def engine(request: pytest.FixtureRequest, truth: Truth) -> Iterator[Engine]:
    """Lend an engine of each kind in the network of truth."""
    with engine_in(truth, request.param) as opened:
        yield opened


@pytest.fixture(scope="module", params=SOCKETS)
def sockets(request: pytest.FixtureRequest, truth: Truth) -> Iterator[Engine]:
    """Lend an engine of each kind that has sockets, in the network of truth."""
    with engine_in(truth, request.param) as opened:
        yield opened
