"""The server as an ASGI app, to be served by uvicorn or used in the same process."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope

from otpspec_reference import openapi
from otpspec_reference.answers import Answer, Status
from otpspec_reference.clock import Clock
from otpspec_reference.hooks import Hooks
from otpspec_reference.http import NO_STORE, Endpoint, Face, refuse_error, refuse_http
from otpspec_reference.mutants import MUTANTS, STRICT
from otpspec_reference.outbox import Outbox
from otpspec_reference.settings import Settings

try:
    VERSION = installed_version("otpspec")
except PackageNotFoundError:  # run from a source tree
    VERSION = "0+unknown"


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> Starlette:
    """The server with these settings, strict unless they name a mutant.

    Without a clock it takes real time, read at each call: a process whose time is frozen or faked
    is followed. Its parts are at hand in the process: `app.state.settings`, `.safekey`, `.clock`,
    `.outbox`. Raises KeyError where no mutant has the name.
    """
    settings = settings or Settings()
    mutant = STRICT if settings.mutant is None else MUTANTS[settings.mutant]
    settings = mutant.with_presets(settings)

    clock = clock or Clock(settings.clock_rate)
    outbox = Outbox()
    safekey = mutant.safekey(settings, clock, outbox.put if settings.test_hooks else send_nowhere)
    face = mutant.face(safekey, settings.support_token or settings.test_token)

    routes = [*face.routes(), health_route(face), description_route(settings)]
    if settings.test_hooks:
        routes += Hooks(face, clock, outbox, settings.test_token).routes()
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: refuse_http, Exception: refuse_error},
    )
    app.router.redirect_slashes = False
    app.state.settings = settings
    app.state.safekey = safekey
    app.state.clock = clock
    app.state.outbox = outbox
    return app


def send_nowhere(to: str, channel: str, text: str, sent_at: float) -> None:
    """Without test hooks nobody could read a message; no gateway to a real one is built in."""


def health_route(face: Face) -> Route:
    """That the server answers, and which it is."""

    async def health(scope: Scope, receive: Receive) -> Answer:
        return Answer(Status.OK, {"version": VERSION})

    return Route("/health", Endpoint(face, health), methods=["GET"])


def description_route(settings: Settings) -> Route:
    """The OpenAPI description, made once."""
    body = msgspec.json.encode(openapi.describe(settings, VERSION))

    async def describe(request: Request) -> Response:
        return Response(body, headers=NO_STORE, media_type="application/json")

    return Route("/openapi.json", describe)
