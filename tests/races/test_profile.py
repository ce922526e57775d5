"""The profile's [races], and what is wrong with it."""

from pathlib import Path

import pytest
from tests.harness.samples import PROFILE, read, written

from otpspec.errors import ProfileError
from otpspec.profile import load


def with_races(folder: Path, text: str) -> str:
    return written(folder, PROFILE + "\n[races]\n" + text)


def test_profile_without_races_has_the_defaults(tmp_path: Path) -> None:
    races = read(tmp_path).races

    assert races.sizes == (2, 8, 32)
    assert (str(races.power), races.rounds) == ("95%/15%", 19)


def test_rounds_are_a_limit_whatever_the_power(tmp_path: Path) -> None:
    races = load(with_races(tmp_path, 'power = "95%/5%"\nrounds = 7\nsizes = [64, 4, 4]')).races

    assert (races.rounds, races.sizes) == (7, (4, 64))


def test_other_nodes_are_origins_that_may_be_connected_to(tmp_path: Path) -> None:
    profile = load(with_races(tmp_path, 'base_urls = ["http://127.0.0.1:8001/api"]'))

    assert profile.origins == {"http://127.0.0.1:8000", "http://127.0.0.1:8001"}
    assert [node.path for node in profile.nodes] == ["", "/api"]


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    text = 'sizes = [1, 400]\npower = "sure"\nrounds = 0\nbase_urls = ["here"]'

    with pytest.raises(ProfileError) as caught:
        load(with_races(tmp_path, text))

    assert [(problem.place, problem.text) for problem in caught.value.problems] == [
        ("races.sizes", "[1, 400] are no sizes of bursts; from 2 to 256, like [2, 8, 32]"),
        (
            "races.power",
            '"sure" is not a power; write it like "95%/5%": seen with 95 % probability where it '
            "shows in 5 % of rounds",
        ),
        ("races.rounds", "0 is too small; at least 1"),
        (
            "races.base_urls[0]",
            '"here" is not a base URL; write it like "https://acs.example.com:8443/otp"',
        ),
    ]
