"""What an inbox brought, what inbox.code made of it, and what to write instead."""

import re
from collections.abc import Iterator
from typing import Any

from otpspec.doctor import shorten, texts, toml
from otpspec.doctor.facts import leaves
from otpspec.doctor.report import Exchange, Mark, Message, Step, Suggestion
from otpspec.doctor.tried import Mail, Tried, raw_of
from otpspec.inbox import contacts
from otpspec.profile import Profile, Raw, schema
from otpspec.redact import Redactor

_NOT_DONE = "no message came, as was to be expected: it was not carried out"


def step(profile: Profile, redact: Redactor, one: Tried, mail: Mail) -> Step:
    """One inbox after a start or a resend."""
    several = len(profile.channels) > 1
    place = f"inbox[{mail.index}]" if several else "inbox"
    name = f"{one.name}: the message" + (f" by {mail.channel.contact}" if several else "")
    message = Message(
        inbox=mail.channel.kind,
        contact=contacts.masked(mail.contact),
        came=mail.text is not None,
        after_s=None if mail.after_s is None else round(mail.after_s, 3),
        text="" if mail.text is None else _shown(redact, mail),
        code=texts.in_words(mail.code) if mail.code else "",
        found_by=f"{place}.code" if mail.by_pattern else "",
    )
    return Step(
        name=name,
        place=place,
        mark=_mark(one, mail, profile),
        says=redact.own(_says(mail)) if one.went or mail.text is not None else _NOT_DONE,
        notes=[redact(note) for note in _notes(mail, one)],
        exchanges=[] if mail.polled is None or not one.went else [_polled(redact, mail)],
        messages=[message],
        suggestions=list(_suggestions(profile, redact, mail, place)),
    )


def _shown(redact: Redactor, mail: Mail) -> str:
    codes = [mail.code, *(c.code for c in mail.candidates)]
    return redact(shorten.cut(texts.masked(mail.text or "", *codes), 300))


def _mark(one: Tried, mail: Mail, profile: Profile) -> Mark:
    if mail.text is None and not one.went and not mail.fault:
        return "skipped"
    if mail.refuted:
        return "wrong"
    if mail.text is None or not mail.by_pattern:
        return "wrong"
    return "doubt" if mail.several > 1 or _better(mail, profile) else "ok"


def _better(mail: Mail, profile: Profile) -> bool:
    """Whether another part of the text looks far more like a code than the one that was found."""
    ranks = {candidate.code: candidate.rank for candidate in mail.candidates}
    best = mail.candidates[0] if mail.candidates else None
    return best is not None and best.code != mail.code and best.rank > ranks.get(mail.code, 0) + 20


def _says(mail: Mail) -> str:
    if mail.fault:
        return mail.fault.partition("\n")[0]
    if mail.text is None:
        return f"no message came within {mail.waited_s:.1f} s"
    if not mail.by_pattern:
        return f"a message came, but {'its code is not found' if mail.text else 'without a text'}"
    after = f"{mail.after_s * 1000:.0f} ms" if (mail.after_s or 0) < 1 else f"{mail.after_s:.1f} s"  # type: ignore[operator]
    return f"{texts.in_words(mail.code)}, found by inbox.code, {after} after it was asked for"


def _notes(mail: Mail, one: Tried) -> Iterator[str]:
    if mail.text is None:
        yield from _why_none(mail, one)
        return
    if mail.refuted:
        yield "the target did not take what inbox.code finds: see verify"
    if mail.several > 1:
        yield f"inbox.code finds {mail.several} different codes in it; the first is taken"
    if not mail.by_pattern and mail.code:
        yield f"gone on with what looks most like a code: {texts.in_words(mail.code)}"
    elif not mail.by_pattern and mail.text:
        yield "nothing in it looks like a code either"


