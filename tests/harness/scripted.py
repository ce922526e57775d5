"""A small HTTP server in a thread, whose answers a test writes down; it counts what it is asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request, as it came over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


Said = tuple[int, Any] | tuple[int, Any, dict[str, str]]
"""Status, body (JSON; bytes go as they are), headers."""


@dataclass
class Scripted:
    """The server; `asked` holds every request that has come."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def targets(self) -> list[str]:
        """What was asked for, in order."""
        return [f"{asked.method} {asked.target}" for asked in self.asked]


@contextmanager
def scripted(answer: Callable[[Asked], Said]) -> Iterator[Scripted]:
    """Serve on a free port for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 20

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, list(self.headers.items()), body)
            server.asked.append(asked)
            status, said, *more = answer(asked)
            if said is None:
                self.close_connection = True  # no answer at all
                return
            raw = said if isinstance(said, bytes) else json.dumps(said).encode()
            headers = {"Content-Length": str(len(raw)), **(more[0] if more else {})}
            lines = [f"HTTP/1.1 {status} X", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
            self.wfile.write("\r\n".join(lines).encode() + raw)
            self.close_connection |= len(raw) < int(headers["Content-Length"])  # cut off

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as listening:
        server = Scripted(f"http://127.0.0.1:{listening.server_address[1]}")
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join(5)
