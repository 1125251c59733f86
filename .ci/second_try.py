"""Run the tests; where a few failed, try these once more in a fresh process, and name those that then pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# More failures than these are no accident of one moment.
FEW = 3
FRESH = (sys.executable, "-X", "dev", "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider")


class Notes:
    """What became of the tests: which failed, and how; how many were found, and how many ended."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self.found = self.ended = 0
        self.crashed = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.found = len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        # Each of several processes finds all of them.
        self.found = len(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: object) -> None:
        # What was running in it is begun again in another one, and may pass.
        self.crashed = self.crashed or bool(error)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            how = f"{Path(crash.path).name}:{crash.lineno}: {crash.message}" if crash else report.longreprtext
            self.failed.setdefault(report.nodeid, f"({report.when}) {how}")

    def pytest_runtest_logfinish(self) -> None:
        self.ended += 1

    def allow_another(self, code: int) -> bool:
        """Whether nothing is wrong but a few tests, after every test that was found has ended, in whole processes."""
        whole = self.ended == self.found and not self.crashed
        return code == pytest.ExitCode.TESTS_FAILED and 0 < len(self.failed) <= FEW and whole


def run(arguments: list[str]) -> int:
    """The exit code of the tests, or of the second try; `arguments` are those of pytest."""
    surroundings, notes = dict(os.environ), Notes()
    code = pytest.main(["-q", *arguments], plugins=[notes])
    if not notes.allow_another(code):
        return code
    print(f"\n== second try of {len(notes.failed)}", flush=True)
    # By their names alone: were there none, pytest would run every test.
    code = subprocess.run([*FRESH, *notes.failed], env=surroundings, check=False).returncode
    print("\n== FLAKY: passed only when tried again, a defect to be mended" if code == 0 else "\n== failed twice")
    for test, how in notes.failed.items():
        print(f"{'FLAKY' if code == 0 else 'FAILED AT FIRST'}: {test}\n    " + how.replace("\n", "\n    "))
    return code


if __name__ == "__main__":
    # As `python -m pytest` has it.
    sys.path[0] = str(Path.cwd())
    sys.exit(run(sys.argv[1:]))
