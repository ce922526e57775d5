"""When two spellings are the same phone number or address, and which of them a line holds."""

import re

_SCHEME = re.compile(r"(?:tel|sms|whatsapp|mailto):", re.IGNORECASE)
_SEPARATOR = r"[\s\-().\/]"
_SEPARATORS = re.compile(_SEPARATOR)
_NUMBER = re.compile(r"(?:\+|00)?([0-9]+)")
_CHAIN = re.compile(rf"(?<![0-9])[0-9]+(?:{_SEPARATOR}+[0-9]+)*")
_GROUP = re.compile(r"[0-9]+")
_IN_ADDRESS = r"[^\s<>\"',;:()\[\]{}=]"
_ADDRESS = re.compile(rf"(?<!{_IN_ADDRESS}){_IN_ADDRESS}+@{_IN_ADDRESS}+")
_SHORTEST, _LONGEST = 5, 17
"""Digits of a number in a line: E.164 has 15 at most, and two zeros may stand before them."""


def key(contact: str) -> str:
    """What all spellings of a contact have in common.

    Numbers are their digits, since gateways are given them with a plus, with 00 or without
    either; anything else is compared without regard to case.
    """
    text = contact.strip().removeprefix("<").removesuffix(">").strip()
    text = _SCHEME.sub("", text, count=1) if _SCHEME.match(text) else text
    number = _NUMBER.fullmatch(_SEPARATORS.sub("", text))
    return number[1] if number else text.casefold()


def keys_in(line: str) -> set[str]:
    """The keys of all contacts that may stand in a line of text.

    Numbers may be written in groups, and other numbers may stand beside them: every way to join
    groups that follow each other is a number that was perhaps meant. None is a part of a group.
    """
    found = {match[0].rstrip(".").casefold() for match in _ADDRESS.finditer(line)}
    for chain in _CHAIN.finditer(line):
        groups = _GROUP.findall(chain[0])
        for first in range(len(groups)):
            digits = ""
            for group in groups[first:]:
                digits += group
                if len(digits) > _LONGEST:
                    break
                if len(digits) >= _SHORTEST:
                    found.add(digits.removeprefix("00"))
    return found


def masked(contact: str) -> str:
    """The end of a contact: enough to know it again, too little to be one."""
    name, at, domain = contact.strip().rpartition("@")
    if at:
        return f"…{name[-2:] if len(name) > 4 else ''}@{domain}"
    return f"…{domain[-4:] if len(domain) > 6 else ''}"
