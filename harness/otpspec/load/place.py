"""Where requests of a load run go: an origin whose addresses the guard has verified."""

from otpspec.exchange import guard
from otpspec.guard import Address, Guard
from otpspec.guard.origin import Origin
from otpspec.profile import Profile


class Place:
    """Where a target is: verified before anything is sent, and asked of the guard ever after."""

    def __init__(self, origin: str, guard: Guard) -> None:
        """Raises NotAllowedError where it may not be connected to, TargetError without address."""
        if type(guard) is not Guard:  # one that says yes to everything would be a way around it
            raise TypeError(f"a place needs a Guard itself, not {type(guard).__name__}")
        guard.check(origin)
        where = Origin.parse(origin)
        self._guard = guard
        self._where = where
        self.origin = origin
        self.host = where.place
        self.server_name = where.host
        self.tls = guard.tls if where.scheme == "https" else None
        _ = self.addresses

    @property
    def addresses(self) -> list[Address]:
        """The addresses that may be connected to."""
        return self._guard.addresses(self._where.host, self._where.port)


def places(profile: Profile) -> dict[str, Place]:
    """Every origin of a profile, verified; the target's own first.

    Raises OtpspecError where one may not be connected to.
    """
    guarded = guard(profile)
    origins = sorted(profile.origins, key=lambda origin: origin != profile.origin)
    return {origin: Place(origin, guarded) for origin in origins}
