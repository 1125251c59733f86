"""Text → a host, a frame → a command, or a refusal: the pure half of what bad input gets."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.forms import Order, Refusal, Resume, Stop, parse_frame
from monitor.ping.host import BadHost, Policy, check_addresses, parse_host, resolve
from tests.site.hostile import NAME_253, PRIVATE, TARGETS, UNKNOWN_HOST


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len({host for host, _ in TARGETS} | set(PRIVATE) | set(UNKNOWN_HOST)) >= 150


@pytest.mark.parametrize(("host", "reason"), TARGETS, ids=[ascii(host)[:40] for host, _ in TARGETS])
def test_the_parser_or_the_policy_refuses(host: str, reason: str) -> None:
    with pytest.raises(BadHost) as refused:
        check_addresses(resolve(parse_host(host)), Policy.UNICAST)
    assert (refused.value.code, refused.value.reason) == ("bad_host", reason)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("address", PRIVATE)
def test_an_anonymous_visitor_of_a_public_site_may_not_reach(address: str) -> None:
    with pytest.raises(BadHost) as refused:
        check_addresses(resolve(parse_host(address)), Policy.GLOBAL)
    assert (refused.value.code, refused.value.reason) == ("not_allowed", "private")
    assert check_addresses(resolve(parse_host(address)), Policy.UNICAST)


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2001:4860:4860::8888", "192.0.3.1", "172.32.0.1", "100.128.0.1", "9.255.255.255"],
)  # fmt: skip
def test_a_public_address_is_allowed_to_everybody_but_where_nobody_may_ping(text: str) -> None:
    assert check_addresses([text], Policy.GLOBAL) == text
    with pytest.raises(BadHost):
        check_addresses([text], Policy.NOTHING)


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    with pytest.raises(BadHost):
        check_addresses(["8.8.8.8", "10.0.0.1"], Policy.GLOBAL)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", "localhost"), ("LOCALHOST", "localhost"), ("example.com.", "example.com"), (NAME_253, NAME_253),
        ("8.8.8.8", "8.8.8.8"), ("2001:DB8::0001", "2001:db8::1"), ("한글.kr", "xn--bj0bj06e.kr"),
        ("bücher.de", "xn--bcher-kva.de"), ("my_host", "my_host"), ("1and1.com", "1and1.com"), ("a-b.c", "a-b.c"), ("x", "x"),
    ],
)  # fmt: skip
def test_hosts_that_are_hosts_are_taken(text: str, host: str) -> None:
    assert parse_host(text) == host


@given(st.text(max_size=300))
@settings(max_examples=1000, deadline=None)
def test_any_text_is_a_plain_host_or_a_refusal(text: str) -> None:
    try:
        host = parse_host(text)
    except BadHost:
        return
    assert host.isascii()
    assert host == host.strip().lower()
    assert not host.startswith("-")
    assert not set(host) - set("abcdefghijklmnopqrstuvwxyz0123456789.-_:")
    assert parse_host(host) == host


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)
EVENTS = st.fixed_dictionaries(
    {"event": st.sampled_from(["my_event", "stop", "resume"]) | JSON},
    optional=dict.fromkeys(("host", "count", "interval", "timeout", "family", "run", "after"), JSON),
)


@given(st.text() | JSON.map(json.dumps) | EVENTS.map(json.dumps) | st.none())
@settings(max_examples=400, deadline=None)
def test_any_frame_is_a_command_or_a_refusal(text: str | None) -> None:
    assert isinstance(parse_frame(text), Order | Stop | Resume | Refusal)
