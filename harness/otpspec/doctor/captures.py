"""Where in an answer a value may be that the profile wants to keep."""

import difflib
import re
from collections.abc import Collection, Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from otpspec.doctor.facts import leaves
from otpspec.doctor.stable import looks_made
from otpspec.profile import Raw, schema

_ID = re.compile(
    r"(^|[_-])(id|ref|reference|sid|tx|key|nonce|csrf|code|number|no)$|[a-z]I[dD]$|"
    r"uuid|session|handle|token|txn",
    re.IGNORECASE,
)
_USUAL = re.compile(
    r"date|server|connection|keep-alive|cache-control|vary|etag|allow|set-cookie|expires|pragma|"
    r"via|age|last-modified|link|retry-after|alt-svc|accept-ranges|transfer-encoding|content-.*|"
    r"strict-transport-security|x-frame-options|x-content-type-options|x-xss-protection|"
    r".*-policy|.*request-id|.*correlation.*|.*ratelimit.*|x-rate-limit.*"
)
_ELEMENT = re.compile(r"<([A-Za-z_][\w:.-]*)([^<>]*)>([^<>\s]{1,200})</\1>")
_PAIR = re.compile(r"(?m)(?<![\w.])([A-Za-z_][\w.-]*)\s*([=:])\s*([\w.~+/-]{2,200})")
_NAMED = re.compile(r"\b(?:id|class|name)=([\"']?)([\w-]+)\1")
_DATA = re.compile(r"\b(data-[\w-]+)=(\"|')([^\"'<>]{1,200})\2")
_LONGEST = 4000  # characters of a value that is kept


class Candidate(NamedTuple):
    """A value that may be meant, and how a profile would keep it."""

    capture: str | schema.Capture
    name: str  # what the answer calls it
    value: Any
    where: str  # "in the body", "a header", "a cookie", "a form field"
    rank: float = 0.0


def candidates(
    raw: Raw, name: str, declared: str | schema.Capture = "", sent: Collection[str] = ()
) -> list[Candidate]:
    """Values of an answer that a capture of this name may mean, the likeliest first.

    `declared`: how the profile wants it now. `sent`: values that were sent, and so are not new.
    """
    found = []
    for one in (*_in_body(raw), *_in_headers(raw)):
        if not isinstance(one.value, bool | int | str) or str(one.value) in sent:
            continue
        if one.value == "" or len(str(one.value)) > _LONGEST:
            continue
        found.append(one._replace(rank=_rank(one, name, declared)))
    found.sort(key=lambda one: -one.rank)
    return [one for one in found if one.rank > 0]


def _rank(one: Candidate, name: str, declared: str | schema.Capture) -> float:
    if name == "csc_required":  # whether, and not what
        return (
            _likeness(one.name, "csc_required cvv_required required")
            * 60
            * isinstance(one.value, bool)
        )
    if isinstance(one.value, bool):
        return 0.0
    hint = declared if isinstance(declared, str) else _hint(declared)
    rank = 50 * max(_likeness(one.name, name), _likeness(one.name, hint))
    text = str(one.value)
    if name == "contact":
        return rank + 40 * bool(re.search(r"[*•●…x]{2}", text))
    rank += 25 * bool(_ID.search(one.name))
    rank += 15 * (looks_made(text) or bool(re.search(r"\d", text)))
    rank -= 20 * (isinstance(one.value, int) and not _ID.search(one.name))
    rank -= 12 * (" " in text.strip()) + 2 * one.name.count(".")
    return rank


def _hint(declared: schema.Capture) -> str:
    given = (declared.json, declared.header, declared.cookie, declared.field, declared.regex)
    return " ".join(part for part in given if part)


def _likeness(name: str, wanted: str) -> float:
    """How alike two names are: 0 to 1, by their words and by their letters."""
    words, others = (set(_words(text)) for text in (name, wanted))
    if words & others:
        return 0.6 + 0.4 * len(words & others) / len(words | others)
    return difflib.SequenceMatcher(None, name.lower(), wanted.lower()).ratio() * 0.5


def _words(text: str) -> list[str]:
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    return [word.lower() for word in re.findall(r"[A-Za-z]+", spaced)]


def _in_body(raw: Raw) -> Iterator[Candidate]:
    if isinstance(raw.document, dict | list):
        for path, _, leaf in leaves(raw.document):
            if isinstance(leaf, bool | int | str):
                yield Candidate(path, path, leaf, "in the body")
        return
    yield from _in_page(raw)
    if "<" not in raw.text:
        for name, equals, value in _PAIR.findall(raw.text):
            regex = rf"{re.escape(name)}\s*{equals}\s*([^\s&;,]+)"
            yield Candidate(schema.Capture(regex=regex), name, value, "in the body")


def _in_page(raw: Raw) -> Iterator[Candidate]:
    """What stands in HTML or XML: fields, elements with a name, attributes data-…"""
    fields = _Fields()
    fields.feed(raw.text)
    for name, value in fields.found.items():
        yield Candidate(schema.Capture(field=name), name, value, "a form field")
    for tag, attributes, text in _ELEMENT.findall(raw.text):
        if given := _NAMED.search(attributes):
            regex = rf"{re.escape(given[0])}[^>]*>([^<]+)<"
            yield Candidate(schema.Capture(regex=regex), given[2], text, "in the body")
        elif not attributes.strip():
            regex = f"<{tag}>([^<]+)</{tag}>"
            yield Candidate(schema.Capture(regex=regex), tag, text, "in the body")
    for name, quote, value in _DATA.findall(raw.text):
        regex = f"{name}={quote}([^{quote}]+){quote}"
        yield Candidate(schema.Capture(regex=regex), name, value, "in the body")


def _in_headers(raw: Raw) -> Iterator[Candidate]:
    for name, value in raw.cookies.items():
        yield Candidate(schema.Capture(cookie=name), name, value, "a cookie")
    for name, value in raw.headers.items():
        if name == "location":
            yield from _in_location(value)
        elif not _USUAL.fullmatch(name):
            yield Candidate(schema.Capture(header=_titled(name)), name, value, "a header")


def _in_location(text: str) -> Iterator[Candidate]:
    try:
        url = urlsplit(text)
    except ValueError:
        return
    for name, value in parse_qsl(url.query):
        capture = schema.Capture(header="Location", regex=rf"[?&]{re.escape(name)}=([^&#]+)")
        yield Candidate(capture, name, value, "in the Location header")
    before, _, last = url.path.rstrip("/").rpartition("/")
    if last and looks_made(last):
        regex = rf"{re.escape(before.rpartition('/')[2])}/([^/?#]+)"
        capture = schema.Capture(header="Location", regex=regex)
        yield Candidate(capture, "id", last, "in the Location header")


def _titled(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


class _Fields(HTMLParser):
    """The fields of a page's forms that have a value."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name"), given.get("value") or given.get("content")
        csrf = tag == "meta" and name and re.search(r"csrf|token", name, re.IGNORECASE)
        if name and value and (tag in ("input", "button") or csrf):
            self.found.setdefault(name, value)
