"""A target that counts what it is asked, and by whom: it says yes to everything."""

import re
import socket
import threading
import time
from collections import Counter
from contextlib import suppress

PROFILE = """
[target]
base_url = "http://127.0.0.1:1"
timeout = "5s"
correlation_header = "X-Request-Id"

[policy]
csc = "never"

{cards}

[operations.start]
method = "POST"
path = "/start/{{card.id}}"
capture = {{ id = "id" }}
answers = [{{ status = 200, json = {{ status = "ok" }}, outcomes = "done" }}]

[operations.verify]
method = "POST"
path = "/verify/{{challenge.id}}"
json = {{ otc = "{{otc}}" }}
answers = [{{ status = 200, json = {{ status = "ok" }}, outcomes = "approved" }}]

[operations.unlock]
method = "POST"
path = "/unlock/{{card.id}}"
answers = [{{ status = 200, outcomes = "done" }}]

[inbox]
kind = "static"
otc = "123456"
"""

ENROLLED = """
[operations.enroll]
method = "POST"
path = "/cards"
capture = { id = "id" }
answers = [{ status = 200, outcomes = "done" }]
"""


def given(count: int) -> str:
    """So many cards of the profile's own."""
    return "\n".join(
        f'[[cards.given]]\nid = "c{n}"\npan = "9999000000000{n:03}"\ncsc = "123"\n'
        f'phone = "+99900000{n:03}"\n'
        for n in range(1, count + 1)
    )


class Counting:
    """Counts requests by operation, and who asked about which card."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.asked: Counter[str] = Counter()
        self.starts: list[float] = []  # when, as time.monotonic shows it
        self.askers: dict[str, set[str]] = {}  # by card: the load processes
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            while data := client.recv(65536):
                self._count(data)
                body = b'{"status":"ok","id":"x1"}'
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n" + body)

    def _count(self, data: bytes) -> None:
        operation, _, card = data.split(b" ", 2)[1].decode().removeprefix("/").partition("/")
        who = re.search(rb"otpspec-(\w+)-", data)
        with self._lock:
            self.asked[operation] += 1
            if operation == "start":
                self.starts.append(time.monotonic())
            if operation == "start" and who is not None:
                self.askers.setdefault(card, set()).add(who[1].decode())

    def close(self) -> None:
        """Answer nobody any more."""
        self._listener.close()
