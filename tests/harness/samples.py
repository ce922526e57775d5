"""A small profile that is right, and the same with one line changed."""

from pathlib import Path

import pytest

from otpspec.errors import ProfileError
from otpspec.profile import Profile, load

PROFILE = """\
[target]
base_url = "http://127.0.0.1:8000"

[policy]
validity = "10m"

[operations.enroll]
method = "POST"
path = "/cards"
json = { pan = "{card.pan}", phone = "{card.phone}" }
capture = { id = "card_id" }
answers = [{ status = 201, outcomes = "done" }]

[operations.start]
method = "POST"
path = "/transactions"
json = { card = "{card.id}", amount = "{amount}" }
capture = { id = "transaction_id" }
answers = [{ status = 201, outcomes = "done" }, { status = 423, outcomes = "locked" }]

[operations.verify]
method = "POST"
path = "/transactions/{challenge.id}/verify"
json = { otc = "{otc}", csc = "{csc}" }
answers = [
    { status = 200, json = { status = "approved" }, outcomes = "approved" },
    { status = 403, outcomes = "wrong_otc" },
    { status = 404, outcomes = ["expired", "void"] },
]

[inbox]
kind = "http"
messages = "messages"
id = "seq"
text = "text"

[inbox.poll]
method = "GET"
path = "/outbox"
query = { to = "{contact}" }

[clock]
kind = "real"
"""


def changed(*changes: tuple[str, str]) -> str:
    """The profile's text with pieces of it replaced, each of which must be there once."""
    text = PROFILE
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is in the sample {text.count(old)} times"
        text = text.replace(old, new)
    return text


def written(folder: Path, text: str = PROFILE) -> str:
    """A profile as a file; its path."""
    path = folder / "acs.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def problems(folder: Path, text: str, *changes: str) -> str:
    """What is wrong with a profile, without the line that names the file."""
    source = written(folder, text)
    with pytest.raises(ProfileError) as raised:
        load(source, changes=changes, environ={})
    first, _, rest = str(raised.value).partition("\n")
    count = len(raised.value.problems)
    assert first == f"{source}: {count} problem{'s' if count > 1 else ''}"
    return rest


def read(folder: Path, *changes: tuple[str, str]) -> Profile:
    """The sample, changed, written and read again."""
    return load(written(folder, changed(*changes)))
