"""EXPIRY: a code lives for its validity, and not a second longer."""

from datetime import timedelta

import pytest

from otpspec import REFUSED, Trial, proves
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

    trial.expect(answer, *REFUSED, because=f"sent {trial.age_of(challenge, answer)}")


@proves("EXPIRY-3")
async def test_wrong_tries_do_not_extend_a_codes_life(trial: Trial) -> None:
    needs_more_than_one_try(trial)
    challenge = await trial.start()

    await trial.clock.sleep_until(challenge.sent_earliest + 0.8 * trial.policy.validity)
    await trial.fail(challenge, 1)
    await trial.clock.sleep_until(challenge.surely_expired)
    answer = await trial.verify(challenge)

    because = f"sent {trial.age_of(challenge, answer)}; the wrong try does not extend it"
    trial.expect(answer, *REFUSED, because=because)


@proves("EXPIRY-3")
async def test_malformed_tries_do_not_extend_a_codes_life(trial: Trial) -> None:
    challenge = await trial.start()

    await trial.clock.sleep_until(challenge.sent_earliest + 0.8 * trial.policy.validity)
    malformed = await trial.verify(challenge, challenge.otc[:2])
    trial.expect(malformed, *REFUSED, because="two characters are not the code")
    await trial.clock.sleep_until(challenge.surely_expired)
    answer = await trial.verify(challenge)

    because = f"sent {trial.age_of(challenge, answer)}; a refusal does not extend it"
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
