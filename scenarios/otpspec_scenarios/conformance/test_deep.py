"""Statistics, only with --deep: they take hundreds of codes, and each says how sure it is."""

import string

from otpspec import Inconclusive, NotApplicable, Trial, proves
from otpspec_scenarios.conformance.chance import FALSE_ALARM, at_least, uneven

PAIRS = 120
"""Of timings. A delay that shows in 4 of 5 pairs is then seen in 999 runs of 1,000."""

CODES = 600
"""60 of each digit at each place, as chance goes: a digit that is never made is then seen."""


def needs_deep(trial: Trial) -> None:
    """Hundreds of codes are asked for only when the user wants that."""
    if not trial.deep:
        raise NotApplicable("statistics run only with --deep")


async def when_it_is_quiet(trial: Trial) -> None:
    """Sleep until the other scenarios are done, so that nothing else is timed."""
    await trial.clock.sleep_until(trial.clock.now() + 1.2 * trial.policy.validity)


@proves("PRIVACY-2")
async def test_time_does_not_tell_how_much_of_a_code_was_right(trial: Trial) -> None:
    needs_deep(trial)
    if trial.policy.max_wrong < 3:
        raise NotApplicable("two tries of one code are compared: policy.max_wrong is under 3")
    await when_it_is_quiet(trial)
    slower = 0
    for number in range(PAIRS):
        challenge = await trial.start(await trial.card())
        near = challenge.otc[:-1] + _another(challenge.otc[-1])
        far = "".join(_another(c) for c in challenge.otc)
        order = (near, far) if number % 2 else (far, near)
        took = {}
        for otc in order:
            answer = await trial.verify(challenge, otc)
            if answer.status is None:
                raise Inconclusive(f"an answer is missing ({answer.error})")
            took[otc] = answer.returned - answer.called
        slower += took[near] > took[far]

    chance = at_least(slower, PAIRS)
    share = f"the code that was almost right took longer in {slower} of {PAIRS} pairs"
    trial.measured("timing", f"{share} (sign test: {chance:.1g})")
    trial.check(
        chance > FALSE_ALARM,
        expected="no difference that chance does not explain (sign test, 1 in 100,000)",
        got=f"{share}: by chance once in {1 / max(chance, 1e-300):,.0f} runs",
        because="else a code can be found character by character",
    )


def _another(character: str) -> str:
    alphabet = string.digits if character.isdigit() else string.ascii_uppercase
    return alphabet[(alphabet.index(character.upper()) + 5) % len(alphabet)]


@proves("ISSUE-2")
async def test_every_digit_is_as_likely_at_every_place(trial: Trial) -> None:
    needs_deep(trial)
    if trial.policy.alphabet != "digits":
        raise NotApplicable('the profile says policy.alphabet = "letters"')
    codes = [challenge.otc async for challenge in trial.many(CODES)]

    chances = [
        uneven([sum(code[place] == digit for code in codes) for digit in string.digits])
        for place in range(trial.policy.digits)
    ]
    least = min(chances)
    trial.measured("evenness", f"{CODES} codes, the least even place: chi-square {least:.1g}")
    trial.check(
        least > FALSE_ALARM / len(chances),
        expected="digits as even as chance makes them (chi-square, 1 in 100,000 over all places)",
        got=f"place {chances.index(least) + 1}: so uneven by chance in 1 of {1 / least:,.0f} runs",
        because="codes that are less likely leave fewer to guess",
    )
