"""What is wrong with a profile although each of its values is of the right kind."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from otpspec.outcome import SUCCESS, Outcome
from otpspec.policy import Policy
from otpspec.power import Power
from otpspec.profile import goals, mix, schema
from otpspec.profile.answers import query
from otpspec.profile.places import compile_tree, names_in
from otpspec.profile.reader import Findings, did_you_mean
from otpspec.rate import Rate
from otpspec.rules import RULES

CARD_PLACES = ("card.pan", "card.csc", "card.phone", "card.email", "card.passphrase")
MOST_AT_ONCE = 256
"""The most requests that are released together: each costs a connection at both ends."""

_OWN_PLACES: dict[str, tuple[str, ...]] = {
    "operations.start": ("amount", "currency", "merchant"),
    "operations.verify": ("otc", "csc"),
    "operations.amend": ("amount", "currency", "merchant"),
    "operations.change_contact": ("contact", "proof"),
    "clock": ("seconds", "lease"),
}
_WITH_CHALLENGE = ("start", "verify", "resend", "cancel", "amend")
_OF_CARDS = ("enroll", "unlock", "change_contact")


def check(found: Findings) -> None:
    """Look at every table that could be read, also where others could not."""
    for place, table in list(found.tables.items()):
        match table:
            case schema.Target():
                _check_target(table, place, found)
            case schema.Request():
                _check_request(table, place, found)
            case schema.Answer():
                _check_answer(table, place, found)
            case schema.Capture():
                _check_capture(table, place, found)
            case schema.Races():
                _check_races(table, place, found)
            case schema.Load():
                _check_load(table, place, found)
            case schema.Launch() if not table.command:
                found.add(f"{place}.command", 'empty; a list like ["python", "server.py"]')
            case _ if re.fullmatch(r"inbox(\[\d+\])?", place):
                _check_inbox(table, place, found)
            case _:
                pass
    _check_clock(found)


def check_policy(policy: Policy, found: Findings) -> None:
    """Look at a policy's numbers."""
    if policy.validity <= timedelta(0):
        found.add("policy.validity", "must be longer than nothing")
    if policy.tolerance < timedelta(0):
        found.add("policy.tolerance", "must not be negative")
    for key in ("digits", "max_wrong"):
        if getattr(policy, key) < 1:
            found.add(f"policy.{key}", f"{getattr(policy, key)} is too small; at least 1")
    if policy.lock_for is not None and policy.lock_for <= timedelta(0):
        text = 'must be longer than nothing; "support" is a lock that only support ends'
        found.add("policy.lock_for", text)
    if policy.max_resends is not None and policy.max_resends < 0:
        text = f'{policy.max_resends} is too small; at least 0, or "unlimited"'
        found.add("policy.max_resends", text)
    try:
        policy.start_limit  # noqa: B018 - reading it is the check
    except ValueError as error:
        found.add("policy.max_starts", str(error))


def check_waivers(waive: Any, found: Findings) -> None:
    """Look at the rules that are waived by name: a misspelled one waives nothing."""
    for rule_id, reason in waive.items() if isinstance(waive, dict) else ():
        if rule_id not in RULES:
            hint = did_you_mean(rule_id, RULES)
            found.add(f"waive.{rule_id}", f"is not in the rule catalogue; {hint}")
        elif isinstance(reason, str) and not reason.strip():
            text = "needs a reason: why it does not matter that the rule is not applicable"
            found.add(f"waive.{rule_id}", text)


def _check_target(target: schema.Target, place: str, found: Findings) -> None:
    _check_url(target.base_url, f"{place}.base_url", found)
    if target.max_rate:
        try:
            Rate.parse(target.max_rate)
        except ValueError as error:
            found.add(f"{place}.max_rate", str(error))
    if not target.ownership_path.startswith("/"):
        found.add(f"{place}.ownership_path", f'"{target.ownership_path}" must begin with /')
    if isinstance(target.version, schema.Request) and "version" not in target.version.capture:
        found.add(f"{place}.version.capture", "must capture version")
    if bool(target.tls.certificate) != bool(target.tls.key):
        missing = "key" if target.tls.certificate else "certificate"
        found.add(f"{place}.tls.{missing}", "missing; certificate and key go together")


def _check_races(races: schema.Races, place: str, found: Findings) -> None:
    if not races.sizes or not all(2 <= size <= MOST_AT_ONCE for size in races.sizes):
        text = f"{races.sizes} are no sizes of bursts; from 2 to {MOST_AT_ONCE}, like [2, 8, 32]"
        found.add(f"{place}.sizes", text)
    try:
        Power.parse(races.power)
    except ValueError as error:
        found.add(f"{place}.power", str(error))
    if races.rounds is not None and races.rounds < 1:
        found.add(f"{place}.rounds", f"{races.rounds} is too small; at least 1")
    for index, url in enumerate(races.base_urls):
        _check_url(url, f"{place}.base_urls[{index}]", found)


