"""RACE: requests that meet are decided as if one had come after the other."""

from otpspec import (
    REFUSED,
    Answer,
    Challenge,
    Inconclusive,
    NotApplicable,
    Outcome,
    Race,
    Trial,
    alarm,
    at_least,
    proves,
    share_caught,
)
from otpspec_scenarios.conformance.needs import (
    needs_codes_that_work_elsewhere,
    needs_one_count_for_the_card,
)
from otpspec_scenarios.conformance.rounds import Rounds, approvals, is_wrong

FALSE_ALARM = 1e-9
"""A sound target is accused by RACE-4 in less than one run of a thousand million."""

MOST_BEFORE = 12
"""Codes that are tried one at a time before a burst of wrong ones."""


@proves("RACE-1")
async def test_of_simultaneous_right_codes_at_most_one_is_accepted(trial: Trial) -> None:
    rounds = Rounds(trial)
    async for one in rounds:
        challenge = await trial.start(await one.card())

        race = await one.burst([trial.to_verify(challenge) for _ in range(one.size)])

        expect_one_use(trial, race, one.name)
        says = approvals(race) == 1
        rounds.note(race, says=says, why="none of the right codes was approved")
    rounds.conclude()


@proves("RACE-1")
async def test_of_simultaneous_right_codes_of_several_sessions_at_most_one_is_accepted(
    trial: Trial,
) -> None:
    await needs_codes_that_work_elsewhere(trial)
    rounds = Rounds(trial)
    async with trial.elsewhere() as other:
        async for one in rounds:
            challenge = await trial.start(await one.card())

            # A call from elsewhere has a jar of its own: each is another payer's browser.
            race = await one.burst([other.to_verify(challenge) for _ in range(one.size)])

            expect_one_use(trial, race, one.name)
            says = approvals(race) == 1
            rounds.note(race, says=says, why="none of the right codes was approved")
    rounds.conclude()


def expect_one_use(trial: Trial, race: Race, name: str) -> None:
    """At most one distinct approval."""
    count = approvals(race)
    trial.check(
        count <= 1,
        expected=f"at most one approval of {len(race.answers)} right codes at once",
        got=f"{count} approvals, in {name} ({race.overlap})",
        because=f"one code was accepted {count} times, and it is for one use",
    )


@proves("RACE-2")
async def test_of_simultaneous_wrong_codes_at_most_n_are_judged(trial: Trial) -> None:
    rounds = Rounds(trial, locks=True)
    await collide_wrong_codes(trial, rounds, transactions=1)


@proves("RACE-2")
async def test_of_simultaneous_wrong_codes_of_two_transactions_at_most_n_are_judged(
    trial: Trial,
) -> None:
    needs_one_count_for_the_card(trial)
    if trial.policy.new_start == "voids":
        raise NotApplicable('the profile says policy.new_start = "voids"')
    rounds = Rounds(trial, locks=True, starts=2)
    await collide_wrong_codes(trial, rounds, transactions=2)


async def collide_wrong_codes(trial: Trial, rounds: Rounds, *, transactions: int) -> None:
    """Wrong codes at once, over so many transactions of a card; then the right ones, one by one.

    What decides: more than N answers that say "wrong", where the target says something else once
    it has locked; and always a right code that is approved after N refusals had come.
    """
    most = trial.policy.max_wrong
    tells = await tells_wrong_from_locked(trial, rounds)
    async for one in rounds:
        card = await one.card()
        challenges = [await trial.start(card) for _ in range(transactions)]
        before = min(most - 1, MOST_BEFORE, max(0, most + 1 - one.size) + one.number % most)
        if before:
            await trial.fail(challenges[0], before)

        wrong = [(challenges[n % transactions], trial.wrong(card)) for n in range(one.size)]
        race = await one.burst([trial.to_verify(*each) for each in wrong])

        if tells:
            expect_no_more_judged(trial, race, before, one.name)
        refused = before + sum(counts(answer) for answer in race.answers)
        says = refused >= most
        for challenge in challenges if says else ():
            says &= await refused_now(trial, challenge, race, refused, one.name)
        rounds.note(race, says=says, why=f"fewer than {most} codes were refused")
    rounds.conclude()


