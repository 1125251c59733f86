"""Bytes: what we send, and that no bytes of anybody else count as an answer to it."""

import asyncio
import ipaddress
import socket
import struct
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.ping.airspace import Airspace
from monitor.ping.arrival import Arrival
from monitor.ping.course import Course, Flight
from monitor.ping.engine import SocketEngine
from monitor.ping.filter import build_filter
from monitor.ping.icmp import (
    REPLY,
    REQUEST,
    V4,
    V6,
    build_echo,
    checksum,
    error_status,
    parse_answer,
    parse_quote,
    seal,
    strip_header,
)
from monitor.ping.reply import Reply, Status
from monitor.ping.target import Target
from tests.ping.conftest import engine_in
from tests.ping.network import Namespace
from tests.ping.responder import add_up

IDENT = 4242
ADDRESS = {V4: "192.0.2.7", V6: "2001:db8::7"}
families = st.sampled_from([V4, V6])
words = st.integers(0, 0xFFFF)


def in_flight(family: int, index: int = 0, size: int = 56) -> tuple[Airspace, Flight]:
    """Return the books with one echo in the air, and that echo."""
    airspace = Airspace()
    flight = Course(Target(ADDRESS[family], size=size), print, index=index).step(0)
    airspace.check_in([flight])
    airspace.depart([flight], 0, 0)
    return airspace, flight


def find(airspace: Airspace, family: int, message: bytes, sender: str) -> Status | None:
    """Return what a message from `sender` means to the books, None for nothing."""
    if (answer := parse_answer(family, message)) is None:
        return None
    found = airspace.find(
        Arrival(*answer, socket.inet_pton(V6 if ":" in sender else V4, sender), None, 0, len(message)), IDENT
    )
    return found[1] if found else None


def sound_answer(family: int, flight: Flight) -> bytes:
    request = build_echo(family, IDENT, flight.sequence, flight.payload)
    return bytes([REPLY[family]]) + request[1:]


@given(st.binary(max_size=200).filter(any))
def test_the_checksum_is_the_one_of_rfc_1071(data: bytes) -> None:
    assert checksum(data) == add_up(data)


@given(words, words, st.binary(max_size=100))
def test_a_sealed_request_has_no_checksum_left(ident: int, sequence: int, payload: bytes) -> None:
    request = seal(build_echo(V4, ident, sequence, payload))

    assert checksum(request) == 0
    assert struct.unpack_from("!BBxxHH", request) == (8, 0, ident, sequence)
    assert request[8:] == payload


@given(families, words, st.integers(8, 1400))
def test_the_answer_of_the_host_itself_counts(family: int, index: int, size: int) -> None:
    airspace, flight = in_flight(family, index, size)

    assert flight.sequence == (index + 1) & 0xFFFF
    assert find(airspace, family, sound_answer(family, flight), ADDRESS[family]) is Status.REPLY


@given(families, st.binary(max_size=600), st.sampled_from(list(ADDRESS.values())))
def test_no_bytes_from_the_network_raise_or_count(family: int, message: bytes, sender: str) -> None:
    airspace, _ = in_flight(family)

    assert find(airspace, family, message, sender) is None
    assert find(airspace, family, strip_header(message), sender) is None


@given(families, st.data())
def test_an_answer_with_any_bit_changed_does_not_count(family: int, data: st.DataObject) -> None:
    airspace, flight = in_flight(family)
    message = bytearray(sound_answer(family, flight))
    # The checksum, bytes 2 and 3, is looked at before.
    place = data.draw(st.integers(0, len(message) - 1).filter(lambda place: place not in (2, 3)))
    message[place] ^= data.draw(st.integers(1, 255))

    assert find(airspace, family, bytes(message), ADDRESS[family]) in (None, Status.CORRUPT)


@given(families, st.integers(0, 63))
def test_an_answer_cut_short_does_not_count(family: int, length: int) -> None:
    airspace, flight = in_flight(family)
    message = sound_answer(family, flight)[:length]

    assert find(airspace, family, message, ADDRESS[family]) in (None, Status.CORRUPT)


