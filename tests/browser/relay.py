"""A cable between browser and server that can be cut, frozen and mended, and that reaches into a namespace."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext


class Relay:
    """Hands connections on `port` of this machine on to a server, which may live in another network."""

    def __init__(self, server_port: int, inside: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self.server_port = server_port
        self.inside = inside
        self.port = 0
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.flowing = threading.Event()
        self.mend()
        self.thaw()

    @property
    def url(self) -> str:
        """The address of the site through the cable."""
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        """Take connections, on the same port as ever."""
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def cut(self) -> None:
        """Break every connection and take no new one. The server sees its clients go."""
        # Closing alone does not wake the thread that waits in accept().
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one, other in self.pairs:
            for end in (one, other):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()

    def freeze(self) -> None:
        """Deliver nothing any more, and tell nobody: a half-open connection."""
        self.flowing.clear()

    def thaw(self) -> None:
        """Deliver again."""
        self.flowing.set()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                browser, _ = listener.accept()
                threading.Thread(target=self._carry, args=(browser,), daemon=True).start()

    def _carry(self, browser: socket.socket) -> None:
        with browser, contextlib.suppress(OSError):
            with self.inside():
                server = socket.create_connection(("127.0.0.1", self.server_port), 10)
            with server:
                server.settimeout(None)
                self.pairs.append((browser, server))
                self._pump(browser, server)

    def _pump(self, browser: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(browser, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, browser)
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    self.flowing.wait()
                    if not data:
                        return
                    key.data.sendall(data)
