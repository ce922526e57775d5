"""Starts the real products as real processes, with fresh databases, on free ports."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.products.install import HERE, NODE, environment

ADMIN_PASSWORD = "admin-of-the-tests"


@dataclass(frozen=True)
class Product:
    """A product that listens, and where it delivers its mail."""

    url: str
    mail: str  # host:port, where nobody listens until a run of the harness does
    process: subprocess.Popen[bytes]
    env: dict[str, str] = field(default_factory=dict)  # what its profile asks of the environment


def django_allauth(
    folder: Path,
    *,
    workers: int,
    threads: int,
    timeout_s: int,
    starts_limit: str | None,
) -> Product:
    """Start a site of django-allauth; `starts_limit` None is the product's default."""
    mail = f"127.0.0.1:{free_port()}"
    env = {
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": str(HERE / "django_allauth"),
        "SITE_DATABASE": str(folder / "site.sqlite"),
        "SITE_CACHE": str(folder / "cache"),
        "SITE_MAIL": mail,
        "SITE_CODE_TIMEOUT": str(timeout_s),
        "SITE_STARTS_LIMIT": starts_limit or "",
    }
    run("django_allauth", "-m", "django", "migrate", "-v0", env=env, folder=folder)
    url, process = gunicorn(
        "django_allauth",
        "django.core.wsgi:get_wsgi_application()",
        workers=workers,
        threads=threads,
        env=env,
        folder=folder,
        ready="/_allauth/app/v1/config",
    )
    return Product(url, mail, process)


def privacyidea(folder: Path, *, workers: int, threads: int, validity_s: int) -> Product:
    """Start a privacyIDEA that sends its codes by mail."""
    mail = f"127.0.0.1:{free_port()}"
    env = {
        "PRIVACYIDEA_CONFIGFILE": str(HERE / "privacyidea" / "pi.cfg"),
        "SITE_FOLDER": str(folder),
        "SITE_ADMIN_PASSWORD": ADMIN_PASSWORD,
    }
    run("privacyidea", HERE / "privacyidea" / "prepare.py", env=env, folder=folder)
    url, process = gunicorn(
        "privacyidea",
        f'privacyidea.app:create_app("production", {env["PRIVACYIDEA_CONFIGFILE"]!r}, True)',
        workers=workers,
        threads=threads,
        env=env,
        folder=folder,
        ready="/healthz/livez",
    )
    login = {"PRIVACYIDEA_ADMIN": "admin", "PRIVACYIDEA_PASSWORD": ADMIN_PASSWORD}
    product = Product(url, mail, process, login)
    _configure(product, validity_s)
    return product


def better_auth(folder: Path, *, validity_s: int) -> Product:
    """Start a site of better-auth, which keeps everything in memory."""
    gateway, port = f"127.0.0.1:{free_port()}", free_port()
    env = {
        "SITE_PORT": str(port),
        "SITE_GATEWAY": f"http://{gateway}/",
        "SITE_VALIDITY": str(validity_s),
    }
    words: list[str | Path] = [str(NODE), environment("better_auth") / "site.mjs"]
    url = f"http://127.0.0.1:{port}"
    process = _begun("better_auth", words, env, folder, url + "/api/auth/ok")
    return Product(url + "/api/auth", gateway, process, {"SITE_ORIGIN": url})


def drfpasswordless(folder: Path, *, threads: int, validity_s: int) -> Product:
    """Start a site of drfpasswordless."""
    mail = f"127.0.0.1:{free_port()}"
    env = {
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": str(HERE / "drfpasswordless"),
        "SITE_DATABASE": str(folder / "site.sqlite"),
        "SITE_MAIL": mail,
        "SITE_CODE_TIMEOUT": str(validity_s),
    }
    run("drfpasswordless", "-m", "django", "migrate", "-v0", env=env, folder=folder)
    url, process = gunicorn(
        "drfpasswordless",
        "django.core.wsgi:get_wsgi_application()",
        workers=1,
        threads=threads,
        env=env,
        folder=folder,
        ready="/auth/email/",
    )
    return Product(url, mail, process)


def _configure(product: Product, validity_s: int) -> None:
    """What an administrator sets in the web interface, by the same API: delivery, validity."""
    login = {"username": "admin", "password": ADMIN_PASSWORD}
    token = post(product.url + "/auth", login)["result"]["value"]["token"]
    host, _, port = product.mail.rpartition(":")
    server = {"server": host, "port": int(port), "sender": "pi@example.com", "tls": False}
    post(product.url + "/smtpserver/harness", server, token)
    system = {"email.identifier": "harness", "email.validtime": str(validity_s)}
    post(product.url + "/system/setConfig", system, token)


def gunicorn(
    name: str,
    app: str,
    *,
    workers: int,
    threads: int,
    env: dict[str, str],
    folder: Path,
    ready: str,
) -> tuple[str, subprocess.Popen[bytes]]:
    """Start the product's server, and wait until it answers: its URL, its process."""
    port, log = free_port(), folder / "gunicorn.log"
    words: list[str | Path] = [
        environment(name) / "bin" / "gunicorn",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    words += ["--workers", str(workers), "--worker-class", "gthread", "--threads", str(threads)]
    words += ["--no-control-socket", "--log-file", log, app]
    url = f"http://127.0.0.1:{port}"
    return url, _begun(name, words, env, folder, url + ready)


def _begun(
    name: str, words: list[str | Path], env: dict[str, str], folder: Path, ready: str
) -> subprocess.Popen[bytes]:
    """Start a server, and wait until it answers."""
    log = folder / "server.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            words, env={**os.environ, **env}, cwd=folder, stdout=out, stderr=out
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(ready, timeout=5).close()
            return process
        except urllib.error.HTTPError:
            return process
        except OSError:
            time.sleep(0.05)
    end(process)
    raise RuntimeError(f"{name} did not start; the end of {log}:\n{log.read_text()[-2000:]}")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server that was started here; its workers go with it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def run(name: str, *words: str | Path, env: dict[str, str], folder: Path) -> None:
    """Run something by the product's own Python, to its end."""
    python = environment(name) / "bin" / "python"
    done = subprocess.run(
        [python, *words], env={**os.environ, **env}, cwd=folder, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{name}, {words}:\n{(done.stdout + done.stderr).decode()[-2000:]}")


def post(url: str, body: Any, token: str | None = None) -> Any:
    """Ask privacyIDEA's API, as an administrator does."""
    headers = {"Content-Type": "application/json"} | ({"PI-Authorization": token} if token else {})
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)


def free_port() -> int:
    """A port of the loopback interface on which nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
