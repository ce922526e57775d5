"""A user of a load run: plays journeys with its own cards, many of them set aside at a time."""

import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import gevent

from otpspec import model
from otpspec.load import steps
from otpspec.load.caller import Caller, EndedError, Report, words
from otpspec.load.card import LoadCard, Told
from otpspec.load.plan import Plan
from otpspec.load.recorder import Recorder
from otpspec.load.shopper import Shopper
from otpspec.load.steps import Challenge, Journey, Step
from otpspec.model import Csc, Judgement
from otpspec.outcome import SUCCESS, Outcome
from otpspec.profile import MISSING

MOST_WAITING = 25
"""How many of a user's journeys may be set aside at a time."""

PAUSE_S = 0.2
"""How long a user rests whose last call got no answer, so that it does not spin."""


class _Playing(NamedTuple):
    """A journey under way."""

    name: str
    journey: Journey
    card: LoadCard


class Payer:
    """Plays journeys picked by the mix. Owns its cards and one connection."""

    def __init__(
        self,
        plan: Plan,
        recorder: Recorder,
        rng: random.Random,
        *,
        report: Report,
        stopping: Callable[[], bool],
    ) -> None:
        """`stopping`: asked between two steps; once it says yes, no further one is begun."""
        self._plan = plan
        self._profile = plan.profile
        self._policy = plan.profile.policy
        self._recorder = recorder
        self._rng = rng
        self._stopping = stopping
        self._caller = Caller(plan, recorder, report)
        self._idle: list[LoadCard] = []
        self._waiting: list[tuple[float, int, _Playing]] = []
        self._order = itertools.count()

    def play(self) -> None:
        """Play a journey to its end, or the rest of one whose time has come.

        Raises TargetError where the target cannot be used at all.
        """
        if self._caller.unanswered:
            gevent.sleep(PAUSE_S)
        if self._waiting and self._waiting[0][0] <= self._plan.now():
            self._go_on(heapq.heappop(self._waiting)[2])
            return
        share = self._plan.pick(self._rng, may_wait=len(self._waiting) < MOST_WAITING)
        try:
            card = self._idle.pop() if self._idle else self._enrolled()
        except EndedError as end:
            self._recorder.trouble[str(end)] += 1
            return
        shopper = Shopper(
            self._policy, self._rng, operations=self._profile.operations.keys(), codes=card.codes
        )
        name = getattr(share.behaviour, "__name__", "journey")
        self._go_on(_Playing(name, share.behaviour(shopper), card))

    def close(self) -> None:
        """Hang up."""
        self._caller.close()

    def _enrolled(self) -> LoadCard:
        card = LoadCard(self._policy)
        self._caller.enrol(card)
        return card

    def _go_on(self, playing: _Playing) -> None:
        journey, card = playing.journey, playing.card
        answer: Any = None
        try:
            while not self._stopping():
                step = journey.send(answer)
                if isinstance(step, steps.WaitUntil):
                    heapq.heappush(self._waiting, (step.when, next(self._order), playing))
                    return
                answer = self._do(card, step)
        except StopIteration:
            self._recorder.behaviours[playing.name] += 1
        except EndedError as end:
            # What went unanswered, a message too, may come to pass yet: nothing more is asked here.
            self._recorder.trouble[str(end)] += 1
            journey.close()
            return
        journey.close()
        if not card.worn():
            self._idle.append(card)

    def _do(self, card: LoadCard, step: Step) -> Any:
        match step:
            case steps.Verify():
                return self._verify(card, step)
            case steps.Start(csc=csc):
                return self._start(card, csc=csc)
            case steps.TryStart():
                return self._try_start(card)
            case steps.Resend(challenge=challenge):
                return self._resend(card, challenge)
            case steps.Unlock():
                told, _ = self._caller.call(card, "unlock", card.owner.values)
                self._caller.judge(card, told, model.Unlock())
                return told.outcomes
            case _:
                raise TypeError(f"not a step: {step!r}")

    def _verify(self, card: LoadCard, step: steps.Verify) -> frozenset[Outcome]:
        challenge, csc = step.challenge, step.csc
        sent = MISSING
        if csc is Csc.RIGHT:
            sent = card.owner.csc
        elif csc is Csc.WRONG:
            sent = card.wrong_csc()
        values = {**card.owner.values, **card.challenges[challenge.number]}
        values["otc"], values["csc"] = step.otc, sent
        card.sent.add(step.otc)
        if sent is not MISSING:
            card.sent.add(sent)
        told, _ = self._caller.call(card, "verify", values)
        operation = model.Verify(challenge.number, step.otc, csc)
        seen = self._caller.judge(card, told, operation)
        wrong = step.otc != challenge.otc or csc is Csc.WRONG or csc is Csc.MISSING
        if wrong and seen.judgement is not Judgement.SILENT:
            self._recorder.tried_wrong(told.outcomes)
        return told.outcomes

    def _start(self, card: LoadCard, *, csc: bool) -> Challenge:
        told, number, asked = self._call_start(card, csc=csc)
        if not told.outcomes & SUCCESS:
            raise EndedError(f"start was answered with {words(told.outcomes)}")
        return self._delivered(card, number, csc_required=asked)

    def _try_start(self, card: LoadCard) -> frozenset[Outcome]:
        told, number, asked = self._call_start(card, csc=self._policy.csc == "always")
        if told.outcomes & SUCCESS:
            self._delivered(card, number, csc_required=asked)
        return told.outcomes

    def _call_start(self, card: LoadCard, *, csc: bool) -> tuple[Told, int, bool]:
        number, amounts = card.starts, self._profile.amounts
        card.starts += 1
        values = {
            **card.owner.values,
            "amount": amounts.with_csc if csc else amounts.without_csc,
            "currency": amounts.currency,
            "merchant": amounts.merchant,
        }
        told, captures = self._caller.call(card, "start", values)
        asked = bool(captures.get("csc_required", csc))
        card.challenges[number] = {f"challenge.{key}": value for key, value in captures.items()}
        self._caller.judge(card, told, model.Start(number, None, asked))
        return told, number, asked

    def _resend(self, card: LoadCard, challenge: Challenge) -> Challenge:
        values = {**card.owner.values, **card.challenges[challenge.number]}
        told, _ = self._caller.call(card, "resend", values)
        self._caller.judge(card, told, model.Resend(challenge.number))
        if not told.outcomes & SUCCESS:
            raise EndedError(f"resend was answered with {words(told.outcomes)}")
        return self._delivered(card, challenge.number, csc_required=challenge.csc_required)

    def _delivered(self, card: LoadCard, number: int, *, csc_required: bool) -> Challenge:
        """Read the message of a start or a resend."""
        code = self._profile.channels[0].code(self._caller.message(card))
        if code is None:
            raise EndedError("a message came without a code")
        card.learn(code)
        card.tracker.delivered(number, code, self._plan.now())
        dies = card.tracker.dies(number)
        return Challenge(number, code, csc_required, self._plan.now() if dies is None else dies)
