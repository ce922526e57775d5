"""What is wrong with a profile although each of its values is of the right kind."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from otpspec.outcome import SUCCESS, Outcome
from otpspec.policy import Policy
from otpspec.profile import schema
from otpspec.profile.answers import query
from otpspec.profile.places import compile_tree, names_in
from otpspec.profile.reader import Findings, did_you_mean
from otpspec.rules import RULES

CARD_PLACES = ("card.pan", "card.csc", "card.phone", "card.email", "card.passphrase")
_OWN_PLACES: dict[str, tuple[str, ...]] = {
    "operations.start": ("amount", "currency", "merchant"),
    "operations.verify": ("otc", "csc"),
    "operations.amend": ("amount", "currency", "merchant"),
    "operations.change_contact": ("contact", "proof"),
    "inbox.poll": ("contact",),
}
_WITH_CHALLENGE = frozenset(
    {"operations.verify", "operations.resend", "operations.cancel", "operations.amend"}
)


def check(found: Findings) -> None:
    """Look at every table that could be read, also where others could not."""
    for place, table in list(found.tables.items()):
        match table:
            case schema.Target():
                _check_url(table.base_url, f"{place}.base_url", found)
            case schema.Request():
                _check_request(table, place, found)
            case schema.Answer():
                _check_answer(table, place, found)
            case schema.Inbox():
                _check_inbox(table, place, found)
            case schema.Clock():
                _check_clock(table, place, found)
            case _:
                pass


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
    for name, expression in request.capture.items():
        _check_jmespath(expression, f"{place}.capture.{name}", found)
    texts = {"path": request.path, "headers": request.headers, "query": request.query}
    tree = compile_tree({**texts, "json": request.json})
    known = _known_places(place, found)
    for key, node in tree.items():
        for where, name in names_in(node, f"{place}.{key}"):
            if name not in known and f"{name.partition('.')[0]}.*" not in known:
                found.add(where, f"{{{name}}} is not known here; {did_you_mean(name, known)}")
    if place.startswith("operations."):
        success = Outcome.APPROVED if place == "operations.verify" else Outcome.DONE
        if not any(success in outcomes_of(answer) for answer in request.answers):
            text = f'no pattern has outcomes = "{success}": say which answer means success'
            found.add(f"{place}.answers", text)


def _known_places(place: str, found: Findings) -> list[str]:
    """The places that a request may use; "card.*" where the enrolment itself could not be read."""
    if place.startswith("clock."):
        return ["seconds", "lease"]
    known = list(_OWN_PLACES.get(place, ()))
    if place.startswith("operations."):
        known += CARD_PLACES
        if place != "operations.enroll":
            known += _captured("card", "operations.enroll", found)
        if place in _WITH_CHALLENGE:
            known += _captured("challenge", "operations.start", found)
    return known


def _captured(subject: str, operation: str, found: Findings) -> list[str]:
    request = found.tables.get(operation)
    if not isinstance(request, schema.Request):
        return [f"{subject}.*"]
    return [f"{subject}.{key}" for key in request.capture]


def outcomes_of(answer: schema.Answer) -> list[Outcome]:
    """A pattern's outcomes, as a list."""
    return answer.outcomes if isinstance(answer.outcomes, list) else [answer.outcomes]


def _check_answer(answer: schema.Answer, place: str, found: Findings) -> None:
    outcomes = set(outcomes_of(answer))
    if answer.status is None and not answer.json and not answer.header:
        found.add(place, "matches every answer: give a status, a header or a json condition")
    if not outcomes:
        found.add(f"{place}.outcomes", "empty: name at least one outcome")
    if outcomes & SUCCESS and len(outcomes) > 1:
        text = "approved and done cannot share an answer with other outcomes: split the pattern"
        found.add(f"{place}.outcomes", text)
    for expression in answer.json:
        _check_jmespath(expression, f"{place}.json.{expression}", found)
    for name, expression in answer.header.items():
        _check_pattern(expression, f"{place}.header.{name}", found)


def _check_inbox(inbox: schema.Inbox, place: str, found: Findings) -> None:
    for key in ("messages", "id", "text"):
        _check_jmespath(getattr(inbox, key), f"{place}.{key}", found)
    groups = _check_pattern(inbox.code, f"{place}.code", found)
    if groups == 0:
        found.add(f"{place}.code", r"needs a group around the code, like '(\d{6})'")


def _check_clock(clock: schema.Clock, place: str, found: Findings) -> None:
    if clock.kind == "http":
        for key in ("read", "advance"):
            request: schema.Request | None = getattr(clock, key)
            if request is None:
                found.add(f"{place}.{key}", 'missing; kind = "http" needs this request')
            elif "now" not in request.capture:
                text = "must capture now: seconds since 1970, as the target sees them"
                found.add(f"{place}.{key}.capture", text)
    if (clock.lease is None) != (clock.release is None):
        missing = "lease" if clock.lease is None else "release"
        found.add(f"{place}.{missing}", "missing; lease and release go together")


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
