"""Small OTP apps that know nothing of the harness: their time is the process's own.

Each sends a code (POST /codes), takes it for ten minutes (POST /verify, the code as the body) and
tells the time (GET /time).
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic as from_import
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

VALIDITY = 600.0
codes: dict[str, float] = {}


def told() -> dict[str, float]:
    """The time, in every way in which an app may ask for it."""
    return {
        "now": time.time(),
        "time_ns": time.time_ns() / 1e9,
        "datetime": datetime.now(UTC).timestamp(),
        "naive": datetime.now().timestamp(),
        "monotonic": time.monotonic(),
        "from_import": from_import(),
    }


def answer(method: str, path: str, body: str) -> tuple[int, Any]:
    """What the apps have in common."""
    if (method, path) == ("POST", "/codes"):
        code = f"{len(codes):06}"
        codes[code] = time.time()
        return 201, {"code": code}
    if (method, path) == ("POST", "/verify"):
        return (200, {}) if time.time() - codes[body] < VALIDITY else (410, {})
    if path == "/slow":
        time.sleep(0.5)
        return 200, {}
    return 200, told()


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Nothing but a function: it knows no lifespan, as many tests' apps do not."""
    assert scope["type"] == "http"
    body = ""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"").decode()
        more = message.get("more_body", False)
    status, said = answer(scope["method"], scope["path"], body)
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The same for a WSGI server."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length).decode()
    status, said = answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], body)
    start_response(f"{status} X", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]


async def in_the_loop(request: Request) -> Response:
    """An endpoint of a framework."""
    status, said = answer(request.method, request.url.path, (await request.body()).decode())
    return JSONResponse(said, status)


def in_a_thread(request: Request) -> Response:
    """An endpoint that the framework calls in one of its threads."""
    return JSONResponse(
        answer(request.method, "/slow" if "slow" in request.url.path else "", "")[1]
    )


async def breaks(request: Request) -> Response:
    """An endpoint with a fault."""
    raise LookupError


started: list[float] = []


@asynccontextmanager
async def lifespan_of(app: Starlette) -> AsyncIterator[None]:
    """Tells that it was started, and that it was ended; a task of it sleeps all the while."""
    started.append(time.time())
    cleaning = asyncio.create_task(asyncio.sleep(3600))
    yield
    cleaning.cancel()
    started.clear()


starlette = Starlette(
    routes=[
        Route("/codes", in_the_loop, methods=["POST"]),
        Route("/verify", in_the_loop, methods=["POST"]),
        Route("/time", in_the_loop),
        Route("/thread/time", in_a_thread),
        Route("/thread/slow", in_a_thread),
        Route("/breaks", breaks),
    ],
    lifespan=lifespan_of,
)


@asynccontextmanager
async def broken_lifespan(app: Starlette) -> AsyncIterator[None]:
    """A database that is not there."""
    raise ConnectionError("no database")
    yield


async def says_that_it_failed(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """As the ASGI specification has it: a message, and no exception."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no mail server"})


async def passes_over(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Returns at once from what it does not know."""
    if scope["type"] == "http":
        await asgi(scope, receive, send)


does_not_start = Starlette(lifespan=broken_lifespan)
not_an_app = lambda: None  # noqa: E731
