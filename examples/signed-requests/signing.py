"""Requests that carry a signature: an HMAC over method, path, time and body."""

import hashlib
import hmac
import os

from otpspec import Adapter, Request


class Signed(Adapter):
    """Signs every request of an operation with the key in the environment."""

    def prepare(self, request: Request) -> Request:
        """The request with X-Timestamp and X-Signature."""
        now = str(int(self.now().timestamp()))  # the target's time, which a check may move
        signed = f"{request.method}\n{request.target}\n{now}\n".encode() + request.body
        key = os.environ["ACME_SIGNING_KEY"].encode()
        signature = hmac.new(key, signed, hashlib.sha256).hexdigest()
        headers = (*request.headers, ("X-Timestamp", now), ("X-Signature", signature))
        return request._replace(headers=headers)
