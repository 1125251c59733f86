"""A whole network behind one TUN device: its hosts answer as their addresses say, so that the truth is known.

    10.77.<loss %>.<ms>    fd77::<loss %>:<ms>     answers after so long, and loses exactly so many of a hundred
    10.78.<conduct>.<ms>   fd78::<conduct>:<ms>    answers as `Conduct` says
    10.79.<type>.<code>    fd79::<type>:<code>     a router refuses with this ICMP error and quotes the packet
    10.80.<type>.<code>    fd80::<type>:<code>     the same, quoting no more than it must

The numbers of IPv6 are written in decimal digits. It runs inside the namespace that owns the device, and ends
when its standard input does.
"""

import enum
import fcntl
import heapq
import ipaddress
import itertools
import os
import select
import struct
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
DEVICE = "truth0"
LOCAL = {4: "10.76.0.1", 6: "fd76::1"}
ROUTER = {4: "10.99.0.1", 6: "fd99::1"}
ADDRESSES = ["10.76.0.1/32", "fd76::1/128"]
ROUTES = ["10.76.0.0/14", "10.80.0.0/16", "10.99.0.0/16", "fd77::/64", "fd78::/64", "fd79::/64", "fd80::/64"]
REQUEST, REPLY, PROTOCOL = {4: 8, 6: 128}, {4: 0, 6: 129}, {4: 1, 6: 58}
READY = "ready"


class Conduct(enum.IntEnum):
    """How a host of 10.78 answers."""

    TWICE = 1
    AFTER_A_FLOOD = 2
    FROM_ANOTHER = 3
    WRONG_ID = 4
    WRONG_SEQUENCE = 5
    WRONG_TOKEN = 6
    DAMAGED = 7
    TRUNCATED = 8
    BAD_CHECKSUM = 9
    FOUR_BYTES = 10
    NO_BYTES = 11
    ERROR_FOR_ANOTHER_ID = 12
    ERROR_FOR_ANOTHER_HOST = 13
    ERROR_OF_GARBAGE = 14
    ONLY_A_REQUEST = 15
    REDIRECTED = 16
    DAMAGED_THEN_SOUND = 17


class Packet:
    """An ICMP message in an IP packet, of either family."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.version = data[0] >> 4
        header = (data[0] & 15) * 4 if self.version == 4 else 40
        places = (12, 16, 20) if self.version == 4 else (8, 24, 40)
        self.source, self.destination = (
            str(ipaddress.ip_address(data[start:end])) for start, end in itertools.pairwise(places)
        )
        self.message = data[header:]
        self.payload = self.message[8:]

    @property
    def ident(self) -> int:
        """The id of an echo request."""
        return int.from_bytes(self.message[4:6])

    @property
    def sequence(self) -> int:
        """The sequence number of an echo request."""
        return int.from_bytes(self.message[6:8])

    @property
    def is_request(self) -> bool:
        """Whether this asks for an echo."""
        protocol = self.data[9] if self.version == 4 else self.data[6]
        return protocol == PROTOCOL[self.version] and self.message[0] == REQUEST[self.version]

    @property
    def numbers(self) -> tuple[str, int, int]:
        """The last three parts of the address: network, and two numbers in decimal digits."""
        if self.version == 4:
            _, network, first, second = self.destination.split(".")
            return network, int(first), int(second)
        network, _, rest = self.destination.partition("::")
        first, _, second = rest.rpartition(":")
        return network.removeprefix("fd"), int(first or 0), int(second or 0)


def answer(
    request: Packet,
    *,
    kind: int | None = None,
    ident: int | None = None,
    sequence: int | None = None,
    payload: bytes | None = None,
    source: str | None = None,
    spoil: int = 0,
) -> bytes:
    """Return the echo reply to `request`, or one that is wrong in some way."""
    message = struct.pack(
        "!BBHHH",
        REPLY[request.version] if kind is None else kind,
        0,
        0,
        request.ident if ident is None else ident,
        request.sequence if sequence is None else sequence,
    )
    message += request.payload if payload is None else payload
    return wrap(request.version, source or request.destination, request.source, message, spoil)


def refuse(request: Packet, kind: int, code: int, quote: bytes) -> bytes:
    """Return a router's error of this type and code about `quote`."""
    return wrap(
        request.version,
        ROUTER[request.version],
        request.source,
        struct.pack("!BBHI", kind, code, 0, 0) + quote,
    )


def wrap(version: int, source: str, destination: str, message: bytes, spoil: int = 0) -> bytes:
    """Return `message` with its checksum, wrong by `spoil`, in an IP packet."""
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    pseudo = ends + struct.pack("!II", len(message), 58) if version == 6 else b""
    if len(message) >= 4:
        message = message[:2] + struct.pack("!H", add_up(pseudo + message) ^ spoil) + message[4:]
    if version == 6:
        return struct.pack("!IHBB", 6 << 28, len(message), 58, 61) + ends + message
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(message), 0, 0, 61, 1, 0) + ends
    return header[:10] + struct.pack("!H", add_up(header)) + header[12:] + message


