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
from otpspec_scenarios.conformance.rounds import Rounds, approvals, approving, is_wrong

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
        answers=approving(race),
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
    """Whether "wrong" means that a code was compared: it is not said of a used code, nor once the
    card is locked. Tried one at a time, where nothing can race. Inconclusive where nothing locks
    even so."""
    card = await rounds.card()
    used = await trial.start(card)
    await trial.verify(used)
    again = await trial.verify(used)
    challenge = await trial.start(card)
    first = [
        await trial.verify(challenge, trial.wrong(card)) for _ in range(trial.policy.max_wrong)
    ]
    after = await trial.verify(challenge, trial.wrong(card))
    right = await trial.verify(challenge)
    if Outcome.APPROVED in right.outcomes:
        raise Inconclusive("it does not lock even when asked one at a time: see LOCKOUT-1")
    dead = (again, after, right)
    return is_wrong(first[0]) and bool(after.outcomes & REFUSED) and not any(map(is_wrong, dead))


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
        answers=[answer for answer in race.answers if is_wrong(answer)],
    )


async def refused_now(
    trial: Trial, challenge: Challenge, race: Race, refused: int, name: str
) -> bool:
    """Whether the right code is refused, as it must be; False where the answer says nothing."""
    most = trial.policy.max_wrong
    refusals = [given for _, given in race.in_order_of_return if counts(given)]
    answer = await trial.verify(challenge)
    trial.check(
        Outcome.APPROVED not in answer.outcomes,
        expected=f"the right code refused, sent after {refused} wrong ones had been refused",
        got=f"{answer}, in {name} ({race.overlap})",
        because=f"N = {most} wrong codes lock, also where they came at once",
        answers=[*refusals[:most], answer],
    )
    trial.notes.checked_refusal |= answer.outcomes <= REFUSED
    return answer.outcomes <= REFUSED


@proves("RACE-4")
async def test_right_code_among_simultaneous_wrong_ones_is_approved_as_chance_has_it(
    trial: Trial,
) -> None:
    """A sound target approves the right one only where it comes before the N-th wrong one: about
    once in k / N rounds of k. In every second round all tries but one are used up before."""
    most, size = trial.policy.max_wrong, max(trial.profile.races.sizes)
    rounds = Rounds(trial, sizes=[size], locks=True)
    chances: list[float] = []
    approved = 0
    async for one in rounds:
        card = await one.card()
        challenge = await trial.start(card)
        before = min(most - 1, MOST_BEFORE) if one.number % 2 == 0 or most >= size else 0
        if before:
            await trial.fail(challenge, before)

        codes = [challenge.otc, *(trial.wrong(card) for _ in range(size - 1))]
        race = await one.burst([trial.to_verify(challenge, code) for code in codes])

        says = all(answer.outcomes <= REFUSED | {Outcome.APPROVED} for answer in race.answers)
        rounds.note(race, says=says, why="some answers say nothing")
        if says and race.overlap.proven:
            chances.append(min(1.0, (most - before) / size))
            approved += approvals(race) > 0
            expect_chance(trial, race, approved, chances, rounds.planned)
    if chances:
        trial.measured("chance", what_chance_says(trial, approved, chances, rounds.planned))
    rounds.conclude()


def expect_chance(
    trial: Trial, race: Race, approved: int, chances: list[float], planned: int
) -> None:
    """No more approvals than chance explains. It is asked after each of the planned rounds, and
    the false alarm is shared out among them."""
    tail = at_least(approved, chances)
    trial.check(
        tail >= FALSE_ALARM / planned,
        expected=f"the right one of {len(race.answers)} codes at once approved as chance has it, "
        f"about {sum(chances):.1f} times in {len(chances)} rounds",
        got=f"approved {approved} times in {len(chances)} rounds: by chance in one of "
        f"{1 / max(tail, 1e-300):.0e} runs",
        because="more guesses are judged at once than the lock allows",
        answers=approving(race),
    )


def what_chance_says(trial: Trial, approved: int, chances: list[float], planned: int) -> str:
    """How often it was approved, how often chance would, and what would have been seen."""
    least = alarm(chances, FALSE_ALARM / planned)
    sure = trial.profile.races.power.sure
    share = share_caught(least, len(chances), sure)
    seen = "no target at all" if share is None else f"one that approves it in {100 * share:.0f} %"
    return (
        f"approved {approved} times in {len(chances)} rounds, by chance {sum(chances):.1f}; "
        f"{least} times would be no chance (false alarm: 1 run in a thousand million); "
        f"{seen} would have been seen with {100 * sure:g} % probability"
    )
