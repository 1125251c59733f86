"""What people write: pasted lines and TOML files, and what becomes of the watched hosts by them."""

import contextlib
import io
import random
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as some

from monitor.hosts import MAX_LINES, BadFile, Wish, parse_lines, parse_toml
from monitor.models import Host
from monitor.roster import Roster, add_hosts, apply, pause_hosts, plan
from tests.watch.sites import watch

FILE = """
[defaults]
interval = 2
group = "office"

[[hosts]]
name = "gateway"
host = "127.0.0.1"
tags = ["core", "wired"]

[[hosts]]
name = "door"
host = "127.0.0.2"
family = "both"
paused = true
"""


def test_a_line_is_a_host_or_name_host_group_and_tags() -> None:
    lines = parse_lines(
        "127.0.0.1\n\n# no host\n gateway, Example.ORG , office, core wired\ndoor\t::1\tcellar\tnew,old"
    )
    assert [line.number for line in lines] == [1, 4, 5]
    assert [line.wishes[0] for line in lines] == [
        Wish("127.0.0.1", "127.0.0.1"),
        Wish("gateway", "example.org", group="office", tags=("core", "wired")),
        Wish("door", "::1", group="cellar", tags=("new", "old")),
    ]


def test_what_is_wrong_stands_beside_its_line() -> None:
    lines = parse_lines("127.0.0.1\n-f\nname, 127.1\n\nname, " + "x" * 300 + f"\n{'n' * 101}, 127.0.0.1")
    problems = [(line.number, line.problem.code) for line in lines if line.problem]
    assert problems == [(2, "bad_host"), (3, "bad_host"), (5, "bad_host"), (6, "bad_field")]


def test_two_hundred_lines_are_taken_and_the_next_is_refused() -> None:
    lines = parse_lines("\n".join(f"127.0.{place // 200}.{place % 200 + 1}" for place in range(MAX_LINES + 50)))
    assert [line.problem is None for line in lines] == [True] * MAX_LINES + [False]


def test_both_families_are_two_hosts() -> None:
    (line,) = parse_lines("door, localhost", family="both")
    assert [(wish.name, wish.family) for wish in line.wishes] == [("door (IPv4)", "4"), ("door (IPv6)", "6")]


@given(some.text(max_size=200))
def test_no_text_makes_the_parsers_fail(text: str) -> None:
    assert all(line.problem or line.wishes for line in parse_lines(text))
    with contextlib.suppress(BadFile):
        parse_toml(text)


