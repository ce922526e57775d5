"""A broken history in words: what was answered, and why no order allows it; never a code."""

from collections.abc import Iterable, Sequence

from otpspec.history import Call
from otpspec.linearize.search import judges_nothing
from otpspec.model import (
    Amend,
    Cancel,
    ChangeContact,
    Csc,
    Malformed,
    Operation,
    Resend,
    Start,
    Unlock,
    Verify,
)
from otpspec.outcome import Outcome
from otpspec.policy import Policy

_ORDINALS = ("", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ", "eighth ")
_FAILED = {Outcome.WRONG_OTC, Outcome.WRONG_CSC}
_SENDS = Start | Resend | Amend
_PLAIN: dict[type, str] = {
    Start: "start",
    Resend: "resend",
    Amend: "change of the transaction",
    Cancel: "cancelling",
    Malformed: "malformed code",
    Unlock: "unlocking",
}
_CSC = {Csc.WRONG: " with a wrong 3CSC", Csc.MISSING: " without the 3CSC"}


def sentence(policy: Policy, calls: Sequence[Call], *, zero: float = 0.0) -> str:
    """Why no order of these allows their answers, the last of which is the contradiction.

    `zero`: from when on times are counted.
    """
    names = names_of(calls)
    parts = []
    for place in contradicting(calls)[:-1]:
        name, call = names[place], calls[place]
        failed = Outcome.WRONG_OTC in (call.outcomes or ())
        parts.append(f"{name} {'was answered' if failed else _verdict(call)} at {_at(call, zero)}")
    last = calls[-1]
    parts.append(f"{names[-1]}, sent at {last.called - zero:.3f} s, {_verdict(last)}")
    return f"{'; '.join(parts)}: no order allows this{_with(policy, calls)}"


def contradicting(calls: Sequence[Call]) -> list[int]:
    """The places of those that the sentence names: the last, and what was told before it."""
    told = [place for place, call in enumerate(calls[:-1]) if _tells(call)]
    return [*told[-1:], len(calls) - 1]


def _nth(count: int) -> str:
    """'21st', '12th'."""
    teens = 10 < count % 100 < 20
    return f"{count}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th')}"


def lines(calls: Sequence[Call], *, zero: float = 0.0) -> list[str]:
    """Each call in a line: when it was called and answered, what it was, and with what."""
    return [
        f"{call.called - zero:.3f} to {_at(call, zero)}  {name}: {_answers(call)}"
        for name, call in zip(names_of(calls), calls, strict=True)
    ]


def names_of(calls: Iterable[Call]) -> list[str]:
    """What each call is called: 'the third wrong code', 'the right code'.

    Wrong codes are counted over the card, as the rules count them, the rest by its transaction.
    """
    calls = list(calls)
    sent: dict[int | None, list[str]] = {}
    for call in calls:
        if isinstance(call.operation, _SENDS) and call.operation.code is not None:
            sent.setdefault(call.operation.challenge, []).append(call.operation.code)
    numbers: dict[int, int] = {}
    counted: dict[tuple[str, int | None], int] = {}
    names = []
    for call in calls:
        challenge = getattr(call.operation, "challenge", None)
        name = _name(call.operation, sent.get(challenge, []))
        key = (name, None if name.startswith("wrong") else challenge)
        count = counted[key] = counted.get(key, 0) + 1
        ordinal = _ORDINALS[count - 1] if count <= len(_ORDINALS) else f"{_nth(count)} "
        if challenge is not None:
            numbers.setdefault(challenge, len(numbers) + 1)
        names.append((f"the {ordinal}{name}", challenge))
    if len(numbers) < 2:
        return [name for name, _ in names]
    return [name if c is None else f"{name} of transaction {numbers[c]}" for name, c in names]


def _name(operation: Operation, sent: list[str]) -> str:
    if isinstance(operation, ChangeContact):
        return "change of contact " + ("with proof" if operation.proven else "without proof")
    if not isinstance(operation, Verify):
        return _PLAIN[type(operation)]
    kind = "code"  # nobody says which code was sent
    if sent:
        kind = "right code" if operation.otc == sent[-1] else "wrong code"
        if operation.otc in sent[:-1] and operation.otc != sent[-1]:
            kind = "earlier code"
    return kind + _CSC.get(operation.csc, "")


def _tells(call: Call) -> bool:
    return not judges_nothing(call) and not isinstance(call.operation, _SENDS)


def _with(policy: Policy, calls: Sequence[Call]) -> str:
    """Which number of the policy it hangs on, as far as the answers show."""
    last = calls[-1]
    failures = sum(bool(_FAILED & set(call.outcomes or ())) for call in calls)
    if failures >= policy.max_wrong or Outcome.LOCKED in (last.outcomes or ()):
        return f" with N = {policy.max_wrong}"
    validity = policy.validity.total_seconds()
    sent = [call.called for call in calls[:-1] if isinstance(call.operation, _SENDS)]
    old = bool(sent) and last.called - max(sent) >= validity
    if old or Outcome.EXPIRED in (last.outcomes or ()):
        return f" with a validity of {validity:g} s"
    return ""


def _verdict(call: Call) -> str:
    if call.outcomes == {Outcome.APPROVED}:
        return "was approved"
    return (
        "was carried out" if call.outcomes == {Outcome.DONE} else f"was answered {_answers(call)}"
    )


def _answers(call: Call) -> str:
    if not call.outcomes:
        return "no answer"
    return " or ".join(sorted(call.outcomes)).replace("_", " ")


def _at(call: Call, zero: float) -> str:
    return "…" if call.returned is None else f"{call.returned - zero:.3f} s"
