"""Bursts: requests prepared on connections of their own, and released together.

Everything of each request is sent but its last byte; then the last bytes go, one plain send after
the other with nothing between them. That is as close together as one client can bring requests
over HTTP/1.1, and it does not depend on how long a connection or a handshake takes.
"""

from otpspec.burst.fire import Landed, Shot, fire
from otpspec.burst.overlap import Flight, Overlap, measure, most_at_once

__all__ = ["Flight", "Landed", "Overlap", "Shot", "fire", "measure", "most_at_once"]
