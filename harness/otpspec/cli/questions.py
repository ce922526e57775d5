"""What `otpspec init` asks, what it takes for an answer, and what it takes without one."""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from otpspec.cli.templates import toml
from otpspec.profile.reader import did_you_mean, parse_duration

Answers = Mapping[str, str]
NONE = "-"
"""What is answered where the target has no such thing."""

ANY = "any"
"""What is answered where the target takes whatever card, phone or address it is given."""

CHALLENGE = "challenge"
"""What is answered where nothing is locked but the one code that was tried too often."""

_PLACE = re.compile(r"\{card\.(\w+)\}")

INBOXES = ("http", "smtp", "sms", "file", "maildir", "command", "totp", "static")
CSC = ("never", "sometimes", "always")
WITHOUT_CONTACT = ("totp", "static")

PLACES = {
    "smtp": "127.0.0.1:1025",
    "sms": "127.0.0.1:8026",
    "file": "messages.log",
    "maildir": "mail",
    "command": "docker logs mail",
    "totp": "{card.secret}",
    "static": "123456",
}
"""Where an inbox is, by its kind: an address, a path, a command, a secret, a code."""


class Asked(NamedTuple):
    """A request as it is written in one line."""

    method: str
    path: str
    query: dict[str, str]
    json: Any = None
    form: dict[str, str] | None = None


class Pattern(NamedTuple):
    """What tells one answer from the others."""

    statuses: tuple[int, ...]
    json: dict[str, Any]


def request(text: str) -> Asked:
    """Read a request: METHOD PATH, and a body of JSON or of a form.

    Raises ValueError with what to write instead.
    """
    match = re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE)\s+(/\S*)(?:\s+(.+))?", text.strip())
    if match is None:
        like = 'POST /payments {"card": "{card.id}"}'
        raise ValueError(f'"{text}" is not a request; write it like: {like}')
    path, _, query = match[2].partition("?")
    asked = Asked(match[1], path, dict(parse_qsl(query, keep_blank_values=True)))
    if match[3] is None:
        return asked
    if match[3][0] not in "{[":
        return asked._replace(form=dict(parse_qsl(match[3], keep_blank_values=True)))
    try:
        body = json.loads(match[3])
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from error
    toml(body)
    return asked._replace(json=body)


def pattern(text: str) -> Pattern:
    """Read what tells an answer: 400, or 200,201, or 400 error.code=wrong, or ok=true.

    Raises ValueError with what to write instead.
    """
    try:
        first, *words = shlex.split(text)
        statuses = re.fullmatch(r"\d{3}(,\d{3})*", first)
        pairs = [word.partition("=") for word in (words if statuses else [first, *words])]
        if not all(name and equals for name, equals, _ in pairs):
            raise ValueError
    except ValueError:
        like = "400, or 400 error.code=wrong_code, or ok=true"
        raise ValueError(f'"{text}" tells no answer; write it like: {like}') from None
    numbers = tuple(map(int, first.split(","))) if statuses else ()
    return Pattern(numbers, {name: _value(word) for name, _, word in pairs})


def _value(word: str) -> Any:
    """A word as JSON reads it; what is no JSON is text."""
    try:
        found = json.loads(word)
    except ValueError:
        return word
    return word if found is None else found


class Question(NamedTuple):
    """One question; `name` is the option that answers it without asking."""

    name: str
    text: str
    help: str
    default: Callable[[Answers], str]
    check: Callable[[str], object]  # raises ValueError where the answer cannot be used
    when: Callable[[Answers], bool] = lambda answers: True


def _base_url(text: str) -> None:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        like = "https://acs.example.com:8443/otp"
        raise ValueError(f'"{text}" is not a base URL; write it like "{like}"')


def _number(text: str) -> None:
    if not re.fullmatch(r"[1-9]\d{0,3}", text):
        raise ValueError(f'"{text}" is not a number from 1 on')


def _lock(text: str) -> None:
    if text not in ("support", CHALLENGE):
        try:
            parse_duration(text)
        except ValueError:
            text = f'"{text}" is no end of a lock; write support, challenge, or a duration like 30m'
            raise ValueError(text) from None


def _one_of(known: tuple[str, ...]) -> Callable[[str], None]:
    def check(text: str) -> None:
        if text not in known:
            raise ValueError(f'"{text}" is not known; {did_you_mean(text, known)}')

    return check


def _or_none(check: Callable[[str], object], *words: str) -> Callable[[str], object]:
    return lambda text: None if text in (NONE, *words) else check(text)


def _expression(text: str) -> None:
    if not text.strip():
        raise ValueError(f"give a field, like data.id; {NONE} where there is none")


def _header(text: str) -> None:
    name, colon, value = text.partition(":")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not colon or not value.strip():
        like = "Authorization: Bearer {env.ACS_TOKEN}"
        raise ValueError(f'"{text}" is not a header; write it like: {like}')


def _asks(answers: Answers) -> bool:
    return answers["csc"] != "never"


def _polls(answers: Answers) -> bool:
    return answers["inbox"] == "http"


def _enrolls(answers: Answers) -> bool:
    return answers["enroll"] not in (NONE, ANY)


def places(answers: Answers, *names: str) -> list[str]:
    """The places {card.…} of these answers, without the table's name, each once."""
    asked = " ".join(answers[name] for name in names if name in answers)
    return list(dict.fromkeys(_PLACE.findall(asked)))


