"""Who comes: the profile's mix, a user's own behaviours, and what keeps some of them away."""

import random
import re
import sys
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from otpspec.errors import OtpspecError, ProfileError
from otpspec.load import Share, Shopper
from otpspec.load.cards import Cards
from otpspec.load.mix import DAY, find_mix, source_of
from otpspec.load.plan import Plan, lacking, what_is_lacking
from otpspec.profile import Profile, load
from otpspec.profile.load import text_of
from otpspec_scenarios.load.behaviours import BEHAVIOURS
from otpspec_scenarios.load.behaviours import DAY as PEOPLE

from .by_hand import Drive

PEOPLE_OF_MY_OWN = """
def forgetful(shopper):
    challenge = yield shopper.start()

nobody = 7
"""


def profile(tmp_path: Path, table: str = "", *changes: str) -> Profile:
    source = tmp_path / "acs.toml"
    source.write_text(text_of("safekey-reference") + table)
    return load(str(source), changes=changes, environ={"OTPSPEC_TEST_TOKEN": "t0ken"})


def problems(tmp_path: Path, table: str) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        profile(tmp_path, table)
    return [f"{problem.place}  {problem.text}" for problem in caught.value.problems]


def test_mix_of_the_profile_is_played(tmp_path: Path) -> None:
    read = profile(tmp_path, "[load.mix]\nright_first_time = 9\nguesser = 1\n")

    assert find_mix("", read) == [
        Share(9, BEHAVIOURS["right_first_time"]),
        Share(1, BEHAVIOURS["guesser"]),
    ]
    assert source_of("", read) == f"[load.mix] of {tmp_path}/acs.toml"


def test_without_a_mix_it_is_a_day_at_a_bank(tmp_path: Path) -> None:
    read = profile(tmp_path)

    assert find_mix("", read) == list(PEOPLE)
    assert source_of("", read) == "a day at a bank (a judgement, and no bank's figures)"


def test_mix_that_a_program_names_comes_before_the_profiles(tmp_path: Path) -> None:
    read = profile(tmp_path, "[load.mix]\nguesser = 1\n")

    assert find_mix(DAY, read) == list(PEOPLE)


def test_behaviour_of_ones_own_stands_beside_the_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "my_people", raising=False)
    (tmp_path / "my_people.py").write_text(PEOPLE_OF_MY_OWN)
    read = profile(tmp_path, '[load.mix]\n"my_people:forgetful" = 1\n')

    (share,) = find_mix("", read)

    assert (share.name, share.weight, share.needs) == ("forgetful", 1.0, ())


def test_every_mistake_of_a_mix_is_named_at_once(tmp_path: Path) -> None:
    table = "[load.mix]\nright_frist_time = 1\nguesser = -2\nsprayer = 'often'\n"

    assert problems(tmp_path, table + "[load.slo]\np99 = 250\n[load]\nclok_rate = 2\n") == [
        "load.mix.sprayer  expected a number, got 'often'",
        "load.clok_rate  unknown key; did you mean clock_rate?",
    ]
    table = "[load.mix]\nright_frist_time = 1\nguesser = -2\n"
    assert problems(tmp_path, table + "[load.slo]\np99 = 250\nverfy.p50 = '1s'\n") == [
        'load.mix.right_frist_time  is no behaviour; one of your own is "package.module:function"; '
        "did you mean right_first_time?",
        "load.mix.guesser  -2 is no weight; a number from 0 on, in proportion to the others",
        'load.slo.p99  expected text like "250ms" or "0.1%", got 250',
        "load.slo.verfy.p50  verfy is no operation; did you mean verify?",
    ]


def test_mix_in_which_nobody_comes_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, "[load.mix]\nguesser = 0\n") == [
        "load.mix  every weight is 0, so that nobody would come; give one more than 0"
    ]


def test_clock_that_stands_still_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, "[load]\nclock_rate = 0\n") == [
        "load.clock_rate  0 is no rate of a clock; from 1, as time runs, to 1000"
    ]