def _check_load(load: schema.Load, place: str, found: Findings) -> None:
    for name, text in mix.faults(load.mix):
        where = f"{place}.mix.{name}" if name else f"{place}.mix"
        found.add(where, text)
    for name, goal in goals.of_table(load.slo):
        if isinstance(goal, str):
            found.add(f"{place}.slo.{name}", goal)
    if not 0 < load.clock_rate <= 1000:
        text = f"{load.clock_rate:g} is no rate of a clock; from 1, as time runs, to 1000"
        found.add(f"{place}.clock_rate", text)


def _check_url(url: str, place: str, found: Findings) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        extra = parts.query or parts.fragment or "@" in parts.netloc or "{" in url
    except ValueError:
        good = extra = None
    if not good or extra:
        text = f'"{url}" is not a base URL; write it like "https://acs.example.com:8443/otp"'
        found.add(place, text)


def _check_request(request: schema.Request, place: str, found: Findings) -> None:
    if not request.path.startswith("/"):
        found.add(f"{place}.path", f'"{request.path}" must begin with /')
    if request.base_url is not None:
        _check_url(request.base_url, f"{place}.base_url", found)
    bodies = [k for k in ("json", "form", "multipart") if getattr(request, k) is not None]
    if len(bodies) > 1:
        found.add(place, f"has {' and '.join(bodies)}: a request has one body")
    if not 0 <= request.follow <= 20:
        found.add(f"{place}.follow", f"{request.follow} is no number of redirects; 0 to 20")
    for name, expression in request.capture.items():
        if isinstance(expression, str):
            _check_jmespath(expression, f"{place}.capture.{name}", found)
    known = _known_places(place, found)
    for key in schema.TEXTS:
        _check_places(getattr(request, key), f"{place}.{key}", known, found)


def _check_places(node: Any, place: str, known: list[str], found: Findings) -> None:
    for where, name in names_in(compile_tree(node), place):
        if name not in known and f"{name.partition('.')[0]}.*" not in known:
            found.add(where, f"{{{name}}} is not known here; {did_you_mean(name, known)}")


def check_operations(operations: schema.Operations, found: Findings) -> None:
    """Look at each operation as a whole: its last request says what it came to."""
    for name, asked in msgspec.structs.asdict(operations).items():
        if asked is None:
            continue
        place = f"operations.{name}"
        requests = asked if isinstance(asked, list) else [asked]
        if not requests:
            needed = name in ("start", "verify")
            what = "" if needed else "leave the operation out, or "
            found.add(place, f"empty; {what}give it a request")
            continue
        place += f"[{len(requests) - 1}]" if isinstance(asked, list) else ""
        success = Outcome.APPROVED if name == "verify" else Outcome.DONE
        if not any(success in outcomes_of(answer) for answer in requests[-1].answers):
            text = f'no pattern has outcomes = "{success}": say which answer means success'
            found.add(f"{place}.answers", text)


def _known_places(place: str, found: Findings) -> list[str]:
    """The places that a request may use; "card.*" where what gives them could not be read."""
    table = place.partition("[")[0]
    if table == "inbox.poll" or re.fullmatch(r"inbox(\[\d+\])?\.poll", place):
        return ["contact"]
    if table == "inbox.feed" or re.fullmatch(r"inbox(\[\d+\])?\.feed", place):
        return ["after"]
    if table.startswith("clock."):
        return list(_OWN_PLACES["clock"])
    if not table.startswith("operations."):
        return []
    operation = table.removeprefix("operations.")
    known = [*_OWN_PLACES.get(table, ()), *CARD_PLACES, *_columns(found)]
    if operation == "enroll":  # a card begins with it, and a transaction with start
        return known + _captured("card", ("enroll",), found, before=place)
    known += _captured("card", _OF_CARDS, found)
    if operation == "start":
        known += _captured("challenge", ("start",), found, before=place)
    elif operation in _WITH_CHALLENGE:
        known += _captured("challenge", _WITH_CHALLENGE, found)
    return known


def _of_transaction(found: Findings) -> list[str]:
    """What is known of a transaction that waits for its code."""
    known = [*CARD_PLACES, *_columns(found), *_captured("card", _OF_CARDS, found)]
    return known + _captured("challenge", _WITH_CHALLENGE, found)


_INBOX_PLACES: dict[str, Callable[[Findings], list[str]]] = {
    "command": lambda found: ["contact"],
    "secret": _of_transaction,
    "otc": _of_transaction,
}


def _columns(found: Findings) -> list[str]:
    """The columns of the profile's own cards; of a file they are looked at when it is read."""
    cards = found.tables.get("cards")
    if not isinstance(cards, schema.Cards) or cards.csv is not None:
        return ["card.*"] if isinstance(cards, schema.Cards) else []
    return [f"card.{key}" for row in cards.given for key in row]