def _why_none(mail: Mail, one: Tried) -> Iterator[str]:
    if mail.fault or not one.went:
        return
    if mail.elsewhere:
        yield f"it came to the card's {mail.elsewhere}, not to its {mail.channel.contact}"
        return
    if mail.came:
        yield f"what came instead: {mail.came}"
    settings = mail.channel.settings
    match settings:
        case schema.HttpInbox() if mail.polled is not None and not mail.fault:
            yield f"the list is empty for {contacts.masked(mail.contact)}: see poll, and its query"
        case schema.SmtpInbox():
            yield f"does the target send its mail to {settings.listen}?"
        case schema.SmsInbox():
            yield f"does the target's SMS gateway point to http://{settings.listen}?"
        case schema.FileInbox() | schema.MaildirInbox():
            yield f"does the target write to {settings.path}, seen from the profile's folder?"
        case schema.CommandInbox():
            yield f"does {' '.join(settings.command[:3])} … print it, run by hand?"
        case _:
            pass
    kind = "email" if mail.channel.contact == "phone" else "phone"
    yield f"does the code go to the {kind}, and not to the {mail.channel.contact}? See contact"
    yield f'does it take longer than wait = "{settings.wait.total_seconds():g}s"?'


def _polled(redact: Redactor, mail: Mail) -> Exchange:
    answer = mail.polled
    assert answer is not None  # noqa: S101 - the caller has looked
    raw, request = raw_of(answer), answer.request
    body = "" if raw is None else shorten.answered_body(raw)
    headers = shorten.asked_headers(request)
    return Exchange(
        method=request.method,
        target=redact(request.target),
        asked_headers={name: redact(text) for name, text in headers.items()},
        status=answer.status,
        headers=shorten.answered_headers(answer.headers),
        body=redact(texts.masked(body) if raw is not None and raw.status == 200 else body),
    )


def _suggestions(
    profile: Profile, redact: Redactor, mail: Mail, place: str
) -> Iterator[Suggestion]:
    if mail.text:
        if mail.candidates and (not mail.by_pattern or _better(mail, profile)):
            first, *others = mail.candidates
            why = f"finds {texts.in_words(first.code)}"
            if others:
                why += "; other parts that look like one: "
                why += ", ".join(texts.in_words(other.code) for other in others[:3])
            text = f"code = {toml.value(first.pattern)}"
            yield Suggestion(place=place, toml=redact(text), why=why)
        return
    if mail.elsewhere:
        why = f"a message came to the card's {mail.elsewhere}"
        yield Suggestion(place=place, toml=f"contact = {toml.value(mail.elsewhere)}", why=why)
        return
    raw = raw_of(mail.polled) if mail.polled is not None else None
    if (
        raw is not None
        and raw.status == 200
        and isinstance(mail.channel.settings, schema.HttpInbox)
    ):
        yield from _for_list(raw, mail.channel.settings, place)


def _for_list(raw: Raw, settings: schema.HttpInbox, place: str) -> Iterator[Suggestion]:
    """Where the list of messages is, and what in a message is its id and its text."""
    lists = sorted(_lists(raw.document), key=lambda found: -len(found[1]))
    if not lists:
        return
    path, items = lists[0]
    if path and path != settings.messages:
        why = f"the list of {len(items)} is there" if items else "an empty list is there"
        yield Suggestion(place=place, toml=f"messages = {toml.value(path)}", why=why)
    item = items[-1] if items and isinstance(items[-1], dict) else None
    if item is None:
        return
    names = {path: leaf for path, _, leaf in leaves(item) if isinstance(leaf, str | int)}
    if settings.id not in names and (ids := [n for n in names if _IDS.search(n)]):
        yield Suggestion(place=place, toml=f"id = {toml.value(ids[0])}", why="tells messages apart")
    prose = sorted(names, key=lambda n: -len(str(names[n])))
    if settings.text not in names and prose:
        yield Suggestion(
            place=place, toml=f"text = {toml.value(prose[0])}", why="is the longest text"
        )


def _lists(node: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(node, list):
        yield path or "@", node
    elif isinstance(node, dict) and depth < 4:
        for name, item in node.items():
            yield from _lists(item, f"{path}.{name}" if path else name, depth + 1)


_IDS = re.compile(r"(^|[_.])(m?id|seq|uuid|number|no)$|[a-z]I[dD]$", re.IGNORECASE)
