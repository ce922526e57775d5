"""How text that a target chose is made harmless to look at."""


def visible(text: str) -> str:
    """Show what would act on a reader's screen instead of being read.

    Terminal escapes, control characters, reversed reading order, invisible spaces and halves of
    characters come out as Python writes them (`\\x1b`); new lines and tabs stay. The result can be
    encoded as UTF-8 and stand in XML.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible, text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """The same on one line."""
    return " ".join(visible(text).split())


def cut(text: str, at_most: int) -> str:
    """The text, or its beginning and how much was cut off."""
    if len(text) <= at_most:
        return text
    return f"{text[:at_most]}… ({len(text) - at_most:,} more characters)"


def _visible(character: str) -> str:
    if character.isprintable() or character in "\n\t":
        return character
    return character.encode("unicode_escape").decode("ascii")
