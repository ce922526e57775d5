"""otpspec init: what it writes, what it says, and what it refuses."""

import re
import signal
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Done

from otpspec import profile as profiles
from otpspec.cli import init, main, templates
from otpspec.cli.questions import INBOXES
from otpspec.errors import OtpspecError
from otpspec.guard import verification
from otpspec.guard.kinds import Kind
from otpspec.rules import NEEDS, RULES

Run = Callable[..., Any]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "SUPPORT_TOKEN": "a-value",
    "OTPSPEC_TEST_TOKEN": "a-value",
    "PRIVACYIDEA_ADMIN": "a-value",
    "PRIVACYIDEA_PASSWORD": "a-value",
    "TWILIO_SERVICE": "a-value",
    "TWILIO_BASIC": "a-value",
    "SHOP_KEY": "a-value",
}
NEXT = "Next:\n  otpspec doctor acs.toml\n  otpspec check acs.toml\n"


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """The command in this process, which is quicker: here("init", "--yes")."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Done:
        monkeypatch.setattr("sys.argv", ["otpspec", *words])
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        with pytest.raises(SystemExit) as ended:
            main()
        for number, handler in before.items():
            signal.signal(number, handler)
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err, tmp_path / "otpspec-report")

    return run


def load(file: Path) -> profiles.Profile:
    return profiles.load(str(file), environ=ENVIRONMENT)


def written(run: Run, *words: str) -> tuple[str, dict[str, Any], Any]:
    """The text and the tables of acs.toml, and the run that wrote it."""
    done = run("init", *words)
    assert (done.code, done.err) == (0, ""), done.err
    text = (done.folder.parent / "acs.toml").read_text()
    return text, tomllib.loads(text), done


# --- templates ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", templates.NAMES)
def test_every_template_is_a_profile_that_loads(here: Run, tmp_path: Path, name: str) -> None:
    written(here, "--from", name)

    assert load(tmp_path / "acs.toml").policy == _template(name, tmp_path).policy


def _template(name: str, folder: Path) -> profiles.Profile:
    file = folder / f"{name}-as-it-is.toml"
    file.write_text(templates.read(name))
    return load(file)


def test_what_is_written_without_a_word_is_the_template_for_apis(otpspec: Run) -> None:
    text, _, done = written(otpspec)

    named = templates.read("json-api").replace('name = "JSON API"', 'name = "acs"')
    assert text == named
    assert (
        done.out == f"acs.toml: a profile for http://127.0.0.1:8080, begun with json-api.\n{NEXT}"
    )


def test_templates_are_listed(otpspec: Run) -> None:
    done = otpspec("init", "--list", COLUMNS="80")

    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80
    listed = [line.split()[0] for line in done.out.splitlines() if not line.startswith(" ")]
    assert listed == list(templates.NAMES)
    words = " ".join(done.out.split())
    assert (
        "Twilio Verify v2, a code by SMS: tried only against a stand-in of otpspec's own" in words
    )


def test_template_that_is_not_there(here: Run, tmp_path: Path) -> None:
    done = here("init", "--from", "json-pai")

    assert (done.code, done.out) == (2, "")
    assert done.err == "There is no template json-pai; did you mean json-api?\n"
    assert not (tmp_path / "acs.toml").exists()


@pytest.mark.parametrize("product", ["django-allauth", "privacyidea"])
def test_example_of_a_product_is_its_template(product: str) -> None:
    example = ROOT / "examples" / product / "profile.toml"
    source = f"harness/otpspec/templates/{product}.toml"

    assert example.read_text() == templates.read(product), f"try: cp {source} {example}"


def test_operations_that_are_not_used_say_which_rules_need_them() -> None:
    blocks = re.findall(
        r"# Checked with it: (.+)\n# \[operations\.(\w+)\]", templates.read("json-api")
    )

    needs = {"resend": "resend", "amend": "amend", "unlock": "unlock", "change_contact": "contact"}
    listed = {operation: set(rules.split(", ")) for rules, operation in blocks}
    assert listed.keys() == {*needs, "cancel"}
    assert listed["cancel"] <= RULES.keys()
    for operation, need in needs.items():
        assert need in NEEDS
        wanted = {rule.id for rule in RULES.values() if need in rule.needs}
        assert listed[operation] == wanted, operation


@pytest.mark.parametrize("operation", ["resend", "cancel", "amend", "unlock", "change_contact"])
def test_operation_whose_comment_signs_are_taken_away_is_right(
    tmp_path: Path, operation: str
) -> None:
    text = templates.read("json-api")
    begin = text.index(f"# [operations.{operation}]")
    end = text.index("\n\n", begin)
    block = re.sub(r"(?m)^# ", "", text[begin:end])
    file = tmp_path / "acs.toml"
    file.write_text(text[:begin] + block + text[end:])

    assert operation in load(file).operations


@pytest.mark.parametrize("table", ["clock", "waive"])
def test_table_whose_comment_signs_are_taken_away_is_right(tmp_path: Path, table: str) -> None:
    text = templates.read("json-api")
    begin = text.index(f"# [{table}]")
    end = text.find("\n\n", begin)
    end = len(text) if end < 0 else end
    file = tmp_path / "acs.toml"
    file.write_text(text[:begin] + re.sub(r"(?m)^# ", "", text[begin:end]) + text[end:])

    profile = load(file)

    assert profile.clock.kind == ("http" if table == "clock" else "real")
    assert set(profile.waive) == ({"CSC-1", "CONTACT-3"} if table == "waive" else set())


# --- answers ------------------------------------------------------------------------------------


def test_options_replace_values_and_keep_comments(here: Run) -> None:
    text, _, _ = written(
        here, "--validity", "90s", "--digits", "8", "--max-wrong", "5", "--lock", "30m"
    )

    assert 'validity = "90s" # how long a code lives\n' in text
    assert "digits = 8 # how many digits it has\n" in text
    assert "max_wrong = 5 # N: the N-th wrong code locks the card\n" in text
    assert 'lock_for = "30m" # until support unlocks it; or how long a lock lasts: "30m"\n' in text


def test_options_replace_values_of_any_template(here: Run, tmp_path: Path) -> None:
    text, _, _ = written(
        here, "--from", "django-allauth", "--validity", "10s", "--lock", "5m", "--inbox", "file"
    )

    assert 'validity = "10s" # ACCOUNT_LOGIN_BY_CODE_TIMEOUT' in text
    profile = load(tmp_path / "acs.toml")
    assert profile.policy.lock_for is not None
    [channel] = profile.channels
    assert (channel.kind, channel.contact) == ("file", "email")
    assert channel.settings.code == r"(?m)^([A-Z]{4}-[A-Z]{4})\s*$"


@pytest.mark.parametrize("csc", ["sometimes", "always"])
def test_csc_that_is_asked_for_is_enrolled_sent_and_read(here: Run, csc: str) -> None:
    _, tables, _ = written(here, "--csc", csc)

    operations = tables["operations"]
    assert operations["enroll"]["json"]["csc"] == "{card.csc}"
    assert operations["verify"]["json"]["csc"] == "{csc}"
    wrong_csc = {"status": 400, "json": {"error.code": "wrong_csc"}, "outcomes": "wrong_csc"}
    assert wrong_csc in operations["verify"]["answers"]


@pytest.mark.parametrize("kind", INBOXES)
def test_every_inbox_makes_a_profile_that_loads(here: Run, tmp_path: Path, kind: str) -> None:
    _, tables, _ = written(here, "--inbox", kind)

    [channel] = load(tmp_path / "acs.toml").channels
    assert channel.kind == kind
    contact = "email" if kind in ("smtp", "maildir") else "phone"
    if channel.sends:
        assert tables["operations"]["enroll"]["json"][contact] == f"{{card.{contact}}}"


def test_answers_that_are_the_same_are_one_pattern_and_the_narrower_comes_first(
    here: Run,
) -> None:
    same = ["--malformed", "400", "--expired", "404", "--used", "404", "--locked", "-"]
    _, tables, _ = written(here, *same, "--wrong", "400 reason='not right' left=2")

    assert tables["operations"]["verify"]["answers"] == [
        {"status": 200, "json": {"status": "approved"}, "outcomes": "approved"},
        {"status": 400, "json": {"reason": "not right", "left": 2}, "outcomes": "wrong_otc"},
        {"status": 400, "outcomes": "malformed"},
        {"status": 404, "outcomes": ["expired", "void"]},
    ]


def test_form_in_place_of_json(here: Run) -> None:
    _, tables, _ = written(here, "--verify", "POST /check id={challenge.id}&code={otc}")

    assert tables["operations"]["verify"]["form"] == {"id": "{challenge.id}", "code": "{otc}"}
    assert "json" not in tables["operations"]["verify"]


def test_operations_and_header_that_are_named(here: Run) -> None:
    text, tables, done = written(
        here,
        "--resend", "POST /again {\"id\": \"{challenge.id}\"}",
        "--unlock", "DELETE /locks/{card.id}",
        "--header", "X-Api-Key: {env.SHOP_KEY}",
    )  # fmt: skip

    key = {"X-Api-Key": "{env.SHOP_KEY}"}
    operations = tables["operations"]
    assert set(operations) == {"enroll", "start", "verify", "resend", "unlock"}
    assert [operations[name]["headers"] for name in operations] == [key] * 5
    assert tables["inbox"]["poll"]["headers"] == key
    assert operations["resend"]["answers"][0] == {
        "status": [200, 201, 202, 204],
        "outcomes": "done",
    }
    assert "# [operations.resend]" not in text
    assert "It reads from the environment: SHOP_KEY\n" in done.out


def test_cards_that_cannot_be_made_are_for_the_user_to_fill_in(here: Run, tmp_path: Path) -> None:
    start = 'POST /payments {"account": "{card.account}", "amount": "{amount}"}'
    text, tables, done = written(here, "--enroll", "-", "--start", start, "--csc", "always")

    assert tables["cards"]["given"] == [
        {"account": "account-of-card-1", "phone": "+99900000001", "csc": "123"}
    ]
    assert "# fill in: cards (accounts) that your target knows, thirty or more" in text
    assert "Something is for you to fill in: look for “fill in:” in it.\n" in done.out
    assert "How a test makes a card" not in text
    assert load(tmp_path / "acs.toml").cards


def test_mistake_in_a_place_is_told_and_the_file_is_there_to_be_mended(
    here: Run, tmp_path: Path
) -> None:
    done = here("init", "--verify", 'POST /check {"id": "{challenge.idd}", "code": "{otc}"}')

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "acs.toml: 1 problem\n"
        "  operations.verify.json.id  {challenge.idd} is not known here; did you mean "
        "challenge.id?\n"
        "It was written all the same. Mend it there, then: otpspec doctor acs.toml\n"
    )
    assert (tmp_path / "acs.toml").exists()


REFUSED = {
    ("--base-url", "acs.example.com"): '"acs.example.com" is not a base URL; write it like '
    '"https://acs.example.com:8443/otp"',
    ("--validity", "300"): '300 has no unit; write "300s" or "5m"',
    ("--digits", "six"): '"six" is not a number from 1 on',
    ("--max-wrong", "0"): '"0" is not a number from 1 on',
    ("--lock", "soon"): '"soon" is no end of a lock; write support, challenge, '
    "or a duration like 30m",
    ("--csc", "sometime"): '"sometime" is not known; did you mean sometimes?',
    ("--inbox", "stmp"): '"stmp" is not known; did you mean smtp?',
    ("--start", "orders"): '"orders" is not a request; write it like: '
    'POST /payments {"card": "{card.id}"}',
    ("--start", 'POST /x {"a": }'): "the body is not JSON: Expecting value: line 1 column 7 "
    "(char 6)",
    ("--start", 'POST /x {"a": null}'): "null cannot stand in a profile: leave the key out",
    ("--wrong", "bad"): '"bad" tells no answer; write it like: 400, or 400 error.code=wrong_code, '
    "or ok=true",
    ("--header", "Bearer"): '"Bearer" is not a header; write it like: '
    "Authorization: Bearer {env.ACS_TOKEN}",
    ("--card-id", " "): "give a field, like data.id; - where there is none",
}


@pytest.mark.parametrize(("option", "value"), REFUSED)
def test_answer_that_cannot_be_used(here: Run, tmp_path: Path, option: str, value: str) -> None:
    done = here("init", option, value)

    assert (done.code, done.out) == (2, "")
    assert done.err == f"{option}: {REFUSED[option, value]}\n"
    assert not (tmp_path / "acs.toml").exists()


def test_option_about_an_api_does_not_go_with_a_template_that_is_complete(here: Run) -> None:
    done = here("init", "--from", "privacyidea", "--card-id", "serial")

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "--card-id does not go with --from privacyidea, which is complete: change its file.\n"
        "Try: otpspec init --from json-api --card-id …\n"
    )


# --- the file -----------------------------------------------------------------------------------


def test_file_that_is_there_is_left_as_it_is(otpspec: Run, tmp_path: Path) -> None:
    file = tmp_path / "acs.toml"
    file.write_text("mine")

    done = otpspec("init")

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "acs.toml is there already, and was left as it is.\n"
        "Try: another name, or --force to replace it\n"
    )
    assert file.read_text() == "mine"


def test_force_replaces_a_file(here: Run, tmp_path: Path) -> None:
    (tmp_path / "acs.toml").write_text("mine")

    _, tables, _ = written(here, "--force")

    assert tables["target"]["name"] == "acs"


def test_file_that_cannot_be_written(here: Run) -> None:
    done = here("init", "nowhere/acs.toml")

    assert (done.code, done.out) == (2, "")
    assert done.err == "nowhere/acs.toml cannot be written: No such file or directory\n"


# --- where the target is ------------------------------------------------------------------------


@pytest.mark.parametrize("name", templates.NAMES)
def test_public_target_gets_a_token_and_its_line_is_told(
    here: Run, tmp_path: Path, name: str
) -> None:
    text, tables, done = written(here, "--from", name, "--base-url", "https://9.9.9.9:8443/otp")

    token = tables["target"]["ownership_token"]
    line = verification(token, "https://9.9.9.9:8443")
    where = "https://9.9.9.9:8443/.well-known/otpspec-verification.txt"
    assert (
        "It is public, and is only talked to where its owner agrees. Put this line\n"
        f"  {line}\n"
        f"into {where}\n"
    ) in done.out
    assert f"# {where}\n" in text
    assert f"# {line}\n" in text
    assert token not in done.out
    assert load(tmp_path / "acs.toml").target.ownership_token == token


def test_each_profile_has_a_token_of_its_own(here: Run) -> None:
    words = ("--force", "--base-url", "https://9.9.9.9")
    tokens = {written(here, *words)[1]["target"]["ownership_token"] for _ in range(2)}

    assert len(tokens) == 2


def test_target_in_a_private_network_is_declared(here: Run) -> None:
    text, tables, _ = written(here, "--base-url", "http://10.1.2.3:8080")

    assert "private = true # it is in a private network, yours to test\n" in text
    assert "ownership_token" not in tables["target"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"])
def test_target_on_this_machine_needs_nothing(here: Run, url: str) -> None:
    _, tables, _ = written(here, "--base-url", url)

    assert tables["target"] == {"name": "acs", "base_url": url}


def test_address_that_is_no_place_for_a_target(here: Run, tmp_path: Path) -> None:
    done = here("init", "--base-url", "http://169.254.169.254/latest")

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "169.254.169.254 is no place for a target: 169.254.169.254 is a cloud's metadata service.\n"
        "Try: --base-url\n"
    )
    assert not (tmp_path / "acs.toml").exists()


@pytest.mark.parametrize(
    ("host", "addresses", "kinds"),
    [
        ("acs.example.com", ["9.9.9.9"], {Kind.PUBLIC}),
        ("acs.example.com", ["10.0.0.1"], {Kind.PRIVATE}),
        ("acs.example.com", ["127.0.0.1", "::1"], {Kind.LOOPBACK}),
        ("acs.example.com", ["10.0.0.1", "9.9.9.9"], {Kind.PRIVATE, Kind.PUBLIC}),
        ("acs.example.com", [], {Kind.PUBLIC}),
        ("acs", [], {Kind.PRIVATE}),
        ("acs.internal", [], {Kind.PRIVATE}),
        ("acs.localhost", [], {Kind.LOOPBACK}),
    ],
)
def test_names_are_what_stands_behind_them(
    monkeypatch: pytest.MonkeyPatch, host: str, addresses: list[str], kinds: set[Kind]
) -> None:
    def resolve(name: str, port: None) -> list[tuple[Any, ...]]:
        if not addresses:
            raise OSError("nobody knows it")
        return [(0, 0, 0, "", (address, 0)) for address in addresses]

    monkeypatch.setattr("socket.getaddrinfo", resolve)

    assert init._kinds(host) == kinds


def test_name_of_a_place_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("169.254.1.1", 0))]
    monkeypatch.setattr("socket.getaddrinfo", lambda name, port: found)

    with pytest.raises(OtpspecError, match=r"^acs\.example\.com is no place for a target: 169\."):
        init._kinds("acs.example.com")


BY_ADDRESS = (
    *("--start", 'POST /code {"email": "{card.email}"}', "--transaction-id", "-"),
    *("--verify", 'POST /sign-in {"email": "{card.email}", "code": "{otc}"}'),
)
"""Another API: an address asks for a code, and signs in with it."""


def test_target_that_takes_any_address_is_sent_addresses_that_are_made_up(
    here: Run, tmp_path: Path
) -> None:
    text, tables, _ = written(here, *BY_ADDRESS, "--enroll", "any")

    assert tables["cards"] == {"made_up": True}
    assert "enroll" not in tables["operations"]
    assert "How a test makes a card" not in text
    assert load(tmp_path / "acs.toml").makes_cards_up


def test_codes_go_to_the_contact_that_the_target_is_told(here: Run) -> None:
    _, tables, _ = written(here, *BY_ADDRESS, "--enroll", "any", "--inbox", "sms")

    assert tables["inbox"]["contact"] == "email"


def test_message_names_no_payment_where_start_tells_none(here: Run) -> None:
    _, without, _ = written(here, *BY_ADDRESS, "--enroll", "any")
    _, with_one, _ = written(here, "--force")

    assert without["policy"]["message_names_payment"] is False
    assert with_one["policy"]["message_names_payment"] is True


def test_code_that_dies_while_its_card_lives(here: Run, tmp_path: Path) -> None:
    text, tables, _ = written(here, "--lock", "challenge")

    assert tables["policy"]["lock_scope"] == "challenge"
    assert "lock_for" not in tables["policy"]
    assert "# only the one code dies; nothing locks" in text
    assert load(tmp_path / "acs.toml").policy.lock_scope == "challenge"
