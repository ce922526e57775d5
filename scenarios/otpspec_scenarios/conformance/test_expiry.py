"""EXPIRY: a code lives for its validity, and not a second longer."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from otpspec import REFUSED, Answer, Challenge, Inconclusive, Outcome, Policy, Trial, proves
from otpspec_scenarios.conformance.needs import needs_more_than_one_try, needs_rotation


@proves("EXPIRY-1")
@pytest.mark.parametrize("share", [0.5, 0.9, 1.0], ids=["half", "90%", "just before"])
async def test_right_code_is_accepted_until_its_validity_ends(trial: Trial, share: float) -> None:
    challenge = await trial.start()
    before = max(timedelta(seconds=2), 0.01 * trial.policy.validity)  # many keep whole seconds

    age = min(share * trial.policy.validity, trial.policy.validity - before)
    await trial.clock.sleep_until(challenge.sent_earliest + age)
    answer = await trial.verify(challenge)

    trial.expect_alive(challenge, answer, because=f"its validity ends {before} later, or more")


@proves("EXPIRY-2")
@pytest.mark.parametrize("share", [0.0, 0.05], ids=["at once", "later"])
async def test_right_code_is_refused_after_its_validity(trial: Trial, share: float) -> None:
    challenge = await trial.start()

    await trial.clock.sleep_until(challenge.surely_expired + share * trial.policy.validity)
    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because=trial.age_of(challenge, answer))


@proves("EXPIRY-2")
async def test_edge_is_where_it_is_declared(trial: Trial) -> None:
    """Tries codes at staggered ages, each on a card of its own, and measures where they die."""
    ages = _ages(trial.policy, few=bool(trial.profile.cards))
    probes = await asyncio.gather(*(_probe(trial, age) for age in ages))

    accepted = [probe for probe in probes if Outcome.APPROVED in probe.answer.outcomes]
    refused = [probe for probe in probes if probe.answer.outcomes <= REFUSED]
    last = max(accepted, key=lambda probe: probe.youngest, default=None)
    first = min(refused, key=lambda probe: probe.oldest, default=None)
    edge = f"last age accepted {last or 'none'}, first age refused {first or 'none'}"
    trial.measured("edge", edge)
    for probe in probes:
        surely_over = probe.challenge.surely_expired <= probe.answer.called
        if surely_over and Outcome.APPROVED in probe.answer.outcomes:
            because = f"the validity is over at {trial.policy.validity.total_seconds():g} s; {edge}"
            trial.expect(probe.answer, *REFUSED, because=because)
    if last is None or first is None:
        raise Inconclusive(f"no edge was seen: {edge}")
    trial.expect(last.answer, Outcome.APPROVED, because="it is the last one accepted (control)")


@dataclass(frozen=True)
class Probe:
    """A right code that was tried at some age, which is known as an interval."""

    challenge: Challenge
    answer: Answer

    @property
    def youngest(self) -> float:
        """Seconds between the moment its message was seen and the request."""
        return (self.answer.called - self.challenge.sent_latest).total_seconds()

    @property
    def oldest(self) -> float:
        """Seconds between the call of start and the answer."""
        return (self.answer.returned - self.challenge.sent_earliest).total_seconds()

    def __str__(self) -> str:
        return f"{self.youngest:.1f} to {self.oldest:.1f} s"


def _ages(policy: Policy, *, few: bool) -> list[timedelta]:
    """Dense at the edge, and out to a tenth of the validity on both sides of it.

    `few`: where cards cannot be enrolled, each age costs one of the profile's own.
    """
    far = max(0.1 * policy.validity, policy.tolerance + timedelta(seconds=0.5))
    before = (-8, -1) if few else (-60, -30, -15, -8, -4, -2, -1, -0.5, 0.3)
    after = (0.3, 4, 28, 58.8) if few else (0.3, 1, 2, 4, 8, 16, 28, 45, 58.8)
    late = [policy.tolerance.total_seconds() + s for s in after]
    offsets = [timedelta(seconds=s) for s in (*before, *late)]
    near = [policy.validity + o for o in offsets if abs(o) <= far and -o < policy.validity]
    return [0.5 * policy.validity, *near]  # one that lives, however slow the target is


async def _probe(trial: Trial, age: timedelta) -> Probe:
    challenge = await trial.start(await trial.card())
    # From the late end: a code whose sending is not known to the second is not called too early.
    await trial.clock.sleep_until(challenge.sent_latest + age)
    return Probe(challenge, await trial.verify(challenge))


@proves("EXPIRY-3")
async def test_wrong_tries_do_not_extend_a_codes_life(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    challenge = await trial.start()

    await trial.clock.sleep_until(challenge.sent_earliest + 0.8 * trial.policy.validity)
    await trial.fail(challenge, 1)
    await trial.clock.sleep_until(challenge.surely_expired)
    answer = await trial.verify(challenge)

    because = f"{trial.age_of(challenge, answer)}; the wrong try does not extend it"
    trial.expect(answer, *REFUSED, because=because)


@proves("EXPIRY-3")
async def test_malformed_tries_do_not_extend_a_codes_life(trial: Trial) -> None:
    challenge = await trial.start()

    await trial.clock.sleep_until(challenge.sent_earliest + 0.8 * trial.policy.validity)
    malformed = await trial.verify(challenge, challenge.otc[:2])
    trial.expect(malformed, *REFUSED, because="two characters are not the code")
    await trial.clock.sleep_until(challenge.surely_expired)
    answer = await trial.verify(challenge)

    because = f"{trial.age_of(challenge, answer)}; a refusal does not extend it"
    trial.expect(answer, *REFUSED, because=because)


@proves("EXPIRY-4")
async def test_expired_code_does_not_come_back(trial: Trial) -> None:
    challenge = await trial.start()
    await trial.clock.sleep_until(challenge.surely_expired)
    trial.expect(
        await trial.verify(challenge), *REFUSED, because="the validity of the code has ended"
    )

    await trial.clock.sleep_until(challenge.surely_expired + 0.05 * trial.policy.validity)
    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because="an expired transaction is started again, not revived")


@proves("EXPIRY-4")
async def test_expired_transaction_is_not_revived_by_a_resend(trial: Trial) -> None:
    challenge = await trial.start()
    await trial.clock.sleep_until(challenge.surely_expired)

    answer = await trial.try_resend(challenge)

    trial.expect(answer, *REFUSED, because="an expired transaction is started again, not revived")
    anew = await trial.started(challenge.card, because="the transaction is started again")
    await trial.approved(anew, because="the transaction was started again")


@proves("EXPIRY-5")
async def test_each_code_lives_from_its_own_sending(trial: Trial) -> None:
    card = await trial.card()
    first = await trial.start(card)
    await trial.clock.sleep_until(first.sent_earliest + 0.6 * trial.policy.validity)
    second = await trial.start(card)

    await trial.clock.sleep_until(first.surely_expired + 0.05 * trial.policy.validity)
    answer = await trial.verify(second)

    because = "the second code is young, though the card's first one is over"
    trial.expect_alive(second, answer, because=because)


@proves("EXPIRY-5")
async def test_resent_code_lives_from_its_own_sending(trial: Trial) -> None:
    needs_rotation(trial)
    challenge = await trial.start()
    await trial.clock.sleep_until(challenge.sent_earliest + 0.6 * trial.policy.validity)
    resent = await trial.resend(challenge)

    await trial.clock.sleep_until(challenge.surely_expired + 0.05 * trial.policy.validity)
    answer = await trial.verify(resent)

    because = "the code of the resend has its own validity"
    trial.expect_alive(resent, answer, because=because)