def test_behaviours_of_ones_own_that_cannot_be_found_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "more_people.py").write_text(PEOPLE_OF_MY_OWN)
    table = '[load.mix]\n"more_people:nobody" = 1\n"no_such_people:anyone" = 1\n'
    read = profile(tmp_path, table)

    with pytest.raises(ProfileError) as caught:
        find_mix("", read)

    assert [f"{p.place}  {p.text}" for p in caught.value.problems] == [
        "load.mix.more_people:nobody  is no function; a behaviour takes a Shopper and yields steps",
        "load.mix.no_such_people:anyone  cannot be imported: No module named 'no_such_people'",
    ]


@pytest.mark.parametrize(
    ("name", "changes", "missing"),
    [
        ("late_csc", ['policy.csc="never"'], ["csc"]),
        ("double_spender", [], []),
        ("amends", [], []),
    ],
)
def test_what_a_behaviour_needs_is_looked_for(
    tmp_path: Path, name: str, changes: list[str], missing: list[str]
) -> None:
    assert lacking(Share(1, BEHAVIOURS[name]), profile(tmp_path, "", *changes)) == missing


def test_contact_of_a_given_card_is_not_changed(tmp_path: Path) -> None:
    text = text_of("safekey-reference")
    source = tmp_path / "acs.toml"
    card = '[[cards.given]]\nid = "c1"\ncsc = "123"\nphone = "+999"\npassphrase = "p"\npan = "1"\n'
    source.write_text(text + card + 'email = "a@example.com"\n')
    read = load(str(source), environ={"OTPSPEC_TEST_TOKEN": "t0ken"})

    found = lacking(Share(1, BEHAVIOURS["changes_contact"]), read)

    assert found == ["contact"]
    assert what_is_lacking(found) == (
        "the profile has [operations.change_contact] and cards that are made up"
    )


def test_run_in_which_nobody_can_come_says_why(tmp_path: Path) -> None:
    read = profile(tmp_path, "[load.mix]\nlate_csc = 1\nlatecomer = 2\n", 'policy.csc="never"')

    with pytest.raises(OtpspecError) as caught:
        Plan(read, {}, find_mix("", read), seed=1)

    assert str(caught.value) == (
        "Nobody of the mix can come to http://127.0.0.1:8000.\n"
        "  late_csc              needs csc\n"
        "  latecomer             waits for a code's end, and comes later\n"
        f"Try: right_first_time = 1 in [load.mix] of {tmp_path}/acs.toml."
    )


def test_who_waits_for_an_age_comes_only_as_long_as_it_can_be_reached(tmp_path: Path) -> None:
    read = profile(tmp_path)
    rng = random.Random(1)
    short, long = (
        Plan(read, {}, PEOPLE, seed=1, rate=60, duration_s=lasts) for lasts in (20.0, 40.0)
    )

    came = [{plan.pick(rng, may_wait=True).name for _ in range(4000)} for plan in (short, long)]

    assert "latecomer" in came[0]
    assert "much_too_late" not in came[0]  # three lives take thirty seconds
    assert "much_too_late" in came[1]
    assert "latecomer" not in {long.pick(rng, may_wait=False).name for _ in range(4000)}


def test_share_of_a_generator_without_a_name_has_one() -> None:
    class Silent:
        def __call__(self, shopper: Shopper) -> object:
            return iter(())

    assert Share(1, Silent()).name == "journey"  # type: ignore[arg-type]


def test_behaviour_of_the_how_to_page_plays(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "load.md"
    (text,) = re.findall(r"```python people\.py\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    space: dict[str, Any] = {}
    exec(text, space)

    played = Drive(space["forgetful"])

    assert played.said == ["start: done", "resend: done", "wait, after", "verify: expired"]
    assert Share(1, space["forgetful"]).needs == ("resend", "expiry")


def test_some_of_the_profiles_own_cards_are_kept_from_those_who_wait() -> None:
    class Few:
        """Cards of the profile, of which so many are free."""

        enrols = False
        to_spare = Cards.to_spare

        def __init__(self, free: int, cards: int) -> None:
            self._idle = deque(range(free))
            self._profile = SimpleNamespace(cards=[{}] * cards)

    assert Few(3, 8).to_spare()
    assert not Few(2, 8).to_spare()
