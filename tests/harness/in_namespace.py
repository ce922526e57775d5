"""Asks guarded targets in a network of its own; test_guard_for_real.py runs it there, and judges.

Its one argument is the file that stands for /etc/hosts there. It prints what it saw as JSON.
"""

import asyncio
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from otpspec.errors import OtpspecError
from otpspec.guard import Guard, GuardedTransport, Rules, verification

TOKEN = "a-secret-of-the-profile-that-is-long-enough"
LINE = verification(TOKEN, "http://acs.example")

FIRST, SECOND, PRIVATE = "203.0.114.5", "203.0.114.6", "10.20.30.40"
METADATA = "169.254.169.254"

CASES: dict[str, tuple[Rules, dict[str, list[str]], str]] = {
    "public, proved": (Rules(ownership_token=TOKEN), {"acs": [FIRST]}, "/"),
    "public, one of two proved": (Rules(ownership_token=TOKEN), {"acs": [SECOND, FIRST]}, "/"),
    "public, not proved": (Rules(ownership_token=TOKEN), {"acs": [SECOND]}, "/"),
    "public, another origin": (Rules(ownership_token=TOKEN), {"other": [FIRST]}, "/"),
    "public, no token": (Rules(private=True), {"acs": [FIRST]}, "/"),
    "private, declared": (Rules(private=True), {"acs": [PRIVATE]}, "/"),
    "private, undeclared": (Rules(ownership_token=TOKEN), {"acs": [PRIVATE]}, "/"),
    "mixed": (Rules(private=True, ownership_token=TOKEN), {"acs": [PRIVATE, FIRST]}, "/"),
    "metadata": (Rules(private=True, ownership_token=TOKEN), {"acs": [METADATA]}, "/"),
    "redirect": (Rules(private=True), {"acs": [PRIVATE], "metadata": [METADATA]}, "/away"),
}
"""Rules, what names mean at first, and the path that is asked for. The first name is the target."""

asked: list[tuple[str, str]] = []  # address of the server, path


def serve(address: str, line: str) -> None:
    """A server that says hello, and has the owner's file if there is a line for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((address, self.path))
            file = self.path.startswith("/.well-known/")
            self.send_response(302 if self.path == "/away" else 404 if file and not line else 200)
            self.send_header("Location", "http://metadata.example/latest/meta-data/")
            self.end_headers()
            self.wfile.write((line if file else "hello").encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((address, 80), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


async def ask(guard: Guard, url: str) -> str:
    """What a request comes to, redirects followed."""
    transport = GuardedTransport(guard)
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as http:
        try:
            return (await http.get(url)).text
        except (OtpspecError, httpx.HTTPError) as error:
            return f"{type(error).__name__}: {error}"


def main(hosts: Path) -> None:
    def mean(names: dict[str, list[str]]) -> None:
        pairs = [(address, name) for name, addresses in names.items() for address in addresses]
        hosts.write_text("".join(f"{address} {name}.example\n" for address, name in pairs))

    for address, line in [(FIRST, LINE), (SECOND, ""), (PRIVATE, LINE), (METADATA, LINE)]:
        serve(address, line)
    found = {}
    for case, (rules, names, path) in CASES.items():
        asked.clear()
        target = next(iter(names))
        url = f"http://{target}.example"
        guard = Guard(rules, [url])
        mean(names)
        first = asyncio.run(ask(guard, url + path))
        mean({**names, target: [SECOND]})  # the same name means another place now
        second = asyncio.run(ask(guard, url + path))
        found[case] = {"said": [first, second], "asked": list(asked)}
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