def add_up(data: bytes) -> int:
    """Return the Internet checksum, computed the way RFC 1071 writes it down."""
    total = 0
    for (word,) in struct.iter_unpack("!H", data + b"\0" * (len(data) % 2)):
        total += word
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Hosts:
    """Every host of the network: what each sends back, and after how many milliseconds."""

    def __init__(self) -> None:
        self._asked: defaultdict[str, int] = defaultdict(int)

    def hear(self, request: Packet) -> Iterator[tuple[int, bytes]]:
        """Yield the answers to a request, each with its delay in milliseconds."""
        network, first, second = request.numbers
        match network:
            case "77":
                if not self._loses(request.destination, first):
                    yield second, answer(request)
            case "78":
                for reply in CONDUCTS[Conduct(first)](request):
                    yield second, reply
            case "79":
                yield 0, refuse(request, first, second, request.data)
            case "80":
                yield 0, refuse(request, first, second, request.data[: 28 if request.version == 4 else 48])

    def _loses(self, host: str, percent: int) -> bool:
        asked = self._asked[host]
        self._asked[host] += 1
        return (asked + 1) * percent // 100 > asked * percent // 100


def damage(request: Packet) -> bytes:
    """Return the payload of the request with its last bit turned over."""
    return request.payload[:-1] + bytes([request.payload[-1] ^ 1])


def redirect(request: Packet) -> bytes:
    """Return a router's advice to take another way next time."""
    gateway = ipaddress.ip_address(ROUTER[4]).packed
    return wrap(4, ROUTER[4], request.source, struct.pack("!BBH", 5, 1, 0) + gateway + request.data)


def bare(request: Packet, message: bytes) -> bytes:
    """Return a packet from the host with whatever `message` is."""
    return wrap(request.version, request.destination, request.source, message)


def disown(request: Packet, quote: bytes) -> bytes:
    """Return an error that says the host of `quote` is unreachable."""
    return refuse(request, *((3, 1) if request.version == 4 else (1, 3)), quote)


CONDUCTS: dict[Conduct, Callable[[Packet], list[bytes]]] = {
    Conduct.TWICE: lambda request: [answer(request)] * 2,
    Conduct.AFTER_A_FLOOD: lambda request: [
        *(answer(request, ident=request.ident ^ wrong) for wrong in range(1, 201)),
        answer(request),
    ],
    Conduct.FROM_ANOTHER: lambda request: [answer(request, source=ROUTER[request.version])],
    Conduct.WRONG_ID: lambda request: [answer(request, ident=request.ident ^ 1)],
    Conduct.WRONG_SEQUENCE: lambda request: [answer(request, sequence=request.sequence ^ 1)],
    Conduct.WRONG_TOKEN: lambda request: [answer(request, payload=bytes(len(request.payload)))],
    Conduct.DAMAGED: lambda request: [answer(request, payload=damage(request))],
    Conduct.TRUNCATED: lambda request: [answer(request, payload=request.payload[: len(request.payload) // 2])],
    Conduct.BAD_CHECKSUM: lambda request: [answer(request, spoil=1)],
    Conduct.FOUR_BYTES: lambda request: [bare(request, bytes([REPLY[request.version], 0, 0, 0]))],
    Conduct.NO_BYTES: lambda request: [bare(request, b"")],
    Conduct.ERROR_FOR_ANOTHER_ID: lambda request: [disown(request, misquote(request, 4))],
    Conduct.ERROR_FOR_ANOTHER_HOST: lambda request: [disown(request, misquote(request, -1))],
    Conduct.ERROR_OF_GARBAGE: lambda request: [disown(request, os.urandom(64))],
    Conduct.ONLY_A_REQUEST: lambda request: [answer(request, kind=REQUEST[request.version])],
    Conduct.REDIRECTED: lambda request: [redirect(request), answer(request)],
    Conduct.DAMAGED_THEN_SOUND: lambda request: [answer(request, payload=damage(request)), answer(request)],
}


def misquote(request: Packet, place: int) -> bytes:
    """Return the request with one bit turned over, so many bytes after, or before, its message begins."""
    quote = bytearray(request.data)
    quote[len(request.data) - len(request.message) + place] ^= 1
    return bytes(quote)


def open_device() -> int:
    """Create the device, give it its addresses and routes, and return its descriptor."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    commands = [f"link set {DEVICE} up mtu 1500 txqueuelen 20000"]
    commands += [f"addr add {address} dev {DEVICE}" for address in ADDRESSES]
    commands += [f"route add {route} dev {DEVICE}" for route in ROUTES]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)
    return device


def serve(device: int) -> None:
    """Answer until whoever started this process is gone."""
    hosts, tickets = Hosts(), itertools.count()
    waiting: list[tuple[float, int, bytes]] = []
    poll = select.poll()
    poll.register(device, select.POLLIN)
    poll.register(sys.stdin, 0)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            os.write(device, heapq.heappop(waiting)[2])
        # poll(2) counts whole milliseconds: the last one is spun away, so that 50 ms are 50.0.
        idle = waiting[0][0] - now - 0.001 if waiting else 1
        ready = {descriptor for descriptor, _ in poll.poll(max(0, int(idle * 1000)))}
        if sys.stdin.fileno() in ready:
            return
        for came, data in read_packets(device):
            request = Packet(data)
            if request.is_request:
                for delay, reply in hosts.hear(request):
                    heapq.heappush(waiting, (came + delay / 1000, next(tickets), reply))


def read_packets(device: int) -> Iterator[tuple[float, bytes]]:
    """Yield the packets that wait in the device, at most a hundred, and when each came.

    What it takes to understand one is part of its delay.
    """
    for _ in range(100):
        try:
            data = os.read(device, 65535)
            yield time.monotonic(), data
        except BlockingIOError:
            return


if __name__ == "__main__":
    # The truth may not be late because something else keeps the machine busy.
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    opened = open_device()
    print(READY, flush=True)
    serve(opened)
