"""Drives a behaviour by hand, against a card that keeps the rules: no network and no clock."""

import random
from collections.abc import Callable
from typing import Any

from otpspec import model
from otpspec.load import Challenge, Journey, Shopper, steps
from otpspec.model import Judgement, Tracker
from otpspec.outcome import SUCCESS, Outcome
from otpspec.policy import Policy

OPERATIONS = frozenset({"start", "verify", "resend", "unlock"})


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
            case steps.Verify(challenge=challenge, otc=otc, csc=csc_sent):
                return self._ask("verify", model.Verify(challenge.number, otc, csc_sent))
            case steps.Resend(challenge=challenge):
                if not self._ask("resend", model.Resend(challenge.number)) & SUCCESS:
                    raise RefusedError
                return self._delivered(challenge.number, csc=challenge.csc_required)
            case steps.Unlock():
                return self._ask("unlock", model.Unlock())
            case steps.WaitUntil(when=when):
                self.said.append("wait")
                self._now = max(self._now, when)
                return None

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
