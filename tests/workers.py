"""A pytest plugin: how several processes share the tests. Most of the time these wait, and two cores carry three."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# What takes longest begins first, so that no process is left alone with it.
ORDER = ("deploy", "browser", "ping", "watch", "alerts", "site", "bench")
# They share what takes long to start, and break it on purpose.
TOGETHER = "tests/deploy/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the longest first, and folders that nobody has timed last."""
    places = {folder: place for place, folder in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(ORDER)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Share them out."""
    return Share(config, log)


class Share(LoadScopeScheduling):
    """Hands out a file at a time, or a whole folder; each belongs to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER if nodeid.startswith(TOGETHER) else nodeid.partition("::")[0]
