"""Certificates: whose authorities are believed, and who we say that we are."""

import ssl
from functools import cache
from pathlib import Path

import certifi

from otpspec.errors import TargetError


def tls_context(
    *, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """What a connection by TLS is made with; hosts must prove their names, always.

    `ca` is believed beside the authorities of this machine; `certificate`, with its `key` if that
    is a file of its own, is shown to who asks for one. Raises TargetError where a file cannot be
    used.
    """
    # Not ssl.create_default_context, which obeys SSL_CERT_FILE, SSL_CERT_DIR and SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificates, and names
    context.load_verify_locations(certifi.where())
    machine = ssl.get_default_verify_paths()
    if Path(machine.openssl_cafile).is_file():
        context.load_verify_locations(cafile=machine.openssl_cafile)
    if Path(machine.openssl_capath).is_dir():
        context.load_verify_locations(capath=machine.openssl_capath)
    if ca is not None:
        try:
            context.load_verify_locations(_readable("ca", ca))
        except ssl.SSLError as error:
            raise _unusable("ca", ca, "is no certificate in PEM", _PEM) from error
    if certificate is not None:
        _show(context, certificate, key)
    elif key is not None:
        raise _unusable("key", key, "has no certificate beside it", "name target.tls.certificate.")
    return context


@cache
def default_context() -> ssl.SSLContext:
    """One context for all that need no certificate of their own: making it takes milliseconds."""
    return tls_context()


_PEM = "the file should hold a line -----BEGIN CERTIFICATE-----."


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    _readable("certificate", certificate)
    if key is not None:
        _readable("key", key)
    try:
        # A password that is not there is asked for at the terminal, and waited for.
        context.load_cert_chain(certificate, key, password=_no_password)
    except _EncryptedError:
        raise _unusable(
            "key" if key else "certificate",
            key or certificate,
            "holds a key that is locked with a password",
            "write it without, for this run: openssl pkey -in KEY -out UNLOCKED",
        ) from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise _unusable(
                "key", key or certificate, f"is not the key of {certificate}", "name a pair."
            ) from error
        raise _unusable(
            "certificate",
            certificate,
            "and its key are not both in PEM",
            "files with lines -----BEGIN CERTIFICATE----- and -----BEGIN PRIVATE KEY-----; "
            "one may hold both.",
        ) from error


class _EncryptedError(Exception):
    pass


def _no_password() -> str:
    raise _EncryptedError


def _readable(name: str, path: Path) -> Path:
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise _unusable(
            name, path, f"cannot be read ({error.strerror})", "check the path and its permissions."
        ) from error


def _unusable(name: str, path: Path, what: str, hint: str) -> TargetError:
    return TargetError(f"target.tls.{name}: {path} {what}.\nTry: {hint}")
