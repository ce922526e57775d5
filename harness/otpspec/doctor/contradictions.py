"""Where what was answered contradicts what the profile's policy says."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from otpspec.doctor import texts
from otpspec.doctor.facts import leaves
from otpspec.doctor.report import Suggestion, Warned
from otpspec.doctor.suggest import alike
from otpspec.doctor.tried import Mail, Tried
from otpspec.outcome import Outcome
from otpspec.profile import Profile

_EXPIRES = re.compile(
    r"(expires?_?in|valid_?(for|ity)|ttl|lifetime)(_?s(ec(ond)?s?)?)?", re.IGNORECASE
)


def contradictions(profile: Profile, tried: Sequence[Tried], varying: set[str]) -> list[Warned]:
    """All that is worth a second look; of each place the first."""
    found: dict[str, Warned] = {}
    for one in _all(profile, tried, varying):
        found.setdefault(one.place, one)
    return list(found.values())


def _all(profile: Profile, tried: Sequence[Tried], varying: set[str]) -> Iterator[Warned]:
    mails = [mail for one in tried for mail in one.mails if mail.text]
    yield from _validity(profile, tried, mails)
    yield from _tries(profile, tried)
    yield from _payment(profile, mails)
    yield from _limits(tried)
    if not any(t.went for t in tried if Outcome.APPROVED in t.means):
        return  # who knows what the code is
    yield from _codes(profile, [mail for mail in mails if not mail.refuted])
    yield from _security_code(profile, tried, varying)
    yield from _resend(profile, tried)


def _warn(key: str, value: str, text: str, *, sure: bool = True) -> Warned:
    suggestion = Suggestion(place="policy", toml=f"{key} = {value}", sure=sure)
    return Warned(place=f"policy.{key}", text=text, suggestion=suggestion)


def _codes(profile: Profile, mails: Sequence[Mail]) -> Iterator[Warned]:
    """The form of the codes that were found by the profile's own pattern."""
    policy = profile.policy
    code = next((mail.code for mail in mails if mail.code), "")
    plain = "".join(c for c in code if c.isalnum())
    if plain and len(plain) != policy.digits:
        text = f"the code has {texts.in_words(code)}, and policy.digits = {policy.digits}"
        yield _warn("digits", str(len(plain)), text)
    kind = texts.alphabet_of(plain)
    if plain and kind != policy.alphabet and policy.alphabet != "alphanumeric":
        text = f'the code has {texts.in_words(code)}, and policy.alphabet = "{policy.alphabet}"'
        yield _warn("alphabet", f'"{kind}"', text)


def _validity(profile: Profile, tried: Sequence[Tried], mails: Sequence[Mail]) -> Iterator[Warned]:
    """How long codes live, where a message or an answer names it."""
    named = [span for mail in mails for span in texts.spans_named(mail.text or "")]
    by = "the message says"
    for one in tried:
        if one.operation == "start" and one.raw is not None:
            for _, names, leaf in leaves(one.raw.document):
                if names and _EXPIRES.fullmatch(names[-1]) and isinstance(leaf, int):
                    named.append(timedelta(seconds=leaf))
                    by = "the answer to start says"
    if named and profile.policy.validity not in named:
        text = f"{by} {_span(named[0])}, and policy.validity is {_span(profile.policy.validity)}"
        yield _warn("validity", f'"{_span(named[0])}"', text, sure=False)


def _span(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds / 60:g}m" if seconds % 60 == 0 else f"{seconds:g}s"


def _tries(profile: Profile, tried: Sequence[Tried]) -> Iterator[Warned]:
    """How many tries are left after the first wrong code."""
    first = next((t for t in tried if t.name == "verify, a wrong code" and t.raw), None)
    if first is None or first.raw is None:
        return
    left = texts.tries_left(first.raw.seen)
    for _, names, leaf in leaves(first.raw.document):
        counts = names and texts.counts_tries(names[-1])
        if counts and isinstance(leaf, int) and not isinstance(leaf, bool):
            left = leaf
    if left is not None and left + 1 != profile.policy.max_wrong:
        text = f"after one wrong code {left} tries are left, and policy.max_wrong = "
        yield _warn("max_wrong", str(left + 1), text + str(profile.policy.max_wrong))


def _security_code(profile: Profile, tried: Sequence[Tried], varying: set[str]) -> Iterator[Warned]:
    """When the 3CSC is asked for, and whether a wrong one can be told from a wrong code."""
    policy = profile.policy
    for one in tried:
        if one.operation != "start" or one.answer is None or not one.went:
            continue
        asked = one.answer.captures.get("csc_required")
        if asked is True and policy.csc == "never":
            yield _warn("csc", '"sometimes"', 'start asks for the 3CSC, and policy.csc = "never"')
        dear = "3CSC" in one.name
        if asked is False and policy.csc == "always":
            text = 'start does not ask for the 3CSC, and policy.csc = "always"'
            yield _warn("csc", '"sometimes"', text)
        elif policy.csc == "sometimes" and asked is not None and bool(asked) is not dear:
            key = "with_csc" if dear else "without_csc"
            does = "does not ask" if dear else "asks"
            text = f"start {does} for the 3CSC with the profile's amounts.{key}"
            yield Warned(place=f"amounts.{key}", text=text)
    raws = {one.name: one.raw for one in tried if one.raw is not None}
    otc, csc = raws.get("verify, a wrong code"), raws.get("verify, a wrong 3CSC")
    if policy.tells_wrong_element and otc and csc and alike(otc, csc, varying):
        text = "a wrong code and a wrong 3CSC are answered alike, and policy says they are told"
        yield _warn("tells_wrong_element", "false", text)


def _resend(profile: Profile, tried: Sequence[Tried]) -> Iterator[Warned]:
    for one in tried:
        if one.operation != "resend":
            continue
        same = "it brought the same code again" in one.notes
        new = "it brought a new code" in one.notes
        if same and profile.policy.resend == "rotate":
            text = 'a resend brought the same code, and policy.resend = "rotate"'
            yield _warn("resend", '"reuse"', text)
        if new and profile.policy.resend == "reuse":
            text = 'a resend brought a new code, and policy.resend = "reuse"'
            yield _warn("resend", '"rotate"', text)


def _payment(profile: Profile, mails: Sequence[Mail]) -> Iterator[Warned]:
    amounts = profile.amounts
    whole = {amounts.without_csc.partition(".")[0], amounts.with_csc.partition(".")[0]}
    if not profile.policy.message_names_payment or not mails:
        return
    if not any(number in (mail.text or "") for mail in mails for number in whole):
        text = "the message names no amount, and policy.message_names_payment = true"
        yield _warn("message_names_payment", "false", text, sure=False)


def _limits(tried: Sequence[Tried]) -> Iterator[Warned]:
    for one in tried:
        for answer in one.answers:
            if answer.status == 429:
                text = f"{one.operation} was answered with 429: too many requests"
                yield Warned(place="policy.max_starts", text=text + "; see target.max_rate, too")
            elif "retry-after" in answer.headers:
                text = f"{one.operation} is answered with Retry-After: the target limits something"
                yield Warned(place="policy.max_starts", text=text)
