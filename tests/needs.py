"""What a test needs of the machine: missing, it skips by name; under CI=true it fails."""

import os
import shutil

import pytest


def need(*programs: str, root: bool = False) -> None:
    """Skip the calling test where a program, or root, is missing; fail it where CI promised them."""
    missing = [program for program in programs if not find_program(program)]
    if root and os.geteuid() != 0:
        missing.append("root")
    if missing:
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say(f"needs {', '.join(missing)}")


def find_program(name: str) -> str | None:
    """The path of a program, also where Debian keeps those of the administrator."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