@given(families, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=100))
def test_any_error_about_anything_has_a_meaning_or_none(family: int, kind: int, code: int, quote: bytes) -> None:
    status = error_status(family, kind, code)

    assert status is None or Reply(0, status, 0).lost or status is Status.REDIRECT
    answer = parse_quote(family, quote, Status.UNREACHABLE, b"")
    assert answer is None or quote[0] == REQUEST[family]


@pytest.mark.parametrize("family", [V4, V6])
def test_a_quote_of_the_bare_header_is_enough_and_a_wrong_token_too_much(family: int) -> None:
    airspace, flight = in_flight(family)
    request = build_echo(family, IDENT, flight.sequence, flight.payload)

    def understand(quote: bytes) -> Status | None:
        answer = parse_quote(family, quote, Status.PROHIBITED, socket.inet_pton(family, ADDRESS[family]))
        assert answer is not None
        found = airspace.find(Arrival(*answer, bytes(4), None, 0, 0), IDENT)
        return found[1] if found else None

    assert understand(request[:8]) is Status.PROHIBITED
    assert understand(request) is Status.PROHIBITED
    assert understand(request[:8] + bytes(8)) is None


@dataclass
class Machine:
    """The kernel's packet filter, as far as our programs use it."""

    packet: bytes

    def run(self, program: list[tuple[int, int, int, int]]) -> int:
        accumulator = x = at = 0
        while True:
            code, if_true, if_false, operand = program[at]
            at += 1
            match code:
                case 0xB1:
                    x = (self.packet[operand] & 15) * 4
                case 0x01:
                    x = operand
                case 0x50:
                    accumulator = self.packet[x + operand]
                case 0x48:
                    accumulator = int.from_bytes(self.packet[x + operand : x + operand + 2])
                case 0x15:
                    at += if_true if accumulator == operand else if_false
                case 0x06:
                    return operand


@pytest.mark.parametrize("family", [V4, V6])
def test_the_kernel_filter_lets_only_answers_to_our_id_through(family: int) -> None:
    header = b"" if family == V6 else bytes([0x46]) + bytes(23)
    accepted = {
        (kind, ident)
        for kind in range(256)
        for ident in (IDENT, IDENT + 1)
        if Machine(header + struct.pack("!BBHHH", kind, 0, 0, ident, 1)).run(build_filter(family, IDENT))
    }

    redirects = {(5, IDENT), (5, IDENT + 1)} if family == V4 else set()
    assert accepted == {(REPLY[family], IDENT)} | redirects


@pytest.fixture
def silent(alone: Namespace) -> Namespace:
    """Lend a namespace whose loopback answers no ping."""
    for setting in ("net.ipv4.icmp_echo_ignore_all=1", "net.ipv6.icmp.echo_ignore_all=1"):
        alone.run("sysctl", "-qw", setting)
    return alone


@pytest.mark.parametrize("kind", ["datagram", "raw"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_no_packets_on_a_real_socket_raise_or_count(silent: Namespace, kind: str, address: str) -> None:
    family = V6 if ":" in address else V4
    protocol = socket.IPPROTO_ICMPV6 if family == V6 else socket.IPPROTO_ICMP
    with silent.inside():
        forger = socket.socket(family, socket.SOCK_RAW, protocol)
    with forger, engine_in(silent, kind) as engine:
        assert isinstance(engine, SocketEngine)
        heard: list[Reply] = []
        engine.follow([Course(Target(address, timeout=60), heard.append)])
        ident = engine._carriers[family].ident

        @settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
        @given(st.sampled_from([REPLY[family], 5, 3, 11]) | st.integers(0, 127), st.binary(max_size=80))
        def forge(kind: int, rest: bytes) -> None:
            for message in (
                bytes([kind, 0]) + rest,
                struct.pack("!BBHHH", kind, 0, 0, ident, 1) + rest,
            ):
                sealed = seal(message) if family == V4 and len(message) >= 4 else message
                forger.sendto(sealed.ljust(8, b"\0"), (address, 0))

        forge()
        still = asyncio.run(engine.echo(address, index=1, timeout=0.3))

        assert still.status is Status.TIMEOUT
        assert not [reply for reply in heard if not reply.note]
        assert engine.counts["stray"] > 0


def test_addresses_are_compared_as_the_kernel_spells_them() -> None:
    target = Target("2001:DB8:0:0::0007")

    assert target.address == str(ipaddress.ip_address("2001:db8::7"))
