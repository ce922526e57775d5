"""`python -m otpspec_reference`: serve until told to end."""

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn

from otpspec_reference import arguments
from otpspec_reference.app import create_app
from otpspec_reference.arguments import Arguments, UsageError
from otpspec_reference.mutants import MUTANTS
from otpspec_reference.settings import Settings

BACKLOG = 2048
KEEP_ALIVE_S = 75  # longer than a load client pauses: a request must not meet a closing connection
LAST_ANSWERS_S = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, then 0; 2 where the command line or the port is no good."""
    try:
        asked = arguments.read(argv, os.environ)
    except UsageError as error:
        return _refuse(str(error))
    if asked.list_mutants:
        print(listed_mutants())
        return 0
    try:
        listener = listen(asked.host, asked.port)
    except OSError as error:
        return _refuse(cannot_listen(asked, error))
    with listener:
        serve(asked, listener)
    return 0


def serve(asked: Arguments, listener: socket.socket) -> None:
    """Run the server on this socket until a signal ends it."""
    config = uvicorn.Config(
        create_app(asked.settings),
        access_log=False,
        backlog=BACKLOG,
        lifespan="off",
        log_config=None,
        log_level="warning",
        proxy_headers=False,  # who asks must not depend on what a header says
        server_header=False,
        timeout_graceful_shutdown=LAST_ANSWERS_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        ws="none",
    )
    server = AnnouncingServer(config, lambda: announce(asked, listener))
    with ended_by_signals(server):
        server.run(sockets=[listener])


class AnnouncingServer(uvicorn.Server):
    """Says that it listens once it does."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self._announce()


def announce(asked: Arguments, listener: socket.socket) -> None:
    """The first line is for programs to read: the address. Then what a person must know."""
    host, port = listener.getsockname()[:2]
    print(f"otpspec reference server on http://{_in_url(host)}:{port}")
    settings = asked.settings
    if settings.mutant is not None:
        mutant = MUTANTS[settings.mutant]
        print(f"mutant {mutant.name} ({mutant.rule}): {mutant.sentence}")
        if mutant.presets:
            print(f"with {' '.join(mutant.options(settings))}")
    if settings.test_hooks and not os.environ.get("OTPSPEC_TEST_TOKEN"):
        print(f"test token {settings.test_token}")
    if not settings.test_hooks and settings.support_token is None:
        print(f"support token {settings.test_token}")
    sys.stdout.flush()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError.

    Made with its protocol named, which `socket.create_server` does not: only then asyncio turns
    Nagle's algorithm off, which otherwise holds each answer's body back for 40 ms.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def cannot_listen(asked: Arguments, error: OSError) -> str:
    """Where, what, and what to do next."""
    advice = {
        errno.EADDRINUSE: "--port 0 for a free port, or end what listens there",
        errno.EACCES: "a port above 1023",
    }
    why = (error.strerror or str(error)).lower()
    return (
        f"Cannot listen on {_in_url(asked.host)}:{asked.port} ({why}).\n"
        f"Try: {advice.get(error.errno or 0, '--host 127.0.0.1')}"
    )


def listed_mutants() -> str:
    """Name, rule and sentence of each mutant, in columns, and the options it comes with."""
    name_width = max(len(mutant.name) for mutant in MUTANTS.values())
    rule_width = max(len(mutant.rule) for mutant in MUTANTS.values())
    default, lines = Settings(), []
    for mutant in MUTANTS.values():
        with_options = f" (with {' '.join(mutant.options(default))})" if mutant.presets else ""
        head = f"{mutant.name:{name_width}}  {mutant.rule:{rule_width}}"
        lines.append(f"{head}  {mutant.sentence}{with_options}")
    return "\n".join(lines)


@contextmanager
def ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the server, also while it starts, and do no more than that.

    uvicorn itself listens to them only while it runs, and then raises the one that ended it once
    more, for whoever handled it before: by default that would kill the process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending = (signal.SIGINT, signal.SIGTERM)
    before = {which: signal.signal(which, server.handle_exit) for which in ending}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 2
