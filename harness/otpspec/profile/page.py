"""What a page of HTML says: its form fields, and its text as a reader sees it."""

import re
from html.parser import HTMLParser

_UNSEEN = frozenset({"script", "style", "title", "template"})
_LINES = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "center", "dd", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
    "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody",
    "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_CELLS = frozenset({"td", "th", "img"})
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u034f\u200b\u200c\u200d\u2060\ufeff"))
"""Soft hyphens, joiners and spaces without width, with which mails fill their previews."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        self._space(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        self._space(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(re.sub(r"\s+", " ", data))  # a line's end in HTML is a space

    def _space(self, tag: str) -> None:
        if tag in _LINES:
            self.parts.append("\n")
        elif tag in _CELLS:
            self.parts.append(" ")


def readable(html: str) -> str:
    """The text of a page: without tags, scripts and styles, a line for each block.

    Digits that stand in elements of their own (<b>1</b><b>2</b>) stay together.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text = "".join(reader.parts).translate(_INVISIBLE)
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if name is None:
            return
        if tag in ("input", "button"):
            self.found.setdefault(name, given.get("value") or "")
        elif tag == "meta":  # where some frameworks keep the CSRF token
            self.found.setdefault(name, given.get("content") or "")


def field(html: str, name: str) -> str | None:
    """The value of the first form field of this name, or None where the page has none."""
    fields = _Fields()
    fields.feed(html)
    fields.close()
    return fields.found.get(name)


def is_html(content_type: str, body: str) -> bool:
    """Whether an answer is a page."""
    return "html" in content_type.lower() or body.lstrip()[:1] == "<"
