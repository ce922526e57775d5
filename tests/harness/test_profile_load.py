"""A profile is found, changed for one run, and its secrets are known."""

from datetime import timedelta
from pathlib import Path

import pytest

from otpspec.errors import ProfileError
from otpspec.policy import Policy
from otpspec.profile import load, shipped

from .samples import changed, read, written

ENVIRON = {"OTPSPEC_TEST_TOKEN": "s3cret"}


def test_every_shipped_profile_can_be_used() -> None:
    assert shipped() == ["safekey-reference"]
    for name in shipped():
        assert load(name, environ=ENVIRON).source == name


def test_profile_of_the_reference_server_offers_every_operation() -> None:
    profile = load("safekey-reference", environ=ENVIRON)

    assert set(profile.operations) == {
        "enroll", "start", "verify", "resend", "cancel", "amend", "unlock", "change_contact",
    }  # fmt: skip
    assert profile.clock.kind == "http"
    assert profile.policy.validity == Policy().validity == timedelta(minutes=10)


def test_profile_without_a_policy_promises_safekey(tmp_path: Path) -> None:
    profile = read(tmp_path, ('[policy]\nvalidity = "10m"\n', ""))

    assert profile.policy == Policy(
        validity=timedelta(minutes=10),
        tolerance=timedelta(seconds=1),
        digits=6,
        max_wrong=3,
        csc="sometimes",
        wrong_csc="void",
    )


def test_single_values_of_a_policy_are_changed_and_the_others_stay(tmp_path: Path) -> None:
    profile = read(tmp_path, ('validity = "10m"', 'base = "safekey"\nmax_wrong = 5'))

    assert profile.policy == Policy(max_wrong=5)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("1.5s", timedelta(seconds=1.5)),
        ("30 s", timedelta(seconds=30)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
    ],
)
def test_durations_have_a_unit(tmp_path: Path, text: str, length: timedelta) -> None:
    assert read(tmp_path, ('"10m"', f'"{text}"')).policy.validity == length


@pytest.mark.parametrize(
    "change", ["policy.validity=8s", 'policy.validity="8s"', " policy.validity = 8s "]
)
def test_a_change_replaces_one_value(tmp_path: Path, change: str) -> None:
    profile = load(written(tmp_path), changes=[change])

    assert profile.policy == Policy(validity=timedelta(seconds=8))


def test_changes_keep_their_types_and_make_tables_that_are_not_there(tmp_path: Path) -> None:
    changes = [
        "policy.wrong_csc_counts=false",
        "policy.max_wrong=5",
        "amounts.currency=USD",
        "waive.LOCKOUT-7=the desk works by hand",
        'operations.start.answers=[{status = [200, 201], outcomes = "done"}]',
    ]

    profile = load(written(tmp_path), changes=changes)

    assert profile.policy == Policy(wrong_csc_counts=False, max_wrong=5)
    assert profile.amounts.currency == "USD"
    assert profile.waive == {"LOCKOUT-7": "the desk works by hand"}
    assert profile.read("start", 200, {}, b"").outcomes == {"done"}


def test_the_last_of_two_changes_of_one_value_counts(tmp_path: Path) -> None:
    profile = load(written(tmp_path), changes=["policy.max_wrong=5", "policy.max_wrong=7"])

    assert profile.policy.max_wrong == 7


def test_base_url_is_replaced_also_where_the_profile_has_none(tmp_path: Path) -> None:
    text = changed(('base_url = "http://127.0.0.1:8000"\n', ""))

    profile = load(written(tmp_path, text), base_url="https://localhost:8443/otp/")

    assert profile.base_url == "https://localhost:8443/otp"
    assert profile.origin == "https://localhost:8443"


def test_environment_is_filled_in_everywhere_and_its_values_are_secrets(tmp_path: Path) -> None:
    text = changed(
        ('"/cards"', '"/{env.TENANT}/cards"\nheaders = { Authorization = "Bearer {env.KEY}" }'),
        ("{card.pan}", "{card.pan}{env.KEY}"),
    )

    profile = load(written(tmp_path, text), environ={"TENANT": "acme", "KEY": "s3cret", "X": "y"})

    request = profile.build("enroll", {"card.pan": "1-", "card.phone": "2"})
    assert request.target == "/acme/cards"
    assert ("Authorization", "Bearer s3cret") in request.headers
    assert request.body == b'{"pan":"1-s3cret","phone":"2"}'
    assert profile.secrets == {"acme", "s3cret"}


def test_environment_variable_that_is_empty_counts_as_not_set(tmp_path: Path) -> None:
    text = changed(('"/cards"', '"/{env.TENANT}"'))

    with pytest.raises(ProfileError, match="the environment variable TENANT is not set"):
        load(written(tmp_path, text), environ={"TENANT": ""})


def test_a_file_goes_before_a_shipped_profile_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "safekey-reference").write_text(changed(('"10m"', '"9m"')))
    monkeypatch.chdir(tmp_path)

    assert load("safekey-reference").policy.validity == timedelta(minutes=9)