async def tells_wrong_from_locked(trial: Trial, rounds: Rounds) -> bool:
    """Whether a wrong code is answered in another way once the card is locked: tried one at a
    time, where nothing can race. Inconclusive where nothing locks even so."""
    challenge = await trial.start(await rounds.card())
    first = [
        await trial.verify(challenge, trial.wrong(challenge.card))
        for _ in range(trial.policy.max_wrong)
    ]
    after = await trial.verify(challenge, trial.wrong(challenge.card))
    right = await trial.verify(challenge)
    if Outcome.APPROVED in right.outcomes:
        raise Inconclusive("it does not lock even when asked one at a time: see LOCKOUT-1")
    return is_wrong(first[0]) and bool(after.outcomes & REFUSED) and not is_wrong(after)


def counts(answer: Answer) -> bool:
    """Whether a well-formed wrong code was refused: judged, or because N others were."""
    refused = {Outcome.WRONG_OTC, Outcome.WRONG_CSC, Outcome.LOCKED, Outcome.VOID, Outcome.DENIED}
    return answer.outcomes <= REFUSED and bool(answer.outcomes & refused)


def expect_no_more_judged(trial: Trial, race: Race, before: int, name: str) -> None:
    """At most N answers that say "wrong"."""
    most, judged = trial.policy.max_wrong, sum(map(is_wrong, race.answers))
    trial.check(
        before + judged <= most,
        expected=f"at most {most} wrong codes that are judged, {before} of them before",
        got=f"{judged} of {len(race.answers)} different codes at once were answered as wrong, "
        f"in {name} ({race.overlap})",
        because=f"{before + judged} guesses were judged, and {most} lock",
    )


async def refused_now(
    trial: Trial, challenge: Challenge, race: Race, refused: int, name: str
) -> bool:
    """Whether the right code is refused, as it must be; False where the answer says nothing."""
    most = trial.policy.max_wrong
    answer = await trial.verify(challenge)
    trial.check(
        Outcome.APPROVED not in answer.outcomes,
        expected=f"the right code refused, sent after {refused} wrong ones had been refused",
        got=f"{answer}, in {name} ({race.overlap})",
        because=f"N = {most} wrong codes lock, also where they came at once",
    )
    trial.notes.checked_refusal |= answer.outcomes <= REFUSED
    return answer.outcomes <= REFUSED


@proves("RACE-4")
async def test_right_code_among_simultaneous_wrong_ones_is_approved_as_chance_has_it(
    trial: Trial,
) -> None:
    """With all tries but one used up, a sound target approves the right code only where it comes
    first: once in so many as come at once."""
    most = trial.policy.max_wrong
    size = max(trial.profile.races.sizes)
    before = min(most - 1, MOST_BEFORE)
    chance = min(1.0, (most - before) / size)
    rounds = Rounds(trial, sizes=[size], locks=True)
    approved = 0
    chances = [chance] * rounds.planned
    async for one in rounds:
        card = await one.card()
        challenge = await trial.start(card)
        if before:
            await trial.fail(challenge, before)

        codes = [challenge.otc, *(trial.wrong(card) for _ in range(size - 1))]
        race = await one.burst([trial.to_verify(challenge, code) for code in codes])

        says = all(answer.outcomes & (REFUSED | {Outcome.APPROVED}) for answer in race.answers)
        rounds.note(race, says=says, why="some answers say nothing")
        approved += says and race.overlap.proven and approvals(race) > 0
        expect_chance(trial, approved, chances, size)
    least = alarm(chances, FALSE_ALARM)
    share = share_caught(least, len(rounds.overlaps), trial.profile.races.power.sure)
    told = "no share of rounds" if share is None else f"{100 * share:.0f} % of rounds"
    expected = chance * len(rounds.overlaps)
    trial.measured(
        "chance",
        f"the right one of {size} was approved in {approved} of {len(rounds.overlaps)} rounds, "
        f"by chance in {expected:.1f}; {least} would be no chance (1 in a thousand million runs); "
        f"a target that approves it in {told} would have been seen",
    )
    rounds.conclude()


def expect_chance(trial: Trial, approved: int, chances: list[float], size: int) -> None:
    """No more approvals than chance explains. Over all rounds that are planned, so that looking
    after each of them alarms no more often than looking once."""
    tail = at_least(approved, chances)
    trial.check(
        tail >= FALSE_ALARM,
        expected=f"the right one of {size} codes at once approved where it came first, about once "
        f"in {1 / chances[0]:.0f} rounds",
        got=f"approved in {approved} of {len(chances)} rounds: by chance in one of "
        f"{1 / max(tail, 1e-300):.0e} runs",
        because="more guesses are judged at once than the lock allows",
    )
