"""Tests that fail once are tried again, and named; those that fail twice fail the check."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.deployment import ROOT

# Fails until a file is there, which it leaves behind.
ONCE = """
import pathlib
import pytest

@pytest.mark.parametrize("name", ["a b", "c::d[e]"])
def test_once(name):
    mark = pathlib.Path(__file__).with_name(name)
    there = mark.exists()
    mark.touch()
    assert there, "not there yet"
"""
# Ends its process the first time.
CRASH = """
import os
import pathlib

def test_crash():
    mark = pathlib.Path(__file__).with_name("mark")
    there = mark.exists()
    mark.touch()
    if not there:
        os._exit(3)
"""
GOOD = "def test_good(): pass\n"
ALWAYS = "def test_always(): assert 1 == 2\n"


def check(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a file as CI does."""
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (folder / "test_it.py").write_text(text)
    command = (sys.executable, str(ROOT / ".ci/second_try.py"), "-p", "no:cacheprovider", *arguments)
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO")}
    return subprocess.run(command, cwd=folder, env=surroundings, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("sharing", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_what_fails_once_is_tried_again_alone_and_named(tmp_path: Path, sharing: tuple[str, ...]) -> None:
    done = check(tmp_path, ONCE + GOOD, *sharing)
    assert done.returncode == 0, done.stdout
    assert "2 failed, 1 passed" in done.stdout
    assert "== second try of 2" in done.stdout
    _, _, second = done.stdout.partition("== second try")
    assert "2 passed" in second
    assert "FLAKY: test_it.py::test_once[a b]\n    (call) test_it.py:10: AssertionError: not there yet" in second
    assert "FLAKY: test_it.py::test_once[c::d[e]]\n" in second


def test_what_fails_twice_fails_the_check(tmp_path: Path) -> None:
    done = check(tmp_path, ONCE + ALWAYS)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "== failed twice" in done.stdout
    assert "FLAKY" not in done.stdout


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (GOOD, (), pytest.ExitCode.OK),
        (
            "".join(ALWAYS.replace("always", f"always_{number}") for number in range(4)),
            (),
            pytest.ExitCode.TESTS_FAILED,
        ),
        (ONCE + GOOD, ("-x",), pytest.ExitCode.TESTS_FAILED),
        ("import nowhere_to_be_found\n", (), pytest.ExitCode.INTERRUPTED),
        ("", (), pytest.ExitCode.NO_TESTS_COLLECTED),
        (CRASH + GOOD, ("-n", "1", "--dist", "loadscope"), pytest.ExitCode.TESTS_FAILED),
    ],
    ids=["all passed", "many failed", "some were not run", "one file cannot be read", "no tests", "a process crashed"],
)
def test_there_is_no_second_try_where(
    tmp_path: Path, text: str, arguments: tuple[str, ...], code: pytest.ExitCode
) -> None:
    done = check(tmp_path, text, *arguments)
    assert done.returncode == code, done.stdout
    assert "second try" not in done.stdout
