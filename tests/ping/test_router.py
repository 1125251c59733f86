"""Three real machines' worth of network stacks in a row, and a router that refuses in every way it knows."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.ping.desk import Engine
from monitor.ping.reply import Reply, Status
from monitor.ping.target import Target
from tests.needs import need
from tests.ping.conftest import KINDS, SOCKETS, engine_in
from tests.ping.network import Routed

SERVER = {"4": "10.2.0.2", "6": "fd02::2"}
ROUTER = {"4": "10.1.0.1", "6": "fd01::1"}


@pytest.fixture(scope="module", params=KINDS)
def client(request: pytest.FixtureRequest, routed: Routed) -> Iterator[Engine]:
    """Lend an engine of each kind in the client's namespace."""
    with engine_in(routed.client, request.param) as engine:
        yield engine


def echo(engine: Engine, address: str, **options: Any) -> Reply:
    return asyncio.run(engine.echo(address, **options))


@pytest.mark.parametrize("family", ["4", "6"])
def test_the_server_answers_through_the_router(client: Engine, family: str) -> None:
    reply = echo(client, SERVER[family])

    assert (reply.status, reply.source, reply.ttl) == (Status.REPLY, SERVER[family], 63)


@pytest.mark.parametrize("family", ["4", "6"])
def test_a_packet_that_may_hop_once_names_the_first_router(client: Engine, family: str) -> None:
    reply = echo(client, SERVER[family], ttl=1)

    assert (reply.status, reply.source) == (Status.TIME_EXCEEDED, ROUTER[family])


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("10.3.1.1", Status.HOST_UNREACHABLE),
        ("10.3.2.1", Status.PROHIBITED),
        ("10.3.3.1", Status.TIMEOUT),
        ("10.9.9.9", Status.NET_UNREACHABLE),
        ("fd03:1::1", Status.NET_UNREACHABLE),
        ("fd03:2::1", Status.PROHIBITED),
        ("fd03:3::1", Status.TIMEOUT),
        ("fd09::9", Status.NET_UNREACHABLE),
    ],
)
def test_a_route_of_the_router_says_why_there_is_none(client: Engine, address: str, status: Status) -> None:
    # Linux says so to each asker at most once a second, after the first few.
    for _ in range(5):
        reply = echo(client, address, timeout=0.5)
        if reply.status is status:
            break
        time.sleep(0.5)

    assert reply.status is status
    assert reply.source == (None if status is Status.TIMEOUT else ROUTER["6" if ":" in address else "4"])


def test_a_host_that_is_not_on_its_link_is_unreachable(routed: Routed) -> None:
    # The kernel looks for a neighbour for three seconds before it gives up: all at the same time.
    async def ask(engines: list[Engine]) -> list[tuple[Status, str | None]]:
        hosts = ("10.2.0.77", "fd02::77", "10.1.0.77")
        replies = await asyncio.gather(*(engine.echo(host, timeout=10) for engine in engines for host in hosts))
        return [(reply.status, reply.source) for reply in replies]

    with engine_in(routed.client, "datagram") as datagram, engine_in(routed.client, "raw") as raw:
        outcomes = asyncio.run(ask([datagram, raw]))

    assert outcomes == [(Status.HOST_UNREACHABLE, source) for source in (*ROUTER.values(), "10.1.0.2")] * 2


@pytest.mark.parametrize("kind", SOCKETS)
def test_a_packet_too_big_for_the_next_link_is_told_so(routed: Routed, kind: str) -> None:
    routed.client.run("ip", "route", "flush", "cache")
    with engine_in(routed.client, kind) as engine:
        first = echo(engine, SERVER["4"], size=1400, dont_fragment=True)
        second = echo(engine, SERVER["4"], size=1400, dont_fragment=True)
        whole = echo(engine, SERVER["4"], size=1200, dont_fragment=True)

    assert (first.status, first.source) == (Status.TOO_BIG, ROUTER["4"])
    # By now this machine knows the width of the path, and says so itself.
    assert (second.status, second.source) == (Status.TOO_BIG, None)
    assert whole.status is Status.REPLY


@pytest.mark.parametrize("size", [1400, 4_000, 30_000])
@pytest.mark.parametrize("family", ["4", "6"])
@pytest.mark.parametrize("kind", SOCKETS)
def test_a_packet_that_may_be_cut_in_pieces_comes_back_whole(routed: Routed, kind: str, family: str, size: int) -> None:
    with engine_in(routed.client, kind) as engine:
        echo(engine, SERVER[family], size=1400)
        reply = echo(engine, SERVER[family], size=size)

    assert (reply.status, reply.size) == (Status.REPLY, size + 8)


