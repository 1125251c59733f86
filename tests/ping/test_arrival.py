"""What is read out of the memory that the kernel fills, whatever was there before."""

import socket
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ping.arrival import SO_TIMESTAMPNS, TTL_KIND, Arrival, Reader
from monitor.ping.batch import split_control
from monitor.ping.icmp import REPLY, V4, V6, seal
from monitor.ping.reply import Status

PAYLOAD = bytes(range(56))
Shape = tuple[int, bool]
shapes = st.sampled_from([(V4, False), (V4, True), (V6, False)])
SENDER = {V4: bytes([192, 0, 2, 7]), V6: bytes(15) + b"\7"}


def message(kind: int, level: int, value: bytes) -> bytes:
    """Return a control message as the kernel lays it out."""
    header = struct.pack("@Nii", 16 + len(value), level, kind)
    return header + value.ljust(-(-len(value) // 8) * 8, b"\0")


def usual(family: int) -> bytes:
    return message(SO_TIMESTAMPNS, 1, struct.pack("@ll", 7, 9)) + message(TTL_KIND[family], 0, struct.pack("@i", 61))


def answer(shape: Shape, sequence: int = 5) -> bytes:
    """Return the packet of an echo reply, with its IP header where the socket sees that."""
    family, wrapped = shape
    echo = seal(struct.pack("!BBHHH", REPLY[family], 0, 0, 4242, sequence) + PAYLOAD)
    return bytes([0x45]) + bytes(19) + echo if wrapped else echo


def read(reader: Reader, family: int, *packets: tuple[bytes, bytes]) -> list[Arrival | None]:
    """Have a reader read packets and control messages that lie in its memory as the kernel would put them."""
    batch = reader._batch
    for place, (packet, control) in enumerate(packets):
        start, name = place * batch.room, place * batch._name_size + batch._address
        batch.data[start : start + len(packet)] = packet
        batch.names[name : name + len(SENDER[family])] = SENDER[family]
        batch.control[place * 128 : place * 128 + len(control)] = control
    return list(reader._read([(len(control), len(packet)) for packet, control in packets]))


@given(shapes, st.integers(0, 0xFFFF))
def test_an_everyday_answer_is_read_whole(shape: Shape, sequence: int) -> None:
    family, wrapped = shape
    (arrival,) = read(Reader(family, wrapped=wrapped), family, (answer(shape, sequence), usual(family)))

    assert arrival == Arrival(Status.REPLY, 4242, sequence, PAYLOAD, None, SENDER[family], 61, 7_000_000_009, 64)


@given(shapes, st.data())
def test_an_answer_without_details_has_none_and_not_those_of_the_one_before(shape: Shape, data: st.DataObject) -> None:
    family, wrapped = shape
    reader, whole = Reader(family, wrapped=wrapped), usual(family)
    read(reader, family, (answer(shape), whole))
    cut = data.draw(st.sampled_from([0, 32]))
    (arrival,) = read(reader, family, (answer(shape), whole[:cut]))

    assert arrival is not None
    assert (arrival.received_at, arrival.ttl) == (7_000_000_009 if cut else 0, None)
    assert arrival.payload == PAYLOAD


@given(shapes, st.data())
def test_a_short_packet_is_not_filled_up_with_the_one_before(shape: Shape, data: st.DataObject) -> None:
    family, wrapped = shape
    reader, packet = Reader(family, wrapped=wrapped), answer(shape)
    read(reader, family, (packet, usual(family)))
    length = data.draw(st.integers(0, len(packet) - 1))
    (arrival,) = read(reader, family, (packet[:length], usual(family)))

    assert arrival is None or arrival.payload == PAYLOAD[: length - len(packet)]


@given(shapes, st.lists(st.tuples(st.binary(max_size=200), st.binary(max_size=128)), min_size=1, max_size=5))
def test_no_bytes_in_that_memory_raise(shape: Shape, packets: list[tuple[bytes, bytes]]) -> None:
    family, wrapped = shape
    arrivals = read(Reader(family, wrapped=wrapped), family, *packets)

    assert len(arrivals) == len(packets)


def spoil(packet: bytes) -> bytes:
    return packet[:-1] + bytes([packet[-1] ^ 1])


def lengthen(packet: bytes) -> bytes:
    return bytes([0x46]) + bytes(23) + packet[20:]


@pytest.mark.parametrize(("change", "sound"), [(spoil, False), (lengthen, True)])
def test_where_the_kernel_has_not_looked_the_checksum_and_the_header_are(
    change: Callable[[bytes], bytes], sound: bool
) -> None:
    reader = Reader(V4, wrapped=True)
    (arrival,) = read(reader, V4, (change(answer((V4, True))), usual(V4)))

    assert (arrival is not None) == sound
    assert arrival is None or arrival.payload == PAYLOAD


@given(st.binary(max_size=128))
def test_any_bytes_are_control_messages_or_end_them(control: bytes) -> None:
    assert sum(16 + len(value) for _, _, value in split_control(control)) <= len(control)


def test_a_socket_is_read_in_several_calls_and_a_wide_packet_in_one() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other, socket.socket(type=socket.SOCK_DGRAM) as one:
        other.bind(("127.0.0.1", 0))
        one.connect(other.getsockname())
        reader = Reader(V4, wrapped=False)
        reader.widen(60_000)
        for sequence in range(100):
            one.send(answer((V4, False), sequence))
        one.send(answer((V4, False)).ljust(50_000, b"x"))
        arrivals = reader.receive(other.fileno())

    assert [arrival.sequence for arrival in arrivals if arrival] == [*range(100), 5]
    assert arrivals[-1] is not None
    assert arrivals[-1].size == 50_000
