"""Which addresses this run may connect to: every connection of the harness passes here.

otpspec is a brute-force tool. It connects to origins that the profile names, and of those only to
addresses that were verified in this run: of this machine; of a private network, where the profile
declares it; public ones, where a file at the origin shows that its owner agrees. A name is
resolved once, and addresses, not names, are given to the transport: a name cannot mean something
else by the time it is used. No environment variable has a say in it, and nothing is kept for
another run.
"""

from otpspec.guard.ownership import new_token, verification
from otpspec.guard.tls import tls_context
from otpspec.guard.transport import GuardedTransport
from otpspec.guard.verified import Address, Guard, Rules

__all__ = [
    "Address",
    "Guard",
    "GuardedTransport",
    "Rules",
    "new_token",
    "tls_context",
    "verification",
]