@pytest.mark.parametrize(
    ("reject", "status"),
    [
        ("icmp type admin-prohibited", Status.PROHIBITED),
        ("icmp type port-unreachable", Status.PORT_UNREACHABLE),
        ("icmp type net-unreachable", Status.NET_UNREACHABLE),
    ],
)
def test_a_firewall_on_the_way_is_a_reason_of_its_own(
    routed: Routed, client: Engine, reject: str, status: Status
) -> None:
    need("nft")
    routed.router.run("nft", "add table ip f; add chain ip f w { type filter hook forward priority 0; }")
    try:
        routed.router.run("nft", f"add rule ip f w ip protocol icmp reject with {reject}")
        assert echo(client, SERVER["4"]).status is status
    finally:
        routed.router.run("nft", "delete table ip f")
    assert echo(client, SERVER["4"]).status is Status.REPLY


@pytest.mark.parametrize("kind", SOCKETS)
def test_an_interface_may_go_down_and_come_back(routed: Routed, kind: str) -> None:
    with engine_in(routed.client, kind) as engine:
        before = echo(engine, ROUTER["4"])
        routed.client.ip("link set to-router down")
        down = echo(engine, ROUTER["4"], timeout=0.3)
        routed.client.ip(
            "link set to-router up",
            "addr add fd01::2/64 dev to-router nodad",
            "route add default via 10.1.0.1",
            "route add default via fd01::1",
        )
        after = [echo(engine, address, timeout=5) for address in (ROUTER["4"], *SERVER.values())]

    assert (before.status, down.status) == (Status.REPLY, Status.NO_ROUTE)
    assert [reply.status for reply in after] == [Status.REPLY] * 3


@pytest.mark.parametrize("kind", SOCKETS)
def test_a_changed_source_address_is_no_trouble(routed: Routed, kind: str) -> None:
    with engine_in(routed.client, kind) as engine:
        before = echo(engine, SERVER["4"])
        routed.client.ip("addr add 10.1.0.3/24 dev to-router", "addr delete 10.1.0.2/24 dev to-router")
        try:
            routed.client.ip("route replace default via 10.1.0.1 src 10.1.0.3")
            after = echo(engine, SERVER["4"])
        finally:
            routed.client.ip("addr add 10.1.0.2/24 dev to-router", "addr delete 10.1.0.3/24 dev to-router")
            routed.client.ip("route replace default via 10.1.0.1")

    assert [before.status, after.status] == [Status.REPLY] * 2


@pytest.mark.parametrize("kind", SOCKETS)
def test_options_are_on_the_wire(routed: Routed, kind: str) -> None:
    target = Target(SERVER["4"], ttl=9, dscp=46, dont_fragment=True, source="10.1.0.2")
    with routed.server.inside():
        listener = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    with listener, engine_in(routed.client, kind) as engine:
        listener.settimeout(20)
        options = {name: getattr(target.options, name) for name in ("ttl", "dscp", "dont_fragment", "source")}
        reply = echo(engine, target.address, **options)
        packet = listener.recv(2048)

    assert reply.status is Status.REPLY
    assert (packet[1] >> 2, packet[6] & 0x40, packet[8]) == (46, 0x40, 8)
    assert socket.inet_ntoa(packet[12:16]) == "10.1.0.2"


@pytest.mark.parametrize("kind", SOCKETS)
def test_options_of_ipv6_are_on_the_wire(routed: Routed, kind: str) -> None:
    with routed.server.inside():
        listener = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    for option in (socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS):
        listener.setsockopt(socket.IPPROTO_IPV6, option, 1)
    with listener, engine_in(routed.client, kind) as engine:
        listener.settimeout(20)
        reply = echo(engine, SERVER["6"], ttl=9, dscp=46, source="fd01::2")
        data = b""
        while data[:1] != b"\x80":
            data, control, _, sender = listener.recvmsg(2048, 256)

    assert reply.status is Status.REPLY
    assert sender[0] == "fd01::2"
    assert [value[0] for _, _, value in control] == [8, 46 << 2]


@pytest.mark.parametrize("kind", SOCKETS)
def test_a_source_that_is_not_ours_or_a_device_that_is_not_there_sends_nothing(routed: Routed, kind: str) -> None:
    with engine_in(routed.client, kind) as engine:
        replies = [
            echo(engine, SERVER["4"], source="10.9.9.9"),
            echo(engine, SERVER["4"], interface="nowhere0"),
        ]

    assert not any(reply.status is Status.REPLY for reply in replies)
    assert not any(reply.status is Status.TIMEOUT for reply in replies)
