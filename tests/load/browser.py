"""A headless Chromium, driven by its DevTools protocol: what a user does in a page, and sees."""

import base64
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import websocket

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REQUIRED = "OTPSPEC_REQUIRE_BROWSER" in os.environ  # CI: a missing browser is no excuse

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--window-size=1400,1000", "--remote-debugging-port=0"),
)


class Page:
    """One page in a browser of its own."""

    def __init__(self, directory: Path, url: str) -> None:
        profile = f"--user-data-dir={directory / 'profile'}"
        self._process = subprocess.Popen(
            [str(CHROMIUM), *FLAGS, profile, "about:blank"], stderr=subprocess.PIPE, text=True
        )
        self._number = 0
        self._socket = websocket.create_connection(self._where(), timeout=20, suppress_origin=True)
        downloads = {"behavior": "allow", "downloadPath": str(directory)}
        self._ask("Browser.setDownloadBehavior", **downloads)
        self._ask("Page.navigate", url=url)

    def _where(self) -> str:
        """Where the page is driven from."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if match := re.search(r"ws://(127\.0\.0\.1:\d+)/", line):
                with urllib.request.urlopen(f"http://{match[1]}/json", timeout=10) as answer:
                    pages = [one for one in json.load(answer) if one["type"] == "page"]
                found: str = pages[0]["webSocketDebuggerUrl"]
                return found
        raise AssertionError("the browser did not start")

    def _ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == self._number:
                assert "error" not in told, told
                return told["result"]

    def run(self, script: str) -> Any:
        """What an expression of JavaScript comes to."""
        options = {"returnByValue": True, "awaitPromise": True}
        told = self._ask("Runtime.evaluate", expression=script, **options)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def until(self, script: str, within_s: float = 30.0) -> Any:
        """What it comes to as soon as that is something."""
        ends = time.monotonic() + within_s
        while not (found := self.run(script)):
            assert time.monotonic() < ends, (script, self.text())
            time.sleep(0.05)
        return found

    def text(self) -> str:
        """What a user reads."""
        return str(self.run("document.body?.innerText ?? ''"))

    def reads(self, pattern: str, within_s: float = 30.0) -> None:
        """Wait until a user reads something."""
        self.until(
            f"new RegExp({json.dumps(pattern)}).test(document.body?.innerText ?? '')", within_s
        )

    def click(self, name: str) -> None:
        """Click a button, a tab or a link by what stands on it."""
        find = (
            "[...document.querySelectorAll('button, a, [role=tab], [role=button]')].find("
            f"one => one.innerText.trim().toLowerCase() === {json.dumps(name.lower())})"
        )
        self.until(f"Boolean({find})")
        self.run(f"{find}.click()")

    def type(self, field: str, text: str) -> None:
        """Put something into a field, in place of what stands there."""
        find = f"document.querySelector('input[name=\"{field}\"]')"
        self.until(f"Boolean({find})")
        self.run(f"{find}.focus(); {find}.select()")
        self._ask("Input.insertText", text=text)

    def picture(self, path: Path) -> None:
        """What a user sees, as a PNG."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        """Leave no browser behind."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(10)
