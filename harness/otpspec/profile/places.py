"""Places like `{card.id}` in a profile's texts, and how they are filled."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MISSING: Any = type("Missing", (), {"__repr__": lambda _: "MISSING"})()
"""The value of a place whose key is to be left out of the request."""

Values = Mapping[str, Any]
"""What fills the places: full name ("card.id") to value."""

_PLACE = re.compile(r"\{([A-Za-z_][\w.]*)\}")


class Template:
    """A text with places. A text that is one single place keeps the type of its value."""

    __slots__ = ("_parts", "_whole", "names")

    def __init__(self, text: str) -> None:
        pieces = _PLACE.split(text)
        self._parts = [(piece, index % 2 == 1) for index, piece in enumerate(pieces) if piece]
        self.names = tuple(pieces[1::2])
        self._whole = self.names[0] if len(self._parts) == 1 and self.names else None

    def fill(self, values: Values) -> Any:
        """The text with its places filled; a text that is one single place: its value as it is.

        MISSING where a value is. Raises KeyError with the name of a place that has no value.
        """
        if self._whole is not None:
            return values[self._whole]
        if any(values[name] is MISSING for name in self.names):
            return MISSING
        return self.text(values)

    def text(self, values: Values, escape: Callable[[str], str] = str) -> str:
        """The text with its places filled, each value escaped; nothing for one that is MISSING.

        Raises KeyError with the name of a place that has no value.
        """
        filled = ((values[part] if place else part, place) for part, place in self._parts)
        return "".join(
            escape(str(part)) if place else part for part, place in filled if part is not MISSING
        )


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
