"""The hour that is kept beside the database is the hour that the database would give."""

import random
from collections.abc import Iterator

import pytest

from monitor.board_page import COUNTED, LastHour
from monitor.window import AGAIN, LATE, MINUTES, Counts, Now, Window

NOON = 29_000_000 - 29_000_000 % AGAIN + 1


class Table:
    """Rows by host and minute, as a database has them, and which minutes were asked for."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], Counts] = {}
        self.asked: list[tuple[int, int]] = []

    def write(self, host: int, minute: int, sent: int = 60, received: int = 60, median: int | None = 1000) -> None:
        self.rows[host, minute] = (host, minute, sent, received, median if received else None, received * 10)

    def read(self, since: int, until: int) -> Iterator[Counts]:
        self.asked.append((since, until))
        return (row for (_, minute), row in self.rows.items() if since <= minute < until)


def read_all(table: Table, end: int) -> dict[int, Now]:
    window = Window()
    window.take(table.read(end - MINUTES, end), end - MINUTES, end)
    return window.sum_up()


def move(window: Window, table: Table, end: int) -> dict[int, Now]:
    since = window.find_since(end)
    window.take(table.read(since, end), since, end)
    return window.sum_up()


@pytest.mark.parametrize("seed", range(20))
def test_what_is_known_and_what_is_newer_are_the_hour(seed: int) -> None:
    chance, table, window, end = random.Random(seed), Table(), Window(), NOON
    for _ in range(40):
        for minute in range(end - LATE, end):
            for host in range(1, 6):
                if chance.random() < 0.7:
                    received = chance.randint(0, 60)
                    table.write(host, minute, received + chance.randint(0, 3), received, chance.randint(1, 9000))
        assert move(window, table, end) == read_all(table, end)
        end += chance.choice([1, 1, 1, 2, 3, 70, -5])


def test_only_what_may_have_changed_is_read_again() -> None:
    table, window = Table(), Window()
    for end in range(NOON, NOON + AGAIN):
        move(window, table, end)
    assert table.asked[0] == (NOON - MINUTES, NOON)
    assert table.asked[1:-1] == [(end - 1 - LATE, end) for end in range(NOON + 1, NOON + AGAIN - 1)]
    assert table.asked[-1] == (NOON + AGAIN - 1 - MINUTES, NOON + AGAIN - 1)


def test_what_was_written_far_too_late_is_found_within_ten_minutes() -> None:
    table, window = Table(), Window()
    move(window, table, NOON + 5)
    for minute in range(NOON - 20, NOON + 5):
        table.write(1, minute)
    for end in range(NOON + 6, NOON + 6 + AGAIN):
        found = move(window, table, end)
    assert found == read_all(table, NOON + 5 + AGAIN)
    assert sum(bar is not None for bar in found[1].strip) == 25


def test_figures_are_those_of_the_minutes_and_a_gap_is_none() -> None:
    table = Table()
    table.write(7, NOON - 3, sent=60, received=45, median=3000)
    table.write(7, NOON - 2, sent=0, received=0)
    table.write(7, NOON - 1, sent=20, received=0)
    assert read_all(table, NOON)[7] == Now(
        1 - 45 / 80, 3000, 450 // 44, [None] * 57 + [(3000, 0.25), (None, None), (None, 1.0)]
    )


def test_a_host_of_which_nothing_is_left_is_forgotten() -> None:
    table, window = Table(), Window()
    table.write(1, NOON - 1)
    assert set(move(window, table, NOON)) == {1}
    assert set(move(window, table, NOON + 59)) == {1}
    assert move(window, table, NOON + 60) == {}


def test_who_asks_in_the_same_minute_is_told_the_same_and_nothing_is_read() -> None:
    table = Table()
    table.write(1, NOON - 1)
    hour = LastHour(table.read)
    first = hour.read(NOON * 60 + COUNTED)
    assert hour.read(NOON * 60 + COUNTED + 59) is first
    assert len(table.asked) == 1
    assert hour.read(NOON * 60 + COUNTED + 60)[1].strip == [*first[1].strip[1:], None]


def test_a_read_that_fails_leaves_what_was_known() -> None:
    table, failing = Table(), True

    def read(since: int, until: int) -> Iterator[Counts]:
        yield 1, since, 60, 60, 1000, 0
        if failing:
            raise OSError("the database is away")

    hour = LastHour(read)
    with pytest.raises(OSError, match="away"):
        hour.read(NOON * 60 + COUNTED)
    failing = False
    assert set(hour.read(NOON * 60 + COUNTED)) == {1}
    assert not table.asked
