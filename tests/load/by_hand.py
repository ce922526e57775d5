"""Drives a behaviour by hand, against a card that keeps the rules: no network and no clock."""

import random
from collections.abc import Callable
from typing import Any

from otpspec import model
from otpspec.load import Challenge, Journey, Shopper, steps
from otpspec.model import Judgement, Tracker
from otpspec.outcome import SUCCESS, Outcome
from otpspec.policy import Policy

OPERATIONS = frozenset({"start", "verify", "resend", "unlock", "amend", "cancel", "change_contact"})


class RefusedError(Exception):
    """A start or a resend was refused: the journey ends."""


class Drive:
    """Plays a journey to its end; keeps what it asked, what it was told, and what was judged."""

    def __init__(
        self,
        behaviour: Callable[[Shopper], Journey],
        policy: Policy | None = None,
        *,
        operations: frozenset[str] = OPERATIONS,
        seed: int = 1,
    ) -> None:
        self.policy = policy or Policy()
        self.said: list[str] = []
        """ "verify: wrong_otc", one for each step."""

        self.chances: set[str] = set()
        self._tracker = Tracker(self.policy)
        self._now = 0.0
        self._started = 0
        self._codes: set[str] = set()
        rng = random.Random(seed)
        shopper = Shopper(self.policy, rng, operations=operations, codes=lambda: self._codes)
        self._play(behaviour(shopper))

    def _play(self, journey: Journey) -> None:
        answer: Any = None
        while True:
            try:
                answer = self._do(journey.send(answer))
            except StopIteration:
                return
            except RefusedError:
                journey.close()
                return

    def _do(self, step: steps.Step) -> Any:
        match step:
            case steps.Start(csc=csc):
                number = self._begin(csc=csc)
                return self._delivered(number, csc=csc)
            case steps.TryStart():
                self._started += 1
                return self._ask("start", model.Start(self._started))
            case steps.Resend(challenge=challenge):
                if not self._ask("resend", model.Resend(challenge.number)) & SUCCESS:
                    raise RefusedError
                return self._delivered(challenge.number, csc=challenge.csc_required)
            case steps.Amend(challenge=challenge):
                amended = model.Amend(challenge.number, None, None)
                if not self._ask("amend", amended) & SUCCESS:
                    raise RefusedError
                return self._delivered(challenge.number, csc=self.policy.csc != "never")
            case steps.Together(steps=asked):
                self.said.append(f"together: {len(asked)}")
                return [self._do(one) for one in asked]
            case steps.WaitUntil() | steps.Pause() | steps.WaitFor():
                return self._wait(step)
            case _:
                return self._ask(*self._plain(step))

    def _plain(self, step: steps.Step) -> tuple[str, model.Operation]:
        match step:
            case steps.Verify(challenge=challenge, otc=otc, csc=csc_sent):
                return "verify", model.Verify(challenge.number, otc, csc_sent)
            case steps.Cancel(challenge=challenge):
                return "cancel", model.Cancel(challenge.number)
            case steps.ChangeContact(proven=proven):
                return "contact", model.ChangeContact(proven)
            case steps.Unlock():
                return "unlock", model.Unlock()
        raise AssertionError(step)

    def _wait(self, step: steps.WaitUntil | steps.Pause | steps.WaitFor) -> None:
        match step:
            case steps.WaitUntil(when=when):
                self.said.append("wait")
                self._now = max(self._now, when)
            case steps.Pause(seconds=seconds):
                self.said.append("pause")
                self._now += seconds
            case steps.WaitFor(challenge=challenge, edge=edge, seconds=seconds):
                self.said.append(f"wait, {edge}")
                self._now = max(self._now, self._edge(challenge, edge, seconds))

    def _edge(self, challenge: Challenge, edge: steps.Edge, seconds: float) -> float:
        """When a code is about to die, may be dead, or is. No time passes until it is seen."""
        tolerance = self.policy.tolerance.total_seconds()
        match edge:
            case steps.Edge.BEFORE:
                return challenge.surely_expired - tolerance - 1 - seconds
            case steps.Edge.WITHIN:
                return challenge.surely_expired - tolerance / 2
            case _:
                return challenge.surely_expired + seconds

    def _begin(self, *, csc: bool) -> int:
        self._started += 1
        if not self._ask("start", model.Start(self._started, None, csc)) & SUCCESS:
            raise RefusedError
        return self._started

    def _delivered(self, number: int, *, csc: bool) -> Challenge:
        code = f"{len(self._codes) + 100000}"
        if not (self.policy.resend == "reuse" and self._codes and self.said[-1][:6] == "resend"):
            self._codes.add(code)
        self._tracker.delivered(number, code, self._now)
        dies = self._tracker.dies(number)
        assert dies is not None
        return Challenge(number, code, csc, dies)

    def _ask(self, name: str, operation: model.Operation) -> frozenset[Outcome]:
        """Answer as the rules allow; where they allow several answers, with the first."""
        time = (self._now, self._now + 0.1)
        branches = [
            b for s in self._tracker.states for b in model.step(self.policy, s, operation, time)
        ]
        outcome = branches[0][0]
        seen = self._tracker.observe(operation, *time, {outcome})
        assert seen.judgement is Judgement.LEGAL
        self.chances |= seen.chances
        self.said.append(f"{name}: {outcome}")
        self._now += 1.0
        return frozenset({outcome})
