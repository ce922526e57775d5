"""A server that does next to nothing, so that what is measured is the client: python raw_server.py

It answers enrolments, starts and verifies as they should be, keeps no state, and prints its port;
/cards/count says how many enrolments there were.
`--stall FOR --each EVERY`: answers nothing for so many seconds in each so many. `--tls FILE`: a
certificate and its key.
"""

import argparse
import asyncio
import ssl
import time

import httptools
import uvloop

_HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_STARTED = b'{"transaction_id":"t%d","status":"pending","csc_required":false}'
_ENROLLED = b'{"card_id":"c%d","status":"enrolled"}'
_APPROVED = b'{"status":"approved"}'


class Server:
    """What its connections share."""

    def __init__(self, stall: float, each: float) -> None:
        self.stall = stall
        self.each = each
        self.began = 0.0  # of the first request
        self.number = 0
        self.enrolled = 0

    def wakes(self) -> float:
        """How long it answers nothing yet."""
        if not self.stall:
            return 0.0
        self.began = self.began or time.monotonic()
        into = (time.monotonic() - self.began - self.each / 2) % self.each
        return self.stall - into if into < self.stall else 0.0


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_message_complete(self) -> None:
        server = self._server
        server.number += 1
        if self._url.endswith(b"/verify"):
            status, body = b"200 OK", _APPROVED
        elif self._url == b"/cards/count":
            status, body = b"200 OK", b"%d" % server.enrolled
        elif self._url == b"/cards":
            server.enrolled += 1
            status, body = b"201 Created", _ENROLLED % server.number
        else:
            status, body = b"201 Created", _STARTED % server.number
        answer = _HEAD % (status, len(body)) + body
        if wait := server.wakes():
            asyncio.get_running_loop().call_later(wait, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def serve(options: argparse.Namespace) -> None:
    """Serve until killed."""
    server = Server(options.stall, options.each)
    tls = None
    if options.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.tls)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: Client(server), "127.0.0.1", 0, backlog=4096, ssl=tls
    )
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


def main() -> None:
    """Read the options, and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stall", type=float, default=0.0)
    parser.add_argument("--each", type=float, default=10.0)
    parser.add_argument("--tls", default="")
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
