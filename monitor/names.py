"""Names to addresses for those who watch: a few at a time, each within a deadline, checked."""

import asyncio
import ipaddress
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from monitor.ping.host import BadHost, Policy, check_addresses, resolve

RESOLVE_SECONDS = 3.0
RESOLVERS = 8

Resolve = Callable[[str, str], list[str]]


class Names:
    """Looks up names in threads of its own; getaddrinfo(3) knows no deadline and would hold up everybody else's."""

    def __init__(self, resolve: Resolve = resolve) -> None:
        self._resolve = resolve
        self._threads = ThreadPoolExecutor(RESOLVERS, "names")
        self._room = asyncio.Semaphore(RESOLVERS)

    async def find(self, host: str, family: str) -> str:
        """The address to ask; `BadHost` where there is none that may be asked."""
        if is_address(host):
            return check_addresses(self._resolve(host, family), Policy.UNICAST)
        async with self._room:
            try:
                async with asyncio.timeout(RESOLVE_SECONDS):
                    loop = asyncio.get_running_loop()
                    addresses = await loop.run_in_executor(self._threads, self._resolve, host, family)
            except TimeoutError:
                raise BadHost("name_timeout", "", f"The name service did not answer for {host}.") from None
        return check_addresses(addresses, Policy.UNICAST)

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def is_address(host: str) -> bool:
    """Whether this is a numeric address, which needs no looking up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
