"""What a TOML file says of a target: builds requests and reads answers, without a socket."""

from otpspec.profile.answers import Reading
from otpspec.profile.compiled import Message, Operation, Profile, Request
from otpspec.profile.load import load, shipped
from otpspec.profile.places import MISSING
from otpspec.profile.promise import load_policy

__all__ = [
    "MISSING",
    "Message",
    "Operation",
    "Profile",
    "Reading",
    "Request",
    "load",
    "load_policy",
    "shipped",
]
