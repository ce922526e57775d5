"""All that was done with one card, and whether the rules explain it."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple

from otpspec import model
from otpspec.answer import Answer
from otpspec.cards import Card
from otpspec.challenge import Challenge
from otpspec.outcome import REFUSED, SUCCESS, Outcome, Verdict
from otpspec.profile import MISSING
from otpspec.together import Call, Race
from otpspec.trial import Trial

BUDGET = 20_000
"""Steps of the model that one card may cost: the run waits for them."""

_OTHER = "another code"  # of a message that was not read: it is none that was sent by us


class Done(NamedTuple):
    """An operation as the model sees it, with the bounds of its time in seconds."""

    operation: model.Operation
    called: float
    returned: float
    outcomes: AbstractSet[Outcome]


class Told(NamedTuple):
    """An operation as a reader is told of it."""

    words: str
    answer: Answer


class Story:
    """The operations on one card, from its first on: ask for them here, and they are written down.

    The card must be fresh, or have no other story than this one in the run.
    """

    def __init__(self, trial: Trial, card: Card) -> None:
        self.card = card
        self.why = ""
        self.against: list[Answer] = []
        """Where no order explains them: the answers that contradict each other."""

        self._trial = trial
        self._done: list[Done] = []
        self._refused: set[int] = set()  # which of them may be refused by other rules than these
        self._used_before = _count_is_hearsay(trial)
        self._told: list[Told] = []
        self._challenges: list[Challenge] = []  # in the order of their numbers in the model

    async def start(self) -> Challenge:
        """Start a transaction."""
        challenge = await self._trial.start(self.card)
        number = len(self._challenges)
        seen = challenge.sent_latest.timestamp()
        begun = model.Start(number, challenge.otc, challenge.csc_required, seen)
        called, returned = challenge.sent_earliest.timestamp(), seen
        self._done.append(Done(begun, called, returned, {Outcome.DONE}))
        self._challenges.append(challenge)
        return challenge

    async def ask(self, call: Call) -> Answer:
        """Ask for one operation."""
        call = _as_told(call)
        answer = await self._trial.ask_alone(call)
        self._note(call, answer)
        return answer

    async def burst(self, calls: Sequence[Call]) -> Race:
        """Ask for several at once."""
        race = await self._trial.burst([_as_told(call) for call in calls])
        for call, answer in race.in_order_of_return:
            self._note(call, answer)
            if not answer.outcomes & SUCCESS:
                self._refused.add(len(self._done) - 1)
        return race

    async def renewed(self, challenge: Challenge) -> str:
        """The code that a resend has sent."""
        code = await self._trial.delivered(self.card, challenge.captures)
        self.card.tried.add(code.otc)
        number = self._number(challenge)
        for index, done in enumerate(self._done):
            sent = done.operation
            if isinstance(sent, model.Resend) and sent.challenge == number and sent.code is None:
                known = model.Resend(number, code.otc, code.seen.timestamp())
                self._done[index] = done._replace(operation=known)
        return code.otc

    def explained(self) -> Verdict:
        """Whether some order of all this allows every answer; inconclusive: too many to look at.

        Where none does, `why` says so in a sentence.
        """
        from otpspec import history, linearize  # here: they take a quarter of a second to import

        calls = [history.Call(*done) for done in self._done]
        judged = linearize.judge_card(self._trial.policy, calls, budget=BUDGET)
        self.why = judged.broken[0].words if judged.broken else ""
        for broken in judged.broken:
            places = linearize.contradicting(broken.smallest)
            times = {(broken.smallest[p].called, broken.smallest[p].returned) for p in places}
            self.against = [told.answer for told in self._told if _times(told.answer) in times]
        if judged.legality is linearize.Legality.BROKEN:
            # A page whose hidden field is good once refuses the second of two at once, by other
            # rules than these: a contradiction must rest on what was let through. So it must on a
            # card that may have counted something before.
            less = [
                history.Call(done.operation, done.called) if at in self._refused else call
                for at, (call, done) in enumerate(zip(calls, self._done, strict=True))
            ]
            judged = linearize.judge_card(self._trial.policy, less, budget=BUDGET)
            if judged.legality is not linearize.Legality.BROKEN:
                return Verdict.INCONCLUSIVE
        return {
            linearize.Legality.LEGAL: Verdict.PASSED,
            linearize.Legality.BROKEN: Verdict.BROKEN,
            linearize.Legality.UNKNOWN: Verdict.INCONCLUSIVE,
        }[judged.legality]

    def words(self) -> str:
        """What was asked and answered, beyond starts, in the order of the answers."""
        told = sorted(self._told, key=lambda told: told.answer.returned)
        counted = Counter(f"{words}: {answer}" for words, answer in told)
        return "; ".join(f"{n} times {what}" if n > 1 else what for what, n in counted.items())

    def _note(self, call: Call, answer: Answer) -> None:
        operation, words = self._as_model(call)
        # Which refusal it was is other rules' question: what decides here is what was let through.
        refused = bool(answer.outcomes) and answer.outcomes <= REFUSED
        outcomes = REFUSED if refused else answer.outcomes
        called, returned = answer.called.timestamp(), answer.returned.timestamp()
        self._done.append(Done(operation, called, returned, outcomes))
        if refused and self._used_before:
            self._refused.add(len(self._done) - 1)
        self._told.append(Told(words, answer))

    def _as_model(self, call: Call) -> tuple[model.Operation, str]:
        about = call.about
        number = self._number(about) if isinstance(about, Challenge) else -1
        match call.operation:
            case "verify":
                return self._verify(call, number)
            case "resend":
                return model.Resend(number), "resend"
            case "amend":
                return model.Amend(number, _OTHER, None), "change of the amount"
            case "cancel":
                return model.Cancel(number), "cancel"
            case "unlock":
                return model.Unlock(), "unlock"
            case "change_contact":
                return model.ChangeContact(), "change of contact"
        raise AssertionError(f"a story has no {call.operation}")

    def _number(self, challenge: Challenge) -> int:
        return next(n for n, known in enumerate(self._challenges) if known is challenge)

    def _verify(self, call: Call, number: int) -> tuple[model.Verify, str]:
        otc, csc = str(call.values["otc"]), call.values["csc"]
        first = isinstance(call.about, Challenge) and otc == call.about.otc
        words = "the code that was sent first" if first else "another code"
        if csc is MISSING:
            return model.Verify(number, otc), words
        right = csc == self.card.csc
        words += "" if right else ", with a wrong 3CSC"
        return model.Verify(number, otc, model.Csc.RIGHT if right else model.Csc.WRONG), words


def _as_told(call: Call) -> Call:
    """A code may be right no longer once another was sent: it is told by when it was."""
    if call.operation != "verify" or not isinstance(call.about, Challenge):
        return call
    first = str(call.values["otc"]) == call.about.otc
    return replace(call, label="first code" if first else "another code")


def _times(answer: Answer) -> tuple[float, float]:
    return answer.called.timestamp(), answer.returned.timestamp()


def _count_is_hearsay(trial: Trial) -> bool:
    """Whether what a card had counted before is only known by the rule that a success clears it."""
    profile = trial.profile
    known = {"enroll", "unlock"} & profile.operations.keys()
    return bool(profile.cards) and not known and trial.policy.lock_scope == "card"
