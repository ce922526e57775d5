"""Adapters: what TOML cannot say is said by a class beside the profile."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tests.cards.bank import served, unsound, verdicts
from tests.conftest import TOKEN

from otpspec import Outcome, Raw, Reading, Request
from otpspec.errors import ProfileError, TargetError
from otpspec.profile import Profile, load
from otpspec_reference import Settings, create_app

from .samples import PROFILE, written
from .signed import Signed

Otpspec = Callable[..., Any]

EXAMPLE = Path(__file__).parents[2] / "examples" / "signed-requests" / "signing.py"
KEY = "the-key-of-the-tests"
SENT = {"card.id": "c", "card.pan": "1", "card.phone": "2", "amount": "12.00"}


@contextmanager
def guarded() -> Iterator[tuple[Signed, str]]:
    """A server that demands a signature; its URL."""
    door = Signed(create_app(Settings(test_hooks=True, test_token=TOKEN)), KEY)
    with served(door) as url:
        yield door, url


@pytest.fixture
def signing(tmp_path: Path) -> str:
    """The example beside a profile that names it."""
    shipped = resources.files("otpspec.profile") / "shipped" / "safekey-reference.toml"
    text = shipped.read_text("utf-8").replace("[target]", '[target]\nadapter = "signing:Signed"', 1)
    shutil.copy(EXAMPLE, tmp_path)
    return written(tmp_path, text)


@pytest.fixture
def adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Profile]:
    """A small profile with a class of a test's own."""
    monkeypatch.syspath_prepend(str(tmp_path))  # forgotten with the test, and so is the module

    def make(code: str, *, names: str = "theirs:Theirs", more: str = "") -> Profile:
        sys.modules.pop("theirs", None)
        head = "from otpspec import Adapter, Outcome, Reading, Request\n\n"
        (tmp_path / "theirs.py").write_text(head + dedent(code))
        text = PROFILE.replace("[target]", f'[target]\nadapter = "{names}"', 1) + more
        return load(written(tmp_path, text), environ={})

    return make


# --- the example, against a server that demands it --------------------------------------------


def test_signed_requests_are_let_in(otpspec: Otpspec, signing: str) -> None:
    with guarded() as (door, url):
        words = ("check", signing, "--base-url", url, "-k", "VERIFY or EXPIRY or CONTACT")
        done = otpspec(*words, ACME_SIGNING_KEY=KEY)

    assert done.code == 0, done.out + done.err
    assert not unsound(done.results)
    assert verdicts(done.results)["CONTACT-3"] == "passed"
    assert verdicts(done.results)["EXPIRY-2"] == "passed"  # signed in the target's time
    assert door.passed > 50
    assert door.refused == 0
    assert KEY not in "".join(f.read_text() for f in done.folder.iterdir() if f.is_file())


def test_wrong_key_is_refused_and_said(otpspec: Otpspec, signing: str) -> None:
    with guarded() as (door, url):
        done = otpspec("check", signing, "--base-url", url, ACME_SIGNING_KEY="another")

    assert done.code == 2
    assert door.passed == 0
    assert done.err == (
        f"{url} does not enrol a card: unknown (HTTP 401)\n"
        f"  profile   {signing}, operations.enroll\n"
        "  request   POST /cards\n"
        '  answer    {"status":"unsigned"}\n'
        "No rule was checked, so this says nothing about the target.\n"
        "Try: check --base-url and the patterns of operations.enroll.\n"
    )


def test_missing_key_is_the_adapters_own_mistake(otpspec: Otpspec, signing: str) -> None:
    line = 1 + EXAMPLE.read_text().splitlines().index(
        '        key = os.environ["ACME_SIGNING_KEY"].encode()'
    )
    with guarded() as (door, url):
        done = otpspec("check", signing, "--base-url", url)

    assert done.code == 2
    assert done.err == (
        "signing:Signed, prepare: KeyError: 'ACME_SIGNING_KEY'\n"
        f"  profile   {signing}, target.adapter\n"
        f"  raised    signing.py, line {line}\n"
        "Try: mend the class; this says nothing about the target.\n"
    )
    assert (door.passed, door.refused) == (0, 0)


def test_load_signs_its_requests_too(otpspec: Otpspec, signing: str) -> None:
    with guarded() as (door, url):
        words = ("load", signing, "--base-url", url, "--users", "3", "--for", "2s")
        done = otpspec(*words, ACME_SIGNING_KEY=KEY)

    assert done.code in (0, 3), done.out + done.err  # too short a run to judge every rule
    assert "broken" not in verdicts(done.results).values()
    assert door.passed > 100
    assert door.refused == 0


def test_bench_signs_its_requests_too(otpspec: Otpspec, signing: str) -> None:
    with guarded() as (door, url):
        words = ("bench", signing, "--base-url", url, "-k", "right and not csc")
        done = otpspec(*words, "--benchmark-max-time=0.1", ACME_SIGNING_KEY=KEY)

    assert done.code == 0, done.out + done.err
    assert door.refused == 0


# --- what may be overridden -------------------------------------------------------------------


def answer(status: int, body: bytes = b"{}", **headers: str) -> Raw:
    """What a server said."""
    return Raw(status, headers, body)


