"""How the target is reached: over the network, started by us, or as an app in this process."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from otpspec.clock import Reading, TimeHook
from otpspec.errors import Problem, ProfileError
from otpspec.exchange import Access, Wire
from otpspec.faketime import Faketime, FaketimeHook, find_library
from otpspec.faults import no_answer
from otpspec.frozen import FrozenApp, FrozenHook
from otpspec.launch import launched
from otpspec.profile import Profile, Request
from otpspec.redact import Redactor
from otpspec.timehook import HttpTimeHook
from otpspec.witness import DateHeader


@dataclass(frozen=True)
class Reached:
    """A target that is there, and how its time is moved; None: it cannot be."""

    access: Access
    hook: TimeHook | None


@asynccontextmanager
async def opened(profile: Profile, redact: Redactor) -> AsyncIterator[Reached]:
    """The target, for as long as the block lasts.

    Raises OtpspecError where it cannot be reached: what is wrong, and what to try.
    """
    async with AsyncExitStack() as stack:
        if profile.clock.kind == "frozen":
            yield await _in_process(profile, stack)
            return
        faketime = None
        if profile.clock.kind == "faketime":
            faketime = stack.enter_context(Faketime(find_library()))
        access = Access(profile)
        if profile.launch is not None:
            await _launch(profile, access, stack, faketime, redact)
        elif faketime is not None:
            raise _not_launched(profile)
        await access.verify()
        wire = Wire(access)
        stack.push_async_callback(wire.aclose)
        if faketime is not None:
            yield Reached(access, FaketimeHook(faketime, _witness(profile, access, wire)))
        elif profile.clock.kind == "http":
            hook = HttpTimeHook(profile, wire)
            await hook.lease()
            stack.push_async_callback(hook.release)
            yield Reached(access, hook)
        else:
            yield Reached(access, None)


@asynccontextmanager
async def started(
    profile: Profile, redact: Redactor, *, clock_rate: float = 1.0
) -> AsyncIterator[None]:
    """The target's own command, where the profile has one, for as long as the block lasts.

    `clock_rate`: how fast its time runs, where libfaketime moves it. Raises OtpspecError where it
    does not come up.
    """
    async with AsyncExitStack() as stack:
        faketime = None
        if profile.clock.kind == "faketime":
            faketime = stack.enter_context(Faketime(find_library(), clock_rate))
        if profile.launch is not None:
            await _launch(profile, Access(profile), stack, faketime, redact)
        elif faketime is not None:
            raise _not_launched(profile)
        yield


def _not_launched(profile: Profile) -> ProfileError:
    text = 'missing; clock.kind = "faketime" moves a target that the harness starts itself'
    return ProfileError(profile.source, [Problem("launch", text)])


async def _in_process(profile: Profile, stack: AsyncExitStack) -> Reached:
    app = stack.enter_context(FrozenApp(profile.clock.app))
    access = Access(profile, app.transport())
    wire = Wire(access)
    return Reached(access, FrozenHook(app, _witness(profile, access, wire)))


async def _launch(
    profile: Profile,
    access: Access,
    stack: AsyncExitStack,
    faketime: Faketime | None,
    redact: Redactor,
) -> None:
    launch = profile.launch
    assert launch is not None  # noqa: S101 - the caller has looked

    async def ready() -> bool:
        try:
            await _get(access, profile, launch.ready)
        except httpx.HTTPError:
            return False
        return True

    process = launched(
        launch.command,
        folder=profile.folder / launch.folder,
        env=launch.env,
        extra_env=faketime.environment() if faketime else None,
        on_end=faketime.clean if faketime else lambda pid: None,
        ready=ready,
        wait=launch.wait,
        redact=redact,
    )
    await stack.enter_async_context(process)


def _witness(profile: Profile, access: Access, wire: Wire) -> Callable[[], Awaitable[Reading]]:
    """How the target's own time is seen: by its endpoint, or by the Date header of its answers."""
    if profile.clock.read is not None:
        return HttpTimeHook(profile, wire).read

    async def headers() -> Mapping[str, str]:
        try:
            return await _get(access, profile, "/")
        except httpx.HTTPError as error:
            request = Request("clock read", "GET", "/", (), b"", profile.origin)
            raise no_answer(profile, request, "no answer to GET /") from error

    return DateHeader(headers, profile.base_url)


async def _get(access: Access, profile: Profile, path: str) -> Mapping[str, str]:
    """The headers of a path's answer, over a connection of its own: another worker may answer."""
    wire = Wire(access)
    try:
        raw = await wire.send(Request("probe", "GET", path, (), b"", profile.origin))
    finally:
        await wire.aclose()
    return raw.headers