def _captured(
    subject: str, operations: tuple[str, ...], found: Findings, before: str = ""
) -> list[str]:
    """What the requests of some operations capture, whichever of them comes first.

    `before`: the place of a request; what stands after it, it cannot know.
    """
    known = []
    for operation in operations:
        place = f"operations.{operation}"
        if place in found.broken:
            return [f"{subject}.*"]
        for where, table in found.tables.items():
            if where == before:
                break
            if where == place or re.fullmatch(rf"{re.escape(place)}\[\d+\]", where):
                assert isinstance(table, schema.Request)  # noqa: S101 - what stands there is one
                known += [f"{subject}.{key}" for key in table.capture]
    return known


def outcomes_of(answer: schema.Answer) -> list[Outcome]:
    """A pattern's outcomes, as a list."""
    return answer.outcomes if isinstance(answer.outcomes, list) else [answer.outcomes]


def _check_answer(answer: schema.Answer, place: str, found: Findings) -> None:
    outcomes = set(outcomes_of(answer))
    conditions = (answer.status, answer.json, answer.header, answer.text, answer.regex)
    if not any(conditions):
        found.add(place, "matches every answer: give status, header, json, text or regex")
    if not outcomes:
        found.add(f"{place}.outcomes", "empty: name at least one outcome")
    if outcomes & SUCCESS and len(outcomes) > 1:
        text = "approved and done cannot share an answer with other outcomes: split the pattern"
        found.add(f"{place}.outcomes", text)
    for expression in answer.json:
        _check_jmespath(expression, f"{place}.json.{expression}", found)
    for name, expression in answer.header.items():
        _check_pattern(expression, f"{place}.header.{name}", found)
    if answer.regex is not None:
        _check_pattern(answer.regex, f"{place}.regex", found)


def _check_capture(capture: schema.Capture, place: str, found: Findings) -> None:
    sources = [k for k in ("json", "header", "cookie", "field") if getattr(capture, k) is not None]
    if len(sources) > 1:
        found.add(place, f"has {' and '.join(sources)}: a capture has one source")
    if not sources and capture.regex is None:
        found.add(place, "takes nothing: give json, header, cookie, field or regex")
    if capture.json is not None:
        _check_jmespath(capture.json, f"{place}.json", found)
    if capture.regex is not None and _check_pattern(capture.regex, f"{place}.regex", found) == 0:
        found.add(f"{place}.regex", "needs a group around what is kept, like 'id=(\\w+)'")


def _check_inbox(inbox: msgspec.Struct, place: str, found: Findings) -> None:
    for key in ("messages", "id", "text", "to"):
        expression = getattr(inbox, key, "")
        if expression or (isinstance(inbox, schema.HttpInbox) and key != "to"):
            _check_jmespath(expression, f"{place}.{key}", found)
    for key in ("code", "reference"):
        pattern = getattr(inbox, key, None)
        if pattern is not None and _check_pattern(pattern, f"{place}.{key}", found) == 0:
            what = "the code, like '(\\d{6})'" if key == "code" else "it, like 'Ref (\\w+)'"
            found.add(f"{place}.{key}", f"needs a group around {what}")
    if isinstance(inbox, schema.HttpInbox) and inbox.feed is not None and not inbox.to:
        found.add(f"{place}.to", "missing; JMESPath that says whose a message of the feed is")
    if isinstance(inbox, schema.CommandInbox) and not inbox.command:
        found.add(f"{place}.command", 'empty; a list like ["docker", "logs", "mail"]')
    for key, known in _INBOX_PLACES.items():
        _check_places(getattr(inbox, key, None), f"{place}.{key}", known(found), found)


def _check_clock(found: Findings) -> None:
    """Look at the requests of the clock, whether or not it has all that it needs."""
    for key in ("read", "advance"):
        request = found.tables.get(f"clock.{key}")
        if isinstance(request, schema.Request) and "now" not in request.capture:
            text = "must capture now: seconds since 1970, as the target sees them"
            found.add(f"clock.{key}.capture", text)
    written = found.broken.union(found.tables)
    missing = [key for key in ("lease", "release") if f"clock.{key}" not in written]
    if len(missing) == 1:
        found.add(f"clock.{missing[0]}", "missing; lease and release go together")


def _check_jmespath(expression: str, place: str, found: Findings) -> None:
    try:
        query(expression)
    except ValueError as error:
        found.add(place, f"not a JMESPath expression: {error}")


def _check_pattern(pattern: str, place: str, found: Findings) -> int | None:
    """The number of groups of a regular expression; None where it is not one."""
    try:
        return re.compile(pattern).groups
    except re.error as error:
        found.add(place, f"not a regular expression: {error}")
        return None
