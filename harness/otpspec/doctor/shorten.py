"""Requests and answers, short enough to be read side by side."""

import json
import re
from collections.abc import Mapping
from typing import Any

from otpspec.profile import Raw, Request, page

LONGEST_BODY = 600
"""Characters of a body that are shown."""

_LONGEST_TEXT = 120  # of one value in JSON
_MOST_ITEMS = 6
_ANSWER = re.compile(
    r"location|set-cookie|retry-after|www-authenticate|allow|content-type|x-.*(error|reason|token)|"
    r".*ratelimit.*|x-rate-limit.*"
)
_DULL = re.compile(r"application/json.*|text/html.*|text/plain.*", re.IGNORECASE)
_HIDES = re.compile(r"authorization|cookie|token|api-key|secret|session", re.IGNORECASE)
_COOKIE = re.compile(r"(?:^|,)\s*([^=;,\s]+)=([^;,]*)")
_MASK = "•••"
_OF_COOKIES = frozenset({"expires", "path", "domain", "max-age", "samesite"})


def cookies_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The cookies that an answer sets."""
    found = _COOKIE.findall(headers.get("set-cookie", ""))
    return {name: value for name, value in found if name.lower() not in _OF_COOKIES}


def asked_headers(request: Request) -> dict[str, str]:
    """The headers of a request that say something."""
    return {
        name: _hidden(name, value)
        for name, value in request.headers
        if not (name.lower() == "content-type" and value == "application/json")
        and not value.startswith("otpspec-")  # the id by which the target's log names it
    }


def answered_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of an answer that say something; of cookies the names."""
    shown = {}
    for name, value in headers.items():
        if not _ANSWER.fullmatch(name) or (name == "content-type" and _DULL.fullmatch(value)):
            continue
        if name == "set-cookie":
            value = ", ".join(f"{cookie}=…" for cookie in cookies_of(headers)) or "…"
        shown[name] = _hidden(name, value) if name != "set-cookie" else value
    return shown


def _hidden(name: str, value: str) -> str:
    """A header's value; of one that lets its bearer in, only the scheme."""
    if not _HIDES.search(name):
        return value
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {_MASK}" if space else _MASK


def hint(value: Any) -> str:
    """A value that is not to be shown in full: enough to find it again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return (
        text
        if len(text) <= 6 or re.search(r"[*•…]{2}", text)
        else f"{text[:4]}… ({len(text)} characters)"
    )


def asked_body(request: Request) -> str:
    """The body of a request."""
    return body_text(request.body, dict(request.headers).get("Content-Type", ""))


def answered_body(raw: Raw) -> str:
    """The body of an answer: JSON in short, of a page what a reader sees."""
    if isinstance(raw.document, dict | list):
        return _json(raw.document)
    if page.is_html(raw.headers.get("content-type", ""), raw.text):
        return cut(page.readable(raw.text) or raw.text.strip()) if _is_page(raw) else cut(raw.text)
    return cut(raw.text.strip())


def _is_page(raw: Raw) -> bool:
    kind = raw.headers.get("content-type", "").lower()
    return "html" in kind or "<html" in raw.text.lower() or "<body" in raw.text.lower()


def body_text(body: bytes, kind: str) -> str:
    """A body as text."""
    if not body:
        return ""
    text = body.decode("utf-8", "replace")
    if "json" in kind:
        try:
            return _json(json.loads(text))
        except (ValueError, RecursionError):
            return cut(text)
    if "multipart" in kind:
        parts = re.findall(r'name="([^"]*)"\r\n\r\n(.*?)\r\n--', text, re.DOTALL)
        return cut(", ".join(f"{name}={value}" for name, value in parts))
    return cut(text.replace("&", " & ") if "urlencoded" in kind else text)


def _json(document: Any) -> str:
    return cut(json.dumps(_smaller(document), ensure_ascii=False))


def _smaller(node: Any, depth: int = 0) -> Any:
    if isinstance(node, dict):
        if depth > 5:
            return "…"
        return {key: _smaller(value, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        kept = [_smaller(item, depth + 1) for item in node[:_MOST_ITEMS]]
        more = len(node) - _MOST_ITEMS
        return [*kept, f"… {more} more"] if more > 0 else kept
    if isinstance(node, str) and len(node) > _LONGEST_TEXT:
        return node[:_LONGEST_TEXT] + "…"
    return node


def cut(text: str, longest: int = LONGEST_BODY) -> str:
    """The beginning of a text; what was left out is said."""
    if len(text) <= longest:
        return text
    return f"{text[:longest].rstrip()}… ({len(text) - longest} characters more)"
