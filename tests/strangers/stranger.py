"""How a stranger's server is started, and where its messages are caught by hand."""

import json
import re
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs

HERE = Path(__file__).parent
NODE = shutil.which("node")
SUPPORT_TOKEN = "token-of-the-support-desk"
TEXTGATE_USER = "shop:a-password-of-the-tests"


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def table(name: str) -> dict[str, Any]:
    """What the server knows of itself: its "bugs" or its "odds"."""
    words = [str(NODE), str(HERE / "server.mjs"), f"--list-{name}"]
    found: dict[str, Any] = json.loads(subprocess.check_output(words, timeout=20))
    return found


@dataclass(frozen=True)
class Stranger:
    """A server that listens."""

    url: str
    process: subprocess.Popen[str] = field(repr=False)


@contextmanager
def stranger(shape: str, *options: str) -> Iterator[Stranger]:
    """Start a server on a free port; it ends with the block."""
    words = [str(NODE), str(HERE / "server.mjs"), "--shape", shape]
    words += ["--token", SUPPORT_TOKEN, "--user", TEXTGATE_USER, *options]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        assert first.startswith("stranger on http://127.0.0.1:"), first
        yield Stranger(first.rpartition(" ")[2], process)
    finally:
        process.terminate()
        process.communicate(timeout=10)


def cards_csv(folder: Path, *, count: int = 900) -> Path:
    """A file of cards that a server and a profile both know."""
    lines = ["pan,phone"]
    lines += [f"99990000{n:08d},+99955{n:08d}" for n in range(1, count + 1)]
    file = folder / "cards.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


# --- where messages are caught, for tests without the harness -----------------------------------


@dataclass
class Caught:
    """Messages by contact, in the order in which they came."""

    address: str
    texts: dict[str, list[str]] = field(default_factory=dict)
    came: threading.Condition = field(default_factory=threading.Condition)

    def add(self, to: str, text: str) -> None:
        """Keep a message."""
        with self.came:
            self.texts.setdefault(to, []).append(text)
            self.came.notify_all()

    def next(self, to: str, number: int) -> str:
        """The message of that number to a contact; it is waited for."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.texts.get(to, [])) >= number, 5)
            return self.texts[to][number - 1]


class _Smtp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        caught = cast("Any", self.server).caught
        to = ""
        self.wfile.write(b"220 sink\r\n")
        for raw in self.rfile:
            line = raw.decode().strip()
            if line.upper().startswith("RCPT TO"):
                to = re.sub(r".*<(.*)>.*", r"\1", line)
            if line.upper() == "DATA":
                self.wfile.write(b"354 go on\r\n")
                data = b"".join(iter(self.rfile.readline, b".\r\n"))
                body = message_from_bytes(data, policy=policy.default).get_body()
                caught.add(to, "" if body is None else body.get_content())
            self.wfile.write(b"221 bye\r\n" if line.upper() == "QUIT" else b"250 ok\r\n")
            if line.upper() == "QUIT":
                return


class _Sms(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sent = parse_qs(body)
        cast("Any", self.server).caught.add(sent["To"][0], sent["Body"][0])
        self.send_response(201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def catching(kind: str) -> Iterator[Caught]:
    """A sink for "smtp" or "sms"."""

    class Mails(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 100

    server: Any
    if kind == "smtp":
        server = Mails(("127.0.0.1", 0), _Smtp)
    else:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Sms)
    host, port = server.server_address
    address = f"{host}:{port}"
    server.caught = Caught(address if kind == "smtp" else f"http://{address}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.caught
    finally:
        server.shutdown()
        server.server_close()