def test_a_file_has_hosts_and_defaults() -> None:
    assert parse_toml(FILE) == [
        Wish("gateway", "127.0.0.1", interval=2, group="office", tags=("core", "wired")),
        Wish("door (IPv4)", "127.0.0.2", "4", 2, group="office", paused=True),
        Wish("door (IPv6)", "127.0.0.2", "6", 2, group="office", paused=True),
    ]


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        (3, "interval = 2", "interval = = 2"),
        (8, '"127.0.0.1"', '"127.1"'),
        (9, '["core", "wired"]', "7"),
        (9, "tags", "colour"),
        (15, "paused = true", "interval = 0.1"),
        (15, "paused = true", "interval = nan"),
        (15, "paused = true", "interval = true"),
        (15, "paused = true", "timeout = 31"),
        (15, "paused = true", 'paused = "yes"'),
        (14, '"both"', '"five"'),
        (12, '"door"\nhost = "127.0.0.2"\nfamily = "both"', '"gateway"\nhost = "127.0.0.2"'),
        (6, '"office"', "1"),
        (1, "[defaults]", "[default]"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(line: int, before: str, after: str) -> None:
    with pytest.raises(BadFile) as caught:
        parse_toml(FILE.replace(before, after, 1))
    assert caught.value.line == line, str(caught.value)


@pytest.mark.parametrize("text", ["hosts = 1", "hosts = [1]", "defaults = 1", "other = 1", "[hosts]"])
def test_a_file_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(BadFile, match="nothing else"):
        parse_toml(text)


@pytest.mark.django_db
def test_names_become_slugs_of_their_own() -> None:
    names = ["gateway", "gateway", "add", "서울", "10.0.0.1", "2001:db8::1", "!!!", "n" * 100, "n" * 100]
    slugs = [host.slug for host in add_hosts(Wish(name, "host.example") for name in names)]
    assert slugs[:7] == ["gateway", "gateway-2", "add-2", "host-example", "10-0-0-1", "2001-db8-1", "host-example-2"]
    assert len(set(slugs)) == 9


@pytest.mark.django_db
def test_loading_a_file_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    file = tmp_path / "hosts.toml"
    file.write_text(FILE)
    watch("other")
    assert load(file) == "+ gateway\n+ door (IPv4)\n+ door (IPv6)\n3 of 3 hosts changed\n"
    assert load(file) == "0 of 3 hosts changed\n"
    assert Host.objects.count() == 4


@pytest.mark.django_db
def test_loading_shows_what_it_will_change_and_changes_only_that(tmp_path: Path) -> None:
    file = tmp_path / "hosts.toml"
    file.write_text(FILE)
    load(file)
    Host.objects.filter(name="gateway").update(address="127.0.0.1")
    untouched = Host.objects.get(name="door (IPv4)").changed_at
    file.write_text(FILE.replace("127.0.0.1", "127.0.0.9"))
    said = load(file, "--dry-run")
    assert said == "~ gateway: host '127.0.0.1' → '127.0.0.9'\n1 of 3 hosts would change\n"
    assert Host.objects.get(name="gateway").host == "127.0.0.1"
    load(file)
    gateway = Host.objects.get(name="gateway")
    assert (gateway.host, gateway.address) == ("127.0.0.9", None)
    assert Host.objects.get(name="door (IPv4)").changed_at == untouched


@pytest.mark.django_db
def test_hosts_that_are_not_in_the_file_go_only_when_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "hosts.toml"
    file.write_text(FILE)
    watch("other")
    assert "- other" in load(file, "--remove")
    assert not Host.objects.filter(name="other").exists()


@pytest.mark.django_db
def test_a_file_says_what_hosts_are_reached_through_in_any_order(tmp_path: Path) -> None:
    file = tmp_path / "hosts.toml"
    watch("other")
    names = [("leaf", "switch"), ("switch", "other"), ("root", "")]
    entries = [f'[[hosts]]\nname = "{name}"\nhost = "127.0.0.1"\nparent = "{parent}"\n' for name, parent in names]
    file.write_text("\n".join(entries))
    assert "+ leaf: parent '' → 'switch'\n+ switch: parent '' → 'other'\n+ root\n" in load(file)
    assert load(file) == "0 of 3 hosts changed\n"
    found = dict(Host.objects.values_list("name", "parent__name"))
    assert found == {"other": None, "leaf": "switch", "switch": "other", "root": None}
    # Turned round, beside what stays as it is.
    entries[:2] = [entries[0].replace('"switch"', '"root"'), entries[1].split("parent")[0]]
    file.write_text("\n".join([*reversed(entries), '[[hosts]]\nname = "other"\nhost = "127.0.1.1"\nparent = "leaf"\n']))
    assert load(file) == "~ leaf: parent 'switch' → 'root'\n~ other: parent '' → 'leaf'\n2 of 4 hosts changed\n"
    found = dict(Host.objects.values_list("name", "parent__name"))
    assert found == {"other": "leaf", "leaf": "root", "switch": "other", "root": None}


@pytest.mark.parametrize(
    ("parents", "line"),
    [
        ({"a": "nobody"}, 4), ({"a": "a"}, 4), ({"b": "c", "c": "b"}, 8), ({"c": "a", "a": "b", "b": "c"}, 4),
        ({"b": "watched", "a": "b"}, 0), ({"b": "through a", "a": "b"}, 4), ({"b": "through a"}, 0),
    ],
)  # fmt: skip
def test_an_unknown_parent_and_a_circle_are_refused_with_the_line(parents: dict[str, str], line: int) -> None:
    ways = {"watched": "", "through a": "a"}
    text = "".join(
        f'[[hosts]]\nname = "{name}"\nhost = "::1"\n' + (f'parent = "{parents[name]}"\n' if name in parents else "#\n")
        for name in "abc"
    )
    if not line:
        assert len(parse_toml(text, ways)) == 3
        return
    with pytest.raises(BadFile, match="“parent” must be") as caught:
        parse_toml(text, ways)
    assert caught.value.line == line


@pytest.mark.django_db
def test_a_host_that_is_about_to_go_is_nobodys_parent(tmp_path: Path) -> None:
    watch("other")
    file = tmp_path / "hosts.toml"
    file.write_text('[[hosts]]\nhost = "127.0.0.1"\nparent = "other"\n')
    with pytest.raises(CommandError, match="line 3: “parent” must be"):
        load(file, "--remove")
    assert Host.objects.get().name == "other"


@pytest.mark.django_db
def test_a_file_with_one_wrong_line_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "hosts.toml"
    file.write_text(FILE.replace('"both"', '"five"'))
    with pytest.raises(CommandError, match=r"hosts\.toml, line 14: “family” must be one of"):
        load(file)
    assert not Host.objects.exists()


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        load(tmp_path / "nothing.toml")


@pytest.mark.django_db
def test_the_roster_tells_what_is_new_changed_and_gone() -> None:
    roster = Roster()
    alice, bob = watch("alice", "bob")
    assert {host.name for host in roster.look()[0]} == {"alice", "bob"}
    assert roster.look() == ([], set())
    pause_hosts([alice.pk], paused=True)
    (carol,) = watch("carol")
    bob_id = bob.pk
    bob.delete()
    hosts, gone = roster.look()
    assert {host.pk for host in hosts} == {alice.pk, carol.pk}
    assert gone == {bob_id}
    Host.objects.update(state="up", address="127.0.0.1")
    assert roster.look() == ([], set())


@pytest.mark.django_db
def test_the_roster_sees_a_change_whose_clock_ran_behind() -> None:
    roster = Roster()
    alice, bob = watch("alice", "bob")
    roster.look()
    Host.objects.filter(pk=alice.pk).update(paused=True, changed_at=bob.changed_at.replace(year=2001))
    seen = {host.pk for _ in range(20) for host in roster.look()[0]}
    assert seen == {alice.pk}


@pytest.mark.django_db
def test_any_plan_makes_the_hosts_those_of_the_wishes() -> None:
    chance = random.Random(4)
    for _ in range(20):
        names = chance.sample(["a", "b", "c", "d", "e"], 3)
        wishes = [Wish(name, f"127.0.0.{chance.randint(1, 9)}", interval=chance.choice([1.0, 5.0])) for name in names]
        apply(plan(wishes, remove=True))
        found = {(host.name, host.host, host.interval) for host in Host.objects.all()}
        assert found == {(wish.name, wish.host, wish.interval) for wish in wishes}


def load(file: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("load", str(file), *options, stdout=out)
    return out.getvalue()
