"""What to say of a target that cannot be used."""

from otpspec.errors import TargetError
from otpspec.profile import Profile, Request


def no_answer(profile: Profile, request: Request, why: str) -> TargetError:
    """What to say where nobody answers."""
    return TargetError(
        f"No answer from {request.origin or profile.base_url} ({why}).\n"
        f"  profile   {profile.source}, target.base_url\n"
        f"  request   {request.method} {request.target}\n"
        "No rule was checked, so this says nothing about the target.\n"
        "Try: start the target, or give its address with --base-url."
    )


def wrong_answer(profile: Profile, request: Request, table: str, why: object) -> TargetError:
    """What to say where an answer is not as the profile says."""
    return TargetError(
        f"{request.origin or profile.base_url} does not answer as the profile's [{table}] says "
        f"({why}).\n"
        f"  profile   {profile.source}\n"
        f"  request   {request.method} {request.target}\n"
        "No rule was checked, so this says nothing about the target.\n"
        "Try: check --base-url, and that tokens in the environment are those of this server."
    )
