"""Where to look when an answer shows that a request was not understood."""

import re

from otpspec.doctor import toml
from otpspec.doctor.report import Suggestion
from otpspec.doctor.shorten import cookies_of
from otpspec.doctor.tried import Tried
from otpspec.profile import schema

_OF_THE_REQUEST = re.compile(
    r"csrf|xsrf|cross.?(site|origin)|\borigin\b|referr?er|authenticity.?token", re.IGNORECASE
)
"""What a target says that takes a request for forged: that is no word on its code."""

_STATUS = {
    400: "the target cannot use the request: see what it says, and the body's keys",
    401: "the target wants to know who asks: see headers, and tokens in the environment",
    403: "the target forbids it: see headers, and tokens in the environment",
    404: "nothing is there: see path, and target.base_url before it",
    405: "there is no such method on this path: see method and path",
    406: "the target cannot answer in a form that is accepted: see headers",
    410: "it is gone: see what is captured before, and sent here",
    413: "the body is too long for the target",
    415: "the target wants another kind of body: json, form or multipart",
    422: "the target refuses what is in the body: see its keys and values",
    423: "it says that something is locked",
    429: "too many requests: see policy.max_starts and target.max_rate",
}


def status(one: Tried, requests: list[schema.Request]) -> list[str]:
    """What the status of an answer that should have been a yes says of the request."""
    raw = one.raw
    if raw is None or any(mail.text is not None for mail in one.mails):
        return []
    if raw.status >= 500:
        asked = one.answers[-1].request
        return [f"the target failed at {asked.method} {asked.target}: see its own log"]
    if raw.status in (301, 302, 303, 307, 308):
        where = raw.headers.get("location", "")
        kept = any(request.follow for request in requests)
        return [] if kept else [f"it leads to {where}: follow = 1 goes there"]
    found = _STATUS.get(raw.status)
    if raw.status == 405 and (allowed := raw.headers.get("allow")):
        return [f"HTTP 405: {found} (it allows {allowed})"]
    return [f"HTTP {raw.status}: {found}"] if found else []


def forged(one: Tried) -> list[str]:
    """What to do where the target refuses the request itself, as one that a browser was tricked
    into, and not what it says."""
    raw = one.raw
    if raw is None or not 400 <= raw.status < 500:
        return []
    said = _OF_THE_REQUEST.search(raw.seen)
    if said is None:
        return []
    return [
        f"it speaks of “{said[0]}”, so of where the request comes from, and not of the code: a "
        "browser sends an Origin, or a token that a page or a cookie has; see headers, capture"
    ]


def origin(one: Tried, place: str, requests: list[schema.Request]) -> Suggestion | None:
    """The header by which a browser says where a request comes from, where that was asked for."""
    raw, last = one.raw, requests[-1]
    if raw is None or not re.search(r"\borigin\b", raw.seen, re.IGNORECASE) or last.headers:
        return None
    value = toml.value({"Origin": one.answers[-1].request.origin})
    why = "where its cookies are sent, a browser says so"
    return Suggestion(place=place, toml=f"headers = {value}", why=why)


def signed_in(one: Tried, tried: list[Tried]) -> list[str]:
    """Who has just signed up is often signed in, and may then ask for no code."""
    raw = one.raw
    if one.operation != "start" or raw is None or not 400 <= raw.status < 500:
        return []
    enrolled = [
        answer for other in tried if other.operation == "enroll" for answer in other.answers
    ]
    if not any(cookies_of(answer.headers) for answer in enrolled):
        return []
    return [
        "the cookies that enroll left are sent with it: where the target takes that for someone "
        "who is signed in, sign out in a last request of enroll"
    ]


def no_answer(one: Tried) -> list[str]:
    """What to look at where nothing came back, or nothing could be asked."""
    if one.answer is not None and one.answer.status is None:
        return ["see target.timeout, and whether the target still runs"]
    return []


def right_answered_as_wrong(one: Tried, tried: list[Tried]) -> list[str]:
    """What may be the matter where the right code is answered as a wrong one is."""
    notes = ["the right code is answered as the wrong one is, so one of these is amiss:"]
    mails = [mail for other in tried for mail in other.mails if mail.code]
    others = list(dict.fromkeys(c.code for m in mails for c in m.candidates if c.code != m.code))
    if others:
        what = "another number" if len(others) == 1 else f"{len(others)} other candidates"
        notes.append(f"  inbox.code finds something else: the message has {what} (see there)")
    notes.append("  the request does not carry {otc} where the target looks for it: see its body")
    notes.append("  it does not name the transaction: see path, headers and start's capture")
    return notes


def accepted(one: Tried) -> str:
    """What to say where a no is answered as a yes is."""
    what = one.name.partition(", ")[2] or one.name
    return (
        f"{what} is answered as the right one is: that is the target's own doing, "
        "and for otpspec check to judge"
    )
