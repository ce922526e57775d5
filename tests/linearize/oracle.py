"""Brute force: every order of a small history, by rules that are written down once more.

It shares no code with the judge and none with the model: plain dictionaries, each order tried from
its beginning, each set of unanswered operations left out or not.
"""

from collections.abc import Iterator
from itertools import chain, combinations
from math import inf
from typing import Any

VALIDITY, TOLERANCE, LOCK, TRIES = 10.0, 1.0, 12.0, 2

Asked = dict[str, Any]
"""operation, number, code, otc, csc, asked, proven, called, returned, seen, answers (or None)."""


def legal(history: list[Asked], **does: bool) -> bool:
    """Whether any order of the operations is allowed."""
    end = max(max(ask["called"], ask["returned"] or 0.0) for ask in history)
    given = [ask for ask in history if ask["answers"]]
    lost = [
        ask | {"returned": end if ask["returned"] is None else ask["returned"]}
        for ask in history
        if not ask["answers"]
    ]
    some = chain.from_iterable(combinations(lost, n) for n in range(len(lost) + 1))
    return any(_any_order([*given, *happened], [_new()], does) for happened in some)


def _any_order(left: list[Asked], states: list[Any], does: dict[str, bool]) -> bool:
    if not left or not states:
        return bool(states)
    for ask in left:
        others = [other for other in left if other is not ask]
        if all(other["returned"] >= ask["called"] for other in others):
            after = []
            for state in states:
                for answer, then in answers(state, ask, does):
                    if (not ask["answers"] or answer in ask["answers"]) and then not in after:
                        after.append(then)
            if _any_order(others, after, does):
                return True
    return False


def _new() -> dict[str, Any]:
    return {"count": 0, "locked": None, "transactions": {}}


def _copy(state: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**state, "transactions": dict(state["transactions"]), **changes}


def answers(
    state: dict[str, Any], ask: Asked, does: dict[str, bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What may be answered, and what the card is then in."""
    if state["count"] >= TRIES and ask["operation"] != "unlock":
        ended = False
        if does["ends_locks"]:
            first, last = state["locked"]
            ended = ask["called"] - last >= LOCK + TOLERANCE
            if ask["returned"] - first >= LOCK:
                yield from _unlocked(_dead(_copy(state, count=0, locked=None)), ask, does)
        if not ended:
            yield "locked", state
        return
    yield from _unlocked(state, ask, does)


def _dead(state: dict[str, Any]) -> dict[str, Any]:
    """The card with all its transactions void."""
    for number, one in state["transactions"].items():
        if one["dead"] in ("", "late"):
            state["transactions"][number] = {**one, "dead": "void"}
    return state


def _unlocked(
    state: dict[str, Any], ask: Asked, does: dict[str, bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    kind, number = ask["operation"], ask["number"]
    sent = (ask["called"], inf if ask["seen"] is None else ask["seen"])
    if kind == "unlock":
        yield "done", _dead(_copy(state, count=0, locked=None))
    elif kind == "start":
        then = _copy(state)
        then["transactions"][number] = {
            "code": ask["code"],
            "csc": ask["asked"],
            "sent": sent,
            "dead": "",
            "count": 0,
        }
        yield "done", then
    elif kind == "change" and ask["proven"]:
        yield "done", _dead(_copy(state))
    elif kind == "change":
        yield "denied", state
        yield from _count("denied", state, None, ask, does)
    elif number not in state["transactions"]:
        yield "void", state
        yield from _late(state, None, ask, does)
    else:
        yield from _about(state, state["transactions"][number], ask, does)


def _about(
    state: dict[str, Any], one: dict[str, Any], ask: Asked, does: dict[str, bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    may_be_old = ask["returned"] - one["sent"][0] >= VALIDITY
    is_old = ask["called"] - one["sent"][1] >= VALIDITY + TOLERANCE
    if one["dead"] == "late":
        yield from _late(state, one, ask, does)
    elif one["dead"]:
        yield "void", state
        if one["dead"] == "exhausted":
            yield "locked", state
        if may_be_old:
            yield from _late(state, one, ask, does)
    else:
        if not is_old:
            yield from _alive(state, one, ask, does)
        if may_be_old:
            then = _put(state, ask["number"], {**one, "dead": "late"})
            yield from _late(then, then["transactions"][ask["number"]], ask, does)


def _put(state: dict[str, Any], number: int, one: dict[str, Any]) -> dict[str, Any]:
    then = _copy(state)
    then["transactions"][number] = one
    return then


def _late(
    state: dict[str, Any], one: dict[str, Any] | None, ask: Asked, does: dict[str, bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    counts = does["counts_expired"] and ask["operation"] in ("verify", "malformed")
    if not counts:
        yield "expired", state
        return
    if ask["operation"] == "malformed" or one is None or one["dead"] != "late":
        yield "expired", state
    yield from _count("expired", state, one, ask, does)


def _count(
    answer: str,
    state: dict[str, Any],
    one: dict[str, Any] | None,
    ask: Asked,
    does: dict[str, bool],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """A failure that counts; the last one may already be answered as what it brings about."""
    if does["locks_challenge"]:
        if one is None or one["dead"]:
            yield answer, state
            return
        more = {**one, "count": one["count"] + 1}
        last = more["count"] >= TRIES
        then = _put(state, ask["number"], {**more, "dead": "exhausted"} if last else more)
        yield answer, then
        if last:
            yield "locked", then
            yield "void", then
        return
    count = state["count"] + 1
    at = (ask["called"], ask["returned"]) if does["ends_locks"] and count >= TRIES else None
    yield answer, _copy(state, count=count, locked=at)
    if count >= TRIES:
        yield "locked", _copy(state, count=count, locked=at)


def _alive(
    state: dict[str, Any], one: dict[str, Any], ask: Asked, does: dict[str, bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    kind, number = ask["operation"], ask["number"]
    sent = (ask["called"], inf if ask["seen"] is None else ask["seen"])
    if kind == "malformed":
        if does["counts_malformed"]:
            yield from _count("malformed", state, one, ask, does)
        else:
            yield "malformed", state
    elif kind == "cancel":
        yield "done", _put(state, number, {**one, "dead": "void"})
    elif kind == "amend":
        yield (
            "done",
            _put(state, number, {**one, "code": ask["code"], "csc": ask["asked"], "sent": sent}),
        )
    elif kind == "resend":
        new = {**one, "code": ask["code"], "sent": sent} if does["rotates"] else one
        yield "done", _put(state, number, new)
    else:
        if one["code"] is None or ask["otc"] != one["code"]:
            yield from _count("wrong_otc", state, one, ask, does)
        if one["code"] is None or ask["otc"] == one["code"]:
            yield from _right(state, one, ask, does)


def _right(
    state: dict[str, Any], one: dict[str, Any], ask: Asked, does: dict[str, bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    number = ask["number"]
    if ask["csc"] == "right" or not one["csc"]:
        used = _put(state, number, {**one, "dead": "void"})
        yield "approved", {**used, "count": 0} if does["clears"] else used
    if ask["csc"] != "right" and one["csc"] is not False:
        then = _put(state, number, {**one, "dead": "void"}) if does["voids"] else state
        if does["counts_csc"]:
            yield from _count("wrong_csc", then, then["transactions"][number], ask, does)
        else:
            yield "wrong_csc", then
