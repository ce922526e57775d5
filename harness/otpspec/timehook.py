"""How a target's time is read and moved over HTTP."""

from typing import Any

import httpx

from otpspec.clock import Reading
from otpspec.errors import ClockError, TargetError
from otpspec.exchange import Wire, describe
from otpspec.faults import no_answer, wrong_answer
from otpspec.profile import Profile, Step
from otpspec.profile.answers import decode


class HttpTimeHook:
    """Moves a target's time through its test endpoint; holds the endpoint's lease meanwhile."""

    leans_on = ""
    hint = "end other runs against this target; check advance and read in the profile's [clock]."

    def __init__(self, profile: Profile, wire: Wire) -> None:
        self._profile = profile
        self._wire = wire
        self._lease = ""

    async def read(self) -> Reading:
        """Read the target's clock. Raises TargetError where that cannot be done."""
        return _reading(await self._ask(self._profile.clock.read, {}))

    async def advance(self, seconds: float) -> Reading:
        """Move the target's clock. Raises ClockError where it refuses."""
        values = {"seconds": seconds, "lease": self._lease}
        try:
            return _reading(await self._ask(self._profile.clock.advance, values))
        except TargetError as error:
            raise ClockError(str(error)) from error

    async def lease(self) -> None:
        """Take the lease, if the endpoint has one. Raises TargetError where another run has it."""
        if self._profile.clock.lease:
            self._lease = str((await self._ask(self._profile.clock.lease, {}))["lease"])

    async def release(self) -> None:
        """Give the lease back."""
        if self._profile.clock.release and self._lease:
            lease, self._lease = self._lease, ""
            await self._ask(self._profile.clock.release, {"lease": lease})

    async def _ask(self, step: Step | None, values: dict[str, Any]) -> dict[str, Any]:
        assert step is not None, "the profile's reader demands it"  # noqa: S101
        request = step.build(values)
        try:
            raw = await self._wire.send(request)
        except httpx.HTTPError as error:
            raise no_answer(self._profile, request, describe(error)) from error
        if raw.status == 409:
            raise TargetError(
                f"Another run moves the clock of {self._profile.base_url} at the moment.\n"
                "Try: wait for it to end; a run that was killed gives it free after half a minute."
            )
        try:
            if raw.status >= 300:
                raise ValueError(f"HTTP {raw.status}")
            captured = step.captured(raw)
            if step.keeps - captured.keys():
                if step.reads_json:
                    decode(raw.body)
                raise ValueError("something that [clock] captures is not in the answer")
            return captured
        except ValueError as error:
            raise wrong_answer(self._profile, request, "clock", error) from error


def _reading(captured: dict[str, Any]) -> Reading:
    try:
        return Reading(float(captured["now"]), float(captured.get("rate", 1.0)))
    except (KeyError, TypeError, ValueError) as error:
        raise TargetError("The target's clock does not read as seconds since 1970.") from error
