"""Text a person typed → a checked numeric address, or a refusal with its reason; the address policy."""

import enum
import ipaddress
import re
import socket

import idna

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
# What inet_aton(3) reads as an address though nobody writes addresses so: "0", "127.1", "0x7f000001", "0177.0.0.1".
ODD_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*", re.ASCII)
BROADCAST = ipaddress.ip_address("255.255.255.255")
FAMILIES = {"auto": socket.AF_UNSPEC, "4": socket.AF_INET, "6": socket.AF_INET6}

# Not reachable from everywhere, or standing for an address that is not (IANA's special-purpose registries, RFC 6890
# and its successors). A table of our own: `ipaddress.is_global` gives different answers in different Python releases.
NOT_GLOBAL = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "240.0.0.0/4",
        "168.63.129.16/32",  # a cloud's metadata and DNS service on a public address
        "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10",
    )
]  # fmt: skip


class BadHost(ValueError):
    """Why a text is not a host that may be pinged: `code` for programs, the sentence for people."""

    def __init__(self, code: str, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.reason = reason


class Policy(enum.StrEnum):
    """Which addresses somebody may ping; multicast and broadcast nobody may."""

    UNICAST = "unicast"
    GLOBAL = "global"
    NOTHING = "nothing"


def parse_host(text: str) -> str:
    """The text as a numeric address or a lower-case host name in ASCII; `BadHost` says what is wrong with it."""
    if not text:
        raise _bad("empty", "The host is empty.")
    if len(text) > 253:
        raise _bad("too_long", "A host name has at most 253 characters.")
    if text.startswith("-"):
        raise _bad("leading_dash", "A host does not begin with a dash.")
    if "%" in text and _parse_address(text.partition("%")[0]):
        raise _bad("zone", "Addresses with a zone are not accepted.")
    if address := _parse_address(text):
        return str(address)
    return _parse_name(text)


def is_address(host: str) -> bool:
    """Whether what `parse_host` returned is an address already, so that nobody need be asked for one."""
    return _parse_address(host) is not None


def resolve(host: str, family: str = "auto") -> list[str]:
    """The numeric addresses of what `parse_host` returned, best first. It blocks, and getaddrinfo(3) knows no
    deadline: callers await it under one of their own. `BadHost` where there is none."""
    if address := _parse_address(host):
        if family not in ("auto", str(address.version)):
            raise BadHost("no_family", family, f"{host} is not an IPv{family} address.")
        return [host]
    try:
        found = socket.getaddrinfo(host, None, FAMILIES[family], socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise _explain(host, family, error) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_addresses(addresses: list[str], policy: Policy) -> str:
    """The first of the addresses; `BadHost` where any of them is one that the policy does not allow."""
    for text in addresses:
        check_address(ipaddress.ip_address(text), policy)
    return addresses[0]


def check_address(address: Address, policy: Policy) -> None:
    """Raise `BadHost` unless the policy allows the address."""
    if address.is_multicast:
        raise _bad("multicast", f"{address} is a multicast address.")
    if address == BROADCAST:
        raise _bad("broadcast", f"{address} is a broadcast address.")
    if address.is_unspecified:
        raise _bad("unspecified", f"{address} is no host's address.")
    if getattr(address, "scope_id", None):
        raise _bad("zone", "Addresses with a zone are not accepted.")
    if getattr(address, "ipv4_mapped", None):
        raise _bad("number_form", "Write an IPv4 address as four decimal numbers.")
    if policy is Policy.NOTHING:
        raise BadHost("not_allowed", "nobody", "Sign in to ping from this site.")
    if policy is Policy.GLOBAL and any(address in network for network in NOT_GLOBAL):
        raise BadHost("not_allowed", "private", "This site does not ping private addresses.")


def _parse_address(text: str) -> Address | None:
    try:
        # isascii: ipaddress would take full-width digits.
        return ipaddress.ip_address(text) if text.isascii() else None
    except ValueError:
        return None


def _parse_name(text: str) -> str:
    name = text.lower() if text.isascii() else _encode_name(text)
    name = name.removesuffix(".")
    labels = name.split(".")
    if any(len(label) > 63 for label in labels):
        raise _bad("label", "A part of a host name has at most 63 characters.")
    if not all(LABEL.fullmatch(label) for label in labels):
        raise _bad("characters", "That is not an address or host name.")
    if ODD_NUMBER.fullmatch(name) or ODD_NUMBER.fullmatch(labels[-1]):
        raise _bad("number_form", "Write an IPv4 address as four decimal numbers.")
    return name


def _encode_name(text: str) -> str:
    # IDNA 2008 without the mapping of UTS 46: full-width and circled letters, which fold to others, are refused.
    try:
        return idna.encode(text, strict=True, uts46=False).decode("ascii")
    except UnicodeError:  # idna.IDNAError, and what a lone surrogate raises
        raise _bad("characters", "That is not an address or host name.") from None


def _explain(host: str, family: str, error: Exception) -> BadHost:
    code = getattr(error, "errno", None)
    if code == socket.EAI_AGAIN:
        return BadHost("name_timeout", "", f"The name service did not answer for {host}.")
    if code in (socket.EAI_ADDRFAMILY, socket.EAI_NODATA) and family != "auto":
        return BadHost("no_family", family, f"{host} has no IPv{family} address.")
    return BadHost("unknown_host", "", f"No such host: {host}")


def _bad(reason: str, sentence: str) -> BadHost:
    return BadHost("bad_host", reason, sentence)
