"""What a TOML file says of a target: builds requests and reads answers, without a socket."""

from otpspec.profile import schema
from otpspec.profile.adapter import Adapter
from otpspec.profile.answers import Raw, Reading
from otpspec.profile.compiled import Profile
from otpspec.profile.load import load, shipped
from otpspec.profile.messages import Channel, Message
from otpspec.profile.places import MISSING, UnsayableError
from otpspec.profile.promise import load_policy
from otpspec.profile.requests import Operation, Request, Step

__all__ = [
    "MISSING",
    "Adapter",
    "Channel",
    "Message",
    "Operation",
    "Profile",
    "Raw",
    "Reading",
    "Request",
    "Step",
    "UnsayableError",
    "load",
    "load_policy",
    "schema",
    "shipped",
]
