"""A Python app in this process as a target: no socket of its own, and its time held still."""

import importlib
import inspect
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from a2wsgi import WSGIMiddleware
from asgi_lifespan import LifespanManager, LifespanNotSupported

from otpspec.errors import TargetError

App = Callable[..., Any]

_START_S = 30.0  # seconds for an app's lifespan to start, and to end


def find_app(name: str) -> App:
    """The app of "package.module:app".

    Raises TargetError where there is none.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise TargetError(f'"{name}" names no app.\nTry: --app package.module:app')
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # as uvicorn does
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise TargetError(
            f"The app {name} cannot be imported ({error}).\n"
            "Try: run otpspec where the app's own tests run, with its packages installed."
        ) from error
    if not callable(found):
        raise TargetError(f"{name} is not an ASGI app, but a {type(found).__name__}.")
    return found  # type: ignore[no-any-return]


def is_wsgi(app: App) -> bool:
    """Whether an app is WSGI, called with (environ, start_response); else ASGI.

    Raises TargetError where it takes neither that nor (scope, receive, send).
    """
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(
        getattr(app, "__call__", None)  # noqa: B004 - not whether it can be called, but how
    ):
        return False
    try:
        signature = inspect.signature(app)
    except (TypeError, ValueError):  # written in C: say what is most usual
        return False
    if _takes(signature, 3):
        return False
    if _takes(signature, 2):
        return True
    raise TargetError(
        f"The app takes {signature}: neither (scope, receive, send), as ASGI has it, nor "
        "(environ, start_response), as WSGI has it.\n"
        "Try: name the app itself, not a function that makes it."
    )


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


@asynccontextmanager
async def running(app: App) -> AsyncIterator[App]:
    """The app as ASGI, its lifespan started; one that has none runs without.

    Raises TargetError where it does not start.
    """
    if is_wsgi(app):
        wrapped = WSGIMiddleware(app)
        try:
            yield wrapped
        finally:
            wrapped.executor.shutdown(wait=False, cancel_futures=True)
        return
    manager = LifespanManager(_forgiving(app), startup_timeout=_START_S, shutdown_timeout=_START_S)
    try:
        await manager.__aenter__()
    except LifespanNotSupported:
        yield app
        return
    except Exception as error:
        raise TargetError(
            f"The app does not start ({type(error).__name__}: {error}).\n"
            "Try: start it as you do otherwise, and see what it says."
        ) from error
    try:
        yield manager.app
    finally:
        await manager.__aexit__(None, None, None)


def _forgiving(app: App) -> App:
    """The app, its lifespan as servers take it: one that returns at once has none, and one that
    says that its start failed is believed. asgi-lifespan would wait for the first for ever."""

    async def forgiving(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        asked, said, failed = 0, 0, ""

        async def ask() -> Any:
            nonlocal asked
            asked += 1
            return await receive()

        async def say(message: Any) -> None:
            nonlocal said, failed
            if message["type"].endswith(".failed"):
                failed = message.get("message") or "it says no more"
                return
            said += 1
            await send(message)

        await app(scope, ask, say)
        if failed:
            raise RuntimeError(failed)
        for number, kind in list(enumerate(("startup", "shutdown")))[said:]:
            if asked <= number:
                await receive()
            await send({"type": f"lifespan.{kind}.complete"})

    return forgiving


@asynccontextmanager
async def started(app: App) -> AsyncIterator[httpx.ASGITransport]:
    """The app running on this event loop, behind httpx's transport."""
    async with running(app) as asgi:
        yield httpx.ASGITransport(app=asgi, raise_app_exceptions=False)