def test_whole_operation_is_a_generator_of_requests(adapter: Callable[..., Profile]) -> None:
    profile = adapter("""
        class Theirs(Adapter):
            def prepare(self, request):
                return request._replace(headers=(*request.headers, ("X-Ours", request.target)))

            def start(self, values, **extra):
                prepared = yield Request("start", "POST", "/prepare", (), b"", self.profile.origin)
                reading = yield from self.usual("start", values, **extra)
                flow = prepared.document["flow"]
                return reading._replace(captures={**reading.captures, "flow": flow})
    """)
    asked = profile.operations["start"].exchange(SENT, profile.origins, patient=True)

    first = next(asked)
    second = asked.send(answer(200, b'{"flow": "f-1"}'))
    with pytest.raises(StopIteration) as end:
        asked.send(answer(201, b'{"transaction_id": "t-1"}'))

    assert (first.target, second.target) == ("/prepare", "/transactions")
    assert ("X-Ours", "/prepare") in first.headers  # prepared like every other
    assert [h for h in second.headers if h[0] == "X-Ours"] == [("X-Ours", "/transactions")]
    captures = {"id": "t-1", "flow": "f-1"}
    assert end.value.value == Reading(frozenset({Outcome.DONE}), captures)


def test_request_that_is_sent_again_is_prepared_anew(adapter: Callable[..., Profile]) -> None:
    profile = adapter("""
        class Theirs(Adapter):
            count = 0

            def prepare(self, request):
                self.count += 1
                return request._replace(headers=(*request.headers, ("X-Count", str(self.count))))
    """)
    asked = profile.operations["start"].exchange(SENT, profile.origins, patient=True)

    next(asked)
    again = asked.send(answer(429, **{"retry-after": "2"}))

    assert again.after_s == 2
    assert [h for h in again.headers if h[0] == "X-Count"] == [("X-Count", "2")]


def test_answer_is_read_by_the_adapter_or_by_the_patterns(
    adapter: Callable[..., Profile],
) -> None:
    profile = adapter("""
        class Theirs(Adapter):
            def read(self, operation, answer):
                if operation == "verify" and answer.body == b"sealed":
                    return Reading(frozenset({Outcome.APPROVED}), {})
                return None
    """)

    sealed = profile.read("verify", 200, {}, b"sealed")
    usual = profile.read("verify", 403, {}, b"{}")

    assert sealed == Reading(frozenset({Outcome.APPROVED}), {})
    assert usual.outcomes == {Outcome.WRONG_OTC}


def test_place_without_a_value_is_the_profiles_mistake(adapter: Callable[..., Profile]) -> None:
    profile = adapter("""
        class Theirs(Adapter):
            def start(self, values, **extra):
                return (yield from self.usual("start", values, **extra))
    """)

    with pytest.raises(KeyError, match=r"card\.id"):
        next(profile.operations["start"].exchange({"amount": "1"}, profile.origins))


# --- what may be wrong with it ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ("theirs", '"theirs" names no class; write it like "signing:Signed"'),
        (":Theirs", '":Theirs" names no class; write it like "signing:Signed"'),
        ("nowhere:X", "nowhere:X cannot be imported: No module named 'nowhere'"),
        ("theirs:X", "theirs:X cannot be imported: module 'theirs' has no attribute 'X'"),
        ("theirs:Plain", "theirs:Plain is no class that inherits from otpspec.Adapter"),
        ("theirs:Picky", "theirs:Picky cannot be made: no key is set"),
    ],
)
def test_adapter_that_cannot_be_had_is_a_mistake_of_the_profile(
    adapter: Callable[..., Profile], tmp_path: Path, names: str, text: str
) -> None:
    code = """
        class Plain:
            pass

        class Picky(Adapter):
            def __init__(self, profile):
                raise ValueError("no key is set")
    """
    with pytest.raises(ProfileError) as raised:
        adapter(code, names=names)

    assert str(raised.value) == f"{tmp_path / 'acs.toml'}: 1 problem\n  target.adapter  {text}"


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("def prepare(self, request):\n        pass", "prepare: TypeError: NoneType is no Request"),
        (
            "def start(self, values, **extra):\n        return 1",
            "start: TypeError: int is no Generator",
        ),
        (
            "def start(self, values, **extra):\n        yield 1",
            "start: TypeError: int is no Request",
        ),
        (
            "def start(self, values, **extra):\n        return\n        yield",
            "start: TypeError: no request was yielded",
        ),
        (
            "def start(self, values, **extra):\n        yield from self.usual('start', values)",
            "start: TypeError: NoneType is no Reading",
        ),
    ],
)
def test_what_an_adapter_does_wrong_is_told_as_its_own(
    adapter: Callable[..., Profile], tmp_path: Path, method: str, told: str
) -> None:
    profile = adapter(f"class Theirs(Adapter):\n    {method}\n")

    with pytest.raises(TargetError) as raised:
        _whole(profile, answer(201, b'{"transaction_id": "t-1"}'))

    assert str(raised.value) == (
        f"theirs:Theirs, {told}\n"
        f"  profile   {tmp_path / 'acs.toml'}, target.adapter\n"
        "Try: mend the class; this says nothing about the target."
    )


def test_read_that_returns_something_else_is_told(adapter: Callable[..., Profile]) -> None:
    profile = adapter("""
        class Theirs(Adapter):
            def read(self, operation, answer):
                return "approved"
    """)

    with pytest.raises(TargetError, match=r"^theirs:Theirs, read: TypeError: str is no Reading"):
        profile.read("verify", 200, {}, b"{}")


def _whole(profile: Profile, said: Raw) -> Any:
    asked = profile.operations["start"].exchange(SENT, profile.origins)
    request: Request = next(asked)
    assert request.operation == "start"
    return asked.send(said)
