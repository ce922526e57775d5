"""Certificates of our own, and of an authority of the target's own; names are always verified."""

import asyncio
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import trustme

from otpspec.errors import NotAllowedError, TargetError
from otpspec.guard import Guard, GuardedTransport, Rules, tls_context, verification

from .doors import leads, names

TOKEN = "a-secret-of-the-profile-that-is-long-enough"
ORIGIN = "https://acs.example"


class Files(NamedTuple):
    """An authority, a server's certificate by it, and one of ours, as files."""

    authority: trustme.CA
    ca: Path
    certificate: Path
    key: Path
    both: Path


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    ours = authority.issue_cert("harness@acs.example")
    found = Files(
        authority, *(folder / name for name in ("ca.pem", "cert.pem", "key.pem", "both.pem"))
    )
    authority.cert_pem.write_to_path(str(found.ca))
    ours.cert_chain_pems[0].write_to_path(str(found.certificate))
    ours.private_key_pem.write_to_path(str(found.key))
    ours.private_key_and_cert_chain_pem.write_to_path(str(found.both))
    return found


@contextmanager
def serving(
    authority: trustme.CA, name: str, body: str = "", *, wants_certificate: bool = False
) -> Iterator[str]:
    """A server with a certificate for `name`; its URL, by the number of its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as client:
                client.settimeout(5)
                if client.recv(65536):
                    client.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def get(url: str, tls: ssl.SSLContext) -> int:
    async def ask() -> int:
        transport = GuardedTransport(Guard(Rules(tls=tls), [url]))
        async with httpx.AsyncClient(transport=transport) as http:
            return (await http.get(url)).status_code

    return asyncio.run(ask())


def test_authority_of_the_targets_own_is_believed_where_it_is_named(files: Files) -> None:
    with serving(files.authority, "127.0.0.1") as url:
        assert get(url, tls_context(ca=files.ca)) == 200
        with pytest.raises(httpx.ConnectError, match=r"(?i)certificate verify failed"):
            get(url, tls_context())


def test_name_is_verified_whoever_signed(files: Files) -> None:
    with (
        serving(files.authority, "other.example") as url,
        pytest.raises(httpx.ConnectError, match=r"(?i)certificate verify failed"),
    ):
        get(url, tls_context(ca=files.ca))


def test_authorities_of_the_machine_are_believed_besides(files: Files) -> None:
    assert tls_context(ca=files.ca).cert_store_stats()["x509_ca"] > 10


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_no_variable_of_the_environment_adds_an_authority(
    name: str, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = files.ca.parent / "hashed"
    hashed.mkdir(exist_ok=True)
    (hashed / "ca.pem").write_bytes(files.ca.read_bytes())
    subprocess.run(["openssl", "rehash", str(hashed)], check=True)
    monkeypatch.setenv(name, str(hashed if name == "SSL_CERT_DIR" else files.ca))
    with serving(files.authority, "127.0.0.1") as url:
        obeys = ssl.create_default_context()
        assert get(url, obeys) == 200  # as Python does by itself
        with pytest.raises(httpx.ConnectError, match=r"(?i)certificate verify failed"):
            get(url, tls_context())


def test_secrets_of_connections_are_written_to_no_file(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with serving(files.authority, "127.0.0.1") as url:
        get(url, tls_context(ca=files.ca))

    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("together", [True, False])
def test_certificate_of_ours_is_shown_to_who_asks(together: bool, files: Files) -> None:
    ours = (
        tls_context(ca=files.ca, certificate=files.both)
        if together
        else tls_context(ca=files.ca, certificate=files.certificate, key=files.key)
    )
    with serving(files.authority, "127.0.0.1", wants_certificate=True) as url:
        assert get(url, ours) == 200
        with pytest.raises(httpx.TransportError):
            get(url, tls_context(ca=files.ca))


def test_owners_file_is_read_over_tls_by_the_hosts_name(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, ["8.8.8.8"])
    rules = Rules(ownership_token=TOKEN, tls=tls_context(ca=files.ca))
    with serving(files.authority, "acs.example", verification(TOKEN, ORIGIN)) as url:
        leads(monkeypatch, **{"8.8.8.8": url})

        assert Guard(rules, [ORIGIN]).addresses("acs.example", 443) == [("8.8.8.8", 443)]


@pytest.mark.parametrize("name", ["other.example", "8.8.8.8"])
def test_owners_file_under_another_name_proves_nothing(
    name: str, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, ["8.8.8.8"])
    rules = Rules(ownership_token=TOKEN, tls=tls_context(ca=files.ca))
    with serving(files.authority, name, verification(TOKEN, ORIGIN)) as url:
        leads(monkeypatch, **{"8.8.8.8": url})

        with pytest.raises(NotAllowedError, match="its certificate is not accepted"):
            Guard(rules, [ORIGIN]).addresses("acs.example", 443)


@pytest.mark.parametrize("mode", [ssl.CERT_NONE, ssl.CERT_REQUIRED])
def test_context_that_verifies_too_little_proves_nothing(
    mode: ssl.VerifyMode, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, ["8.8.8.8"])
    careless = tls_context(ca=files.ca)
    careless.check_hostname = False
    careless.verify_mode = mode
    with serving(files.authority, "other.example", verification(TOKEN, ORIGIN)) as url:
        leads(monkeypatch, **{"8.8.8.8": url})

        with pytest.raises(NotAllowedError, match="certificates would not be verified"):
            Guard(Rules(ownership_token=TOKEN, tls=careless), [ORIGIN]).addresses(
                "acs.example", 443
            )


def refusal(**paths: Path | None) -> str:
    """Why these files cannot be used."""
    with pytest.raises(TargetError) as raised:
        tls_context(**paths)
    return str(raised.value)


def test_file_that_is_not_there_is_reported(files: Files, tmp_path: Path) -> None:
    gone = tmp_path / "gone.pem"
    hint = "Try: check the path and its permissions."

    for name, more in [
        ("ca", {}),
        ("certificate", {}),
        ("key", {"certificate": files.certificate}),
    ]:
        assert refusal(**{name: gone}, **more) == (
            f"target.tls.{name}: {gone} cannot be read (No such file or directory).\n{hint}"
        )


def test_file_that_is_no_certificate_is_reported(files: Files, tmp_path: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("not a certificate")

    assert refusal(ca=text) == (
        f"target.tls.ca: {text} is no certificate in PEM.\n"
        "Try: the file should hold a line -----BEGIN CERTIFICATE-----."
    )
    for paths in ({"certificate": text}, {"certificate": files.certificate}):
        assert refusal(**paths) == (
            f"target.tls.certificate: {paths['certificate']} and its key are not both in PEM.\n"
            "Try: files with lines -----BEGIN CERTIFICATE----- and -----BEGIN PRIVATE KEY-----; "
            "one may hold both."
        )


def test_key_of_another_certificate_is_reported(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    files.authority.issue_cert("other.example").private_key_pem.write_to_path(str(other))

    assert refusal(certificate=files.certificate, key=other) == (
        f"target.tls.key: {other} is not the key of {files.certificate}.\nTry: name a pair."
    )


def test_key_without_a_certificate_is_reported(files: Files) -> None:
    assert refusal(key=files.key) == (
        f"target.tls.key: {files.key} has no certificate beside it.\n"
        "Try: name target.tls.certificate."
    )


def test_key_with_a_password_is_reported_and_asks_nobody(files: Files, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    words = ["openssl", "pkey", "-in", str(files.key), "-aes256", "-passout", "pass:secret"]
    subprocess.run([*words, "-out", str(locked)], check=True)

    assert refusal(certificate=files.certificate, key=locked) == (
        f"target.tls.key: {locked} holds a key that is locked with a password.\n"
        "Try: write it without, for this run: openssl pkey -in KEY -out UNLOCKED"
    )
