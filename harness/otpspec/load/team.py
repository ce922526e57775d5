"""What a master and its workers tell each other, by Locust's own messages, and who may take part.

A worker says hello; it is refused, or it is given its part of the run. It makes ready, begins when
all are ready, reports once a second, and once more when it is told to end.
"""

import hashlib
import os
import socket
from importlib import metadata

import msgspec

from otpspec.errors import TargetError
from otpspec.load.messages import Order
from otpspec.profile import Profile, schema
from otpspec.profile.load import text_of

HELLO, REFUSED, PART, READY = "otpspec-hello", "otpspec-refused", "otpspec-part", "otpspec-ready"
BEGIN, REPORT, END = "otpspec-begin", "otpspec-report", "otpspec-end"

_ROUNDS = 100_000  # nobody tries out card numbers until they fit a fingerprint
_SERVERS = (schema.SmtpInbox, schema.SmsInbox)


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """Who someone is: a master and a worker that take part in one run are alike in all but this
    machine."""

    host: str
    pid: int
    otpspec: str
    locust: str
    profile: str  # a fingerprint: of its text, of the changes to it, and of its cards
    base_url: str

    @classmethod
    def of(cls, order: Order, profile: Profile) -> "Hello":
        """Who this process is."""
        parts = msgspec.json.encode([text_of(order.profile), order.changes, profile.cards])
        mark = hashlib.pbkdf2_hmac("sha256", parts, b"otpspec", _ROUNDS).hex()[:16]
        return cls(
            host=socket.gethostname(),
            pid=os.getpid(),
            otpspec=metadata.version("otpspec"),
            locust=metadata.version("locust"),
            profile=mark,
            base_url=profile.base_url,
        )

    def refusal(self, worker: "Hello") -> str:
        """Why a worker may not take part in this master's run; empty where it may."""
        pairs = {
            "otpspec": (worker.otpspec, self.otpspec),
            "locust": (worker.locust, self.locust),
            "base_url": (worker.base_url, self.base_url),
        }
        differ = [
            f"  {name:<9} {theirs} at the worker, {ours} at the master"
            for name, (theirs, ours) in pairs.items()
            if theirs != ours
        ]
        if worker.profile != self.profile:
            differ.append("  profile   another text, other cards, or other changes (--set)")
        if not differ:
            return ""
        return "\n".join(
            [
                f"The worker on {worker.host} (process {worker.pid}) does not fit its master, and "
                "was refused.",
                *differ,
                "Try: the same version, profile, --base-url and --set at both.",
            ]
        )


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker does of a run."""

    order: Order
    index: int  # from 0
    count: int
    users: int  # in all workers together
    rate: float  # seconds of the target's time a second


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has measured up to now."""

    elapsed_s: float
    parcel: bytes = b""
    last: bool = False
    left: bool = False  # it was ended by someone of its own
    failure: str = ""  # why it cannot go on


encode = msgspec.msgpack.Encoder().encode
hello_of = msgspec.msgpack.Decoder(Hello).decode
part_of = msgspec.msgpack.Decoder(Part).decode
report_of = msgspec.msgpack.Decoder(Report).decode


def check_dealt(profile: Profile, count: int) -> None:
    """Raises TargetError where what the profile gives cannot be dealt out among so many workers."""
    if count < 2:
        return
    where = f"  profile   {profile.source}, "
    cards, most = len(profile.cards), profile.max_locked
    if isinstance(profile.channels[0].settings, _SERVERS):
        kind = profile.channels[0].settings.__struct_config__.tag
        raise TargetError(
            f"{count} workers cannot share an inbox that is a server of otpspec's own ({kind}): it "
            f"has one port.\n{where}[inbox]\nTry: one process."
        )
    if profile.cards and cards < count:
        raise TargetError(
            f"{cards} cards cannot be dealt out among {count} workers: no two share one.\n"
            f"{where}[cards]\nTry: fewer workers, or more cards."
        )
    if profile.cards and most is not None and most < count:
        raise TargetError(
            f"cards.max_locked = {most} cannot be dealt out among {count} workers: each must be "
            f"able to lock one.\n{where}cards.max_locked\nTry: fewer workers, or more cards."
        )