def contact(answers: Answers) -> str:
    """Which contact of a card its codes go to; "" where nothing is sent."""
    if answers["inbox"] in WITHOUT_CONTACT:
        return ""
    named = places(answers, "enroll", "start", "verify")  # the one that the target is told
    by_mail = answers["inbox"] in ("smtp", "maildir")
    return "email" if by_mail or ("email" in named and "phone" not in named) else "phone"


def _enroll(answers: Answers) -> str:
    names = ["pan", *(["csc"] if _asks(answers) else []), *filter(None, [contact(answers)])]
    return "POST /cards " + json.dumps({name: f"{{card.{name}}}" for name in names})


_START = (
    'POST /payments {"card": "{card.id}", "amount": "{amount}", '
    '"currency": "{currency}", "payee": "{merchant}"}'
)


def _verify(answers: Answers) -> str:
    names = ['"code": "{otc}"', *(['"csc": "{csc}"'] if _asks(answers) else [])]
    return f"POST /payments/{{challenge.id}}/confirm {{{', '.join(names)}}}"


def _always(default: str) -> Callable[[Answers], str]:
    return lambda answers: default


_LOCK = (
    "support: until support unlocks the card. Or for how long: 30m. Or challenge: it is not; "
    "only the one code dies, and the next one works."
)
_EACH = "A status, and fields of the body where it takes them: 400 error.code=wrong_code."

GENERAL = (
    Question("base_url", "Where is it", "Scheme, host, port, and a path that all requests share.",
             _always("http://127.0.0.1:8080"), _base_url),
    Question("validity", "How long does a code live", "A number and a unit: 90s, 10m.",
             _always("10m"), parse_duration),
    Question("digits", "How many digits has a code", "As it is declared to your users.",
             _always("6"), _number),
    Question("max_wrong", "How many wrong codes lock the card", "N: the N-th wrong code locks it.",
             _always("3"), _number),
    Question("lock", "Until when is it locked", _LOCK, _always("support"), _lock),
    Question("csc", "Does it ask for the card security code (3CSC)",
             "never, sometimes (from some amount on), or always.", _always("never"), _one_of(CSC)),
    Question("inbox", "How can a test read the code",
             "http (a URL lists what was sent), smtp, sms, file, maildir, command, totp, static.",
             _always("http"), _one_of(INBOXES)),
    Question("inbox_at", "Where", "Listen address; path; command; secret; or the code.",
             lambda answers: PLACES[answers["inbox"]], _expression, lambda a: not _polls(a)),
    Question("poll", "Which request lists the messages", "{contact} is whose messages they are.",
             _always("GET /test/messages?to={contact}"), request, _polls),
    Question("messages", "Which field of its answer is the list", "@ where the answer is the list.",
             _always("messages"), _expression, _polls),
    Question("message_id", "Which field of a message tells it from others", "A number or a text.",
             _always("id"), _expression, _polls),
    Question("message_text", "Which field of a message is its text", "The code stands in it.",
             _always("text"), _expression, _polls),
)  # fmt: skip
"""What every template can be told."""

OWN = (
    Question("header", "Which header does every request need",
             f"Authorization: Bearer {{env.ACS_TOKEN}}; {NONE} for none.",
             _always(NONE), _or_none(_header)),
    Question("enroll", "Which request makes a card (a user)",
             f"METHOD PATH BODY, with places like {{card.phone}}; {ANY}: it takes any phone or "
             f"address; {NONE}: I list cards of mine.",
             _enroll, _or_none(request, ANY)),
    Question("card_id", "Which field of its answer do later requests need",
             f"It is {{card.id}} from then on; {NONE} for none.",
             _always("id"), _or_none(_expression), _enrolls),
    Question("start", "Which request starts a transaction",
             "For which a code is sent. {amount}, {currency}, {merchant} are places, too.",
             _always(_START), request),
    Question("started", "Which answer means that it was done", _EACH, _always("200,201"), pattern),
    Question("transaction_id", "Which field of the answer is the id",
             f"It is {{challenge.id}} from then on; {NONE} for none.",
             _always("id"), _or_none(_expression)),
    Question("verify", "Which request verifies a code", "{otc} is the code, {csc} the 3CSC.",
             _verify, request),
    Question("approved", "Which answer means: approved", _EACH,
             _always("200 status=approved"), pattern),
    Question("wrong", "Which means: wrong code", f"{NONE} where there is none of its own.",
             _always("400 error.code=wrong_code"), pattern),
    Question("wrong_csc", "Which means: wrong 3CSC", "The same as another, where it does not tell.",
             _always("400 error.code=wrong_csc"), _or_none(pattern), _asks),
    Question("malformed", "Which means: that is no code at all", "Letters, nothing, ten digits.",
             _always("422"), _or_none(pattern)),
    Question("locked", "Which means: the card is locked", "The same as another where it is.",
             _always("423"), _or_none(pattern)),
    Question("expired", "Which means: the code has expired", "The same as another where it is.",
             _always("410"), _or_none(pattern)),
    Question("used", "Which means: used, ended, or no such transaction",
             "The same as another where it is.", _always("404,409"), _or_none(pattern)),
    Question("resend", "Which request sends the code again", f"{NONE}: it has none.",
             _always(NONE), _or_none(request)),
    Question("unlock", "Which request of support's unlocks a card", f"{NONE}: a test cannot.",
             _always(NONE), _or_none(request)),
)  # fmt: skip
"""What is asked about an API of one's own, after the general questions."""
