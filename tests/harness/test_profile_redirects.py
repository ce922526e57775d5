"""Redirects are followed as far as the profile says, and to nobody whom it does not name."""

from pathlib import Path

import pytest

from otpspec.profile import Profile

from .driven import START, drive, raw, with_steps

HERE = "http://127.0.0.1:8000"
THERE = "https://login.example.com"


def profile_that_follows(folder: Path, follow: int, *, base_url: str = HERE) -> Profile:
    steps = f"""
[[operations.start]]
method = "GET"
path = "/elsewhere"
base_url = "{THERE}"

[[operations.start]]
method = "POST"
path = "/transactions"
json = {{ amount = "{{amount}}" }}
headers = {{ X-Api-Key = "k" }}
follow = {follow}
capture = {{ id = {{ regex = 'id=(\\w+)' }}, sid = {{ cookie = "sid" }} }}
answers = [{{ status = 200, outcomes = "done" }}, {{ status = 302, outcomes = "denied" }}]
"""
    return with_steps(folder, "start", steps, (f'"{HERE}"', f'"{base_url}"'))


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return profile_that_follows(tmp_path, 3)


def test_redirects_are_not_followed_unless_the_profile_says_so(tmp_path: Path) -> None:
    done = drive(
        profile_that_follows(tmp_path, 0), "start", raw(200), raw(302, location="/done"),
        values=START,
    )  # fmt: skip

    assert done.reading.outcomes == {"denied"}


def test_as_many_redirects_are_followed_as_the_profile_says(tmp_path: Path) -> None:
    done = drive(
        profile_that_follows(tmp_path, 2), "start", raw(200),
        raw(302, location="/1"), raw(302, location="/2"), raw(302, location="/3"),
        values=START,
    )  # fmt: skip

    assert done.asked[2:] == [f"GET {HERE}/1", f"GET {HERE}/2"]
    assert done.reading.outcomes == {"denied"}


@pytest.mark.parametrize("status", [301, 302, 303])
def test_post_becomes_a_get_without_a_body(profile: Profile, status: int) -> None:
    done = drive(
        profile, "start", raw(200), raw(status, location="/done?id=t1"), raw(200), values=START
    )

    last = done.requests[-1]
    assert (last.method, last.target, last.body) == ("GET", "/done?id=t1", b"")
    assert last.headers == (("X-Api-Key", "k"),)


@pytest.mark.parametrize("status", [307, 308])
def test_method_and_body_stay_where_the_target_says_so(profile: Profile, status: int) -> None:
    done = drive(profile, "start", raw(200), raw(status, location="/v2"), raw(200), values=START)

    first, last = done.requests[1:]
    assert last == first._replace(target="/v2")
    assert (last.method, last.body) == ("POST", b'{"amount":"12.00"}')


@pytest.mark.parametrize("status", [200, 201, 300, 304])
def test_other_statuses_lead_nowhere(profile: Profile, status: int) -> None:
    done = drive(profile, "start", raw(200), raw(status, location="/x"), values=START)

    assert len(done.requests) == 2


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/a/b", f"{HERE}/a/b"),
        ("next", f"{HERE}/next"),
        ("?step=2", f"{HERE}/transactions?step=2"),
        ("../up", f"{HERE}/up"),
        (f"{HERE}/x?y=1#part", f"{HERE}/x?y=1"),
        (HERE, f"{HERE}/"),
        (f"{THERE}/login", f"{THERE}/login"),
        (f"{THERE}:443/login", f"{THERE}/login"),
        ("https://LOGIN.example.com/x", f"{THERE}/x"),
        ("//127.0.0.1:8000/y", f"{HERE}/y"),
        ("https://somebody@login.example.com/", f"{THERE}/"),
    ],
)
def test_location_is_read_as_a_browser_would(
    profile: Profile, location: str, leads_to: str
) -> None:
    done = drive(profile, "start", raw(200), raw(303, location=location), raw(200), values=START)

    assert done.asked[-1] == f"GET {leads_to}"


@pytest.mark.parametrize(
    "location",
    [
        "https://example.org/",
        "https://example.com/",
        "http://login.example.com/",
        "https://login.example.com:8443/",
        "https://login.example.com@example.org/",
        "https://login.example.com.example.org/",
        "//example.org/x",
        "http://127.0.0.1:8001/",
        "http://127.0.0.1/",
        "ftp://127.0.0.1:8000/",
        "javascript:alert(1)",
        "http://[::1",
        "http://127.0.0.1:port/",
        "",
    ],
)
def test_origin_that_the_profile_does_not_name_is_never_asked(
    profile: Profile, location: str
) -> None:
    done = drive(profile, "start", raw(200), raw(302, location=location), values=START)

    assert done.reading.outcomes == {"denied"}
    assert len(done.requests) == 2


def test_default_port_goes_without_saying(tmp_path: Path) -> None:
    profile = profile_that_follows(tmp_path, 1, base_url="http://LocalHost:80")

    done = drive(
        profile, "start", raw(200), raw(302, location="http://localhost/x"), raw(200),
        values=START,
    )  # fmt: skip

    assert done.asked[1:] == ["POST http://localhost/transactions", "GET http://localhost/x"]


def test_cookie_that_was_set_on_the_way_is_captured(profile: Profile) -> None:
    done = drive(
        profile, "start", raw(200),
        raw(302, location="/1", cookies={"sid": "old"}),
        raw(302, location="/2", cookies={"sid": "s-1"}),
        raw(200, "id=t1"),
        values=START,
    )  # fmt: skip

    assert done.reading == ({"done"}, {"id": "t1", "sid": "s-1"})


def test_answers_on_the_way_are_not_read(profile: Profile) -> None:
    done = drive(
        profile, "start", raw(200), raw(302, "id=t0", location="/1"), raw(200, "id=t1"),
        values=START,
    )  # fmt: skip

    assert done.reading == ({"done"}, {"id": "t1"})
