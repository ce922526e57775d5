"""Places like `{card.id}` in a profile's texts, and how they are filled."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MISSING: Any = type("Missing", (), {"__repr__": lambda _: "MISSING"})()
"""The value of a place whose key is to be left out of the request."""

Values = Mapping[str, Any]
"""What fills the places: full name ("card.id") to value."""

_NAME = r"[A-Za-z_][\w.]*"
_PLACE = re.compile(rf"(?<!\{{)\{{({_NAME})\}}(?!\}})")
_LITERAL = re.compile(rf"\{{\{{({_NAME})\}}\}}")


class UnsayableError(ValueError):
    """A value that a request of this kind cannot hold: null has no spelling in a form."""


class Template:
    """A text with places. A text that is one single place keeps the type of its value.

    `{{name}}` is the text {name} itself.
    """

    __slots__ = ("_parts", "names", "whole")

    def __init__(self, text: str) -> None:
        pieces = _PLACE.split(text)
        self.names = tuple(pieces[1::2])
        pieces[::2] = [_LITERAL.sub(r"{\1}", piece) for piece in pieces[::2]]
        self._parts = [(piece, index % 2 == 1) for index, piece in enumerate(pieces) if piece]
        self.whole = self.names[0] if len(self._parts) == 1 and self.names else None

    def fill(self, values: Values) -> Any:
        """The text with its places filled; a text that is one single place: its value as it is.

        MISSING where a value is. Raises KeyError with the name of a place that has no value.
        """
        if self.whole is not None:
            return values[self.whole]
        if any(values[name] is MISSING for name in self.names):
            return MISSING
        return self.text(values)

    def text(self, values: Values, escape: Callable[[str], str] = str) -> str:
        """The text with its places filled, each value escaped; nothing for one that is MISSING.

        Raises KeyError with the name of a place that has no value, UnsayableError for one whose
        value has no spelling as text.
        """
        filled = ((values[part] if place else part, place) for part, place in self._parts)
        return "".join(
            escape(as_text(part)) if place else part
            for part, place in filled
            if part is not MISSING
        )


def escaped(text: str) -> str:
    """A text in a profile that means this text, and no place in it."""
    return re.sub(rf"\{{({_NAME})\}}", r"{{\1}}", text)


def as_text(value: Any) -> str:
    """A value as it stands in a URL, a header or a form.

    Raises UnsayableError for null, lists and objects, which have no spelling there.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise UnsayableError(f"{'null' if value is None else type(value).__name__} is no text")


def compile_tree(node: Any) -> Any:
    """A JSON-like tree with every text made a Template."""
    if isinstance(node, str):
        return Template(node)
    if isinstance(node, Mapping):
        return {key: compile_tree(value) for key, value in node.items()}
    if isinstance(node, list):
        return [compile_tree(value) for value in node]
    return node


def fill_tree(node: Any, values: Values) -> Any:
    """The tree with its places filled; keys and items whose value is MISSING are left out."""
    if isinstance(node, Template):
        return node.fill(values)
    if isinstance(node, dict):
        filled = ((key, fill_tree(value, values)) for key, value in node.items())
        return {key: value for key, value in filled if value is not MISSING}
    if isinstance(node, list):
        return [item for item in (fill_tree(n, values) for n in node) if item is not MISSING]
    return node


def names_in(node: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every place of a compiled tree, as (where it stands, its name)."""
    if isinstance(node, Template):
        for name in node.names:
            yield place, name
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from names_in(value, f"{place}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from names_in(value, f"{place}[{index}]")
