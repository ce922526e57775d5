"""An ASGI app in this process as a target: no socket, and its time held still."""

import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
from asgi_lifespan import LifespanManager
from freezegun import freeze_time

from otpspec.errors import TargetError


def find_app(name: str) -> Callable[..., Any]:
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


@asynccontextmanager
async def started(app: Callable[..., Any]) -> AsyncIterator[httpx.ASGITransport]:
    """The app with its lifespan started, behind httpx's transport, which starts none itself."""
    async with LifespanManager(app) as manager:
        yield httpx.ASGITransport(app=manager.app, raise_app_exceptions=False)


@contextmanager
def held_time() -> Iterator[None]:
    """Hold the app's time still.

    asyncio keeps real time, else its loop would never wake; so does the benchmark's own timer.
    """
    with freeze_time(real_asyncio=True, ignore=["pytest_benchmark", "_pytest", "anyio"]):
        yield
