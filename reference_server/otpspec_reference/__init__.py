"""The SafeKey rules as a small server, strict or broken on purpose.

It shares no code with `otpspec`, which judges it: their mistakes would cancel out.
"""

from otpspec_reference.app import create_app
from otpspec_reference.command import main
from otpspec_reference.settings import Settings

__all__ = ["Settings", "create_app", "main"]
