"""`manage.py watch`: a watcher as a process of its own, beside those that serve."""

import asyncio
import gc
import signal
from typing import Any

from django.core.management.base import BaseCommand

from monitor.watcher import Watcher


class Command(BaseCommand):
    """Watch until told to stop."""

    help = "Watch all hosts. Several may run: one of them watches, and another takes over within ten seconds."

    def handle(self, *args: Any, **options: Any) -> None:
        """Watch until SIGINT or SIGTERM."""
        # What is loaded now stays: to look through it for garbage would make the packets of that moment late.
        gc.collect()
        gc.freeze()
        asyncio.run(self._watch())

    async def _watch(self) -> None:
        watcher, told = Watcher(), asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        watcher.start()
        self.stdout.write("watcher is ready")
        self.stdout.flush()
        await told.wait()
        await watcher.close()
