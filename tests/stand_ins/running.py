"""What every stand-in needs to run: options, a clock that tests can move, a free port."""

import argparse
import socket
import time

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


class TestClock:
    """The server's time, which a test can move forward."""

    def __init__(self) -> None:
        self._moved = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._moved

    async def read(self, request: Request) -> JSONResponse:
        """GET /test/clock."""
        return JSONResponse({"now": self.now()})

    async def advance(self, request: Request) -> JSONResponse:
        """POST /test/clock/advance."""
        self._moved += float((await request.json())["seconds"])
        return JSONResponse({"now": self.now()})

    def routes(self) -> list[Route]:
        """Where it is moved."""
        return [
            Route("/test/clock", self.read),
            Route("/test/clock/advance", self.advance, methods=["POST"]),
        ]


class Gateway:
    """Sends short messages, as an application does: by asking a gateway over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(timeout=10)

    async def send(self, fields: dict[str, str], path: str = "/") -> None:
        """Hand a message over."""
        (await self._http.post(self.url + path, data=fields)).raise_for_status()


def options(name: str) -> argparse.ArgumentParser:
    """The options that all stand-ins have."""
    parser = argparse.ArgumentParser(name)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--validity", type=float, default=600.0, help="seconds")
    parser.add_argument("--sms", default="http://127.0.0.1:8026", help="the gateway's URL")
    parser.add_argument("--token", default="", help="what support, or every caller, shows")
    return parser


def serve(name: str, port: int, routes: list[Route]) -> None:
    """Listen, say where, and serve until the end."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(2048)
    print(f"{name} on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(Starlette(routes=routes), log_level="warning", lifespan="off")
    uvicorn.Server(config).run(sockets=[listening])
