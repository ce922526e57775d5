"""TLS over a socket that never blocks: bytes in, bytes out, and whether it must be waited for.

The layer is Python's own over two buffers in memory, so that it makes no difference whether the
process was patched by Locust, and nothing decrypted is ever left lying where no watcher sees it.
"""

import ssl
from typing import Any

_CHUNK = 65536


class Tls:
    """One connection's TLS, as its client."""

    def __init__(self, connected: Any, context: ssl.SSLContext, server_name: str) -> None:
        self._socket = connected
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._left = b""  # encrypted, and not yet taken by the socket
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_name)

    @property
    def wants_write(self) -> bool:
        """Whether the socket must become writable before anything else can happen."""
        return bool(self._left) or self._out.pending > 0

    def handshake(self) -> bool:
        """Go on with the handshake; whether it is done. Raises OSError."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
                if not self._fill():
                    return False
            else:
                self.flush()
                return True

    def send(self, data: bytes) -> int:
        """Encrypt all of it; what the socket does not take is kept for `flush`."""
        sent = self._tls.write(data)
        self.flush()
        return sent

    def flush(self) -> None:
        """Give the socket what it takes."""
        while self._left or self._out.pending:
            if not self._left:
                self._left = self._out.read()
            try:
                self._left = self._left[self._socket.send(self._left) :]
            except BlockingIOError:
                return

    def recv(self, size: int) -> bytes:
        """What has come, decrypted; b"" at the end. Raises BlockingIOError where nothing has."""
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                if self.wants_write:
                    self.flush()
                if not self._fill():
                    raise BlockingIOError from None
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLEOFError:
                return b""

    def _fill(self) -> bool:
        """Take in what the socket has; whether anything came."""
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return False
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
        return True
