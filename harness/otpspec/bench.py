"""The verify path of a target, ready to be timed; every answer is judged afterwards.

Only the sending of a request and the reading of its answer are timed: cards, transactions and
codes are made ready before, and judging comes after.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, ExitStack
from random import Random
from typing import Any, TypeVar

from otpspec.cards import Card, new_card
from otpspec.challenge import Challenge
from otpspec.clock import RealClock
from otpspec.errors import TargetError
from otpspec.exchange import Access, Wire
from otpspec.frozen import FrozenTime
from otpspec.inboxes import Inboxes
from otpspec.inprocess import App, find_app, started
from otpspec.outcome import Outcome, Verdict, judge
from otpspec.pool import Enrolled
from otpspec.profile import MISSING, Profile, Raw, Request
from otpspec.redact import Redactor
from otpspec.target import Session
from otpspec.trial import Trial

_Shot = tuple[tuple[Request], dict[str, Any]]  # as pytest-benchmark's pedantic mode wants it
_T = TypeVar("_T")


class VerifyPath:
    """One payer's verify requests: each method that makes one ready returns pedantic's arguments.

    Raises TargetError where the target cannot be used.
    """

    def __init__(self, profile: Profile, app: str | None, seed: int = 0) -> None:
        if "enroll" not in profile.operations and not profile.makes_cards_up:
            raise TargetError(
                f"{profile.source} has no [operations.enroll], and a benchmark takes a fresh card "
                "for each shot.\n"
                "Try: a profile that enrols cards; otpspec check, which does with a list of them."
            )
        self._profile = profile
        self._loop = asyncio.new_event_loop()
        self._resources = AsyncExitStack()
        self._held = ExitStack()
        self._answers: list[Raw] = []
        self._locked: Request | None = None
        self.redact = Redactor()
        self.redact.learn(*profile.secrets)
        found = None if app is None else find_app(app)
        if found is not None:
            self._held.enter_context(FrozenTime())
        try:
            self._access = self._run(self._open(found))
            inboxes = Inboxes(profile)
            self._resources.callback(inboxes.close)
            inboxes.open()
            session = Session(self._access, RealClock(), inboxes)
            self._wire = Wire(self._access)
            card = new_card()
            self.redact.learn(*card.secrets())
            self._run(session.probe(card.values, self.redact))
        except BaseException:
            self.close()
            raise
        rng, pool = Random(seed), Enrolled(profile)  # noqa: S311 - to be repeated
        self._trial = Trial(profile, RealClock(), session, self.redact, rng, pool)

    @property
    def asks_for_csc(self) -> bool:
        """Whether the target ever asks for the 3CSC."""
        return self._profile.policy.csc != "never"

    async def _open(self, app: App | None) -> Access:
        if app is None:
            return Access(self._profile)
        return Access(self._profile, await self._resources.enter_async_context(started(app)))

    def close(self) -> None:
        """Give everything back."""
        self._run(self._resources.aclose())
        self._held.close()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return self._loop.run_until_complete(coroutine)

    # --- requests made ready --------------------------------------------------------------------

    def right(self) -> _Shot:
        """The right code of a fresh transaction."""
        challenge = self._run(self._fresh(csc=None))
        return self._shot(challenge, challenge.otc)

    def right_with_csc(self) -> _Shot:
        """The right code and the right 3CSC of a fresh transaction that asks for both."""
        challenge = self._run(self._fresh(csc=True))
        return self._shot(challenge, challenge.otc, csc=challenge.card.csc)

    def wrong(self) -> _Shot:
        """A wrong code, on a fresh card: the first try."""
        challenge = self._run(self._fresh(csc=None))
        return self._shot(challenge, self._trial.wrong(challenge.card))

    def wrong_csc(self) -> _Shot:
        """The right code with a wrong 3CSC, on a fresh card."""
        challenge = self._run(self._fresh(csc=True))
        return self._shot(challenge, challenge.otc, csc=challenge.card.wrong_csc)

    def locked(self) -> _Shot:
        """The right code on a card that is locked; the same card every time."""
        if self._locked is None:
            challenge = self._run(self._trial.lock(self._run(self._trial.card())))
            self._locked = self._request(challenge, challenge.otc, self._csc(challenge))
        return (self._locked,), {}

    async def _fresh(self, csc: bool | None) -> Challenge:
        card: Card = await self._trial.card()
        return await self._trial.start(card, csc=csc)

    def _csc(self, challenge: Challenge) -> Any:
        return challenge.card.csc if challenge.csc_required else MISSING

    def _shot(self, challenge: Challenge, otc: str, csc: Any = None) -> _Shot:
        csc = self._csc(challenge) if csc is None else csc
        return (self._request(challenge, otc, csc),), {}

    def _request(self, challenge: Challenge, otc: str, csc: Any) -> Request:
        self.redact.learn(otc, csc)
        values = {**challenge.card.values, **challenge.values(), "otc": otc, "csc": csc}
        return self._profile.build("verify", values)

    # --- what is timed, and what it came to -----------------------------------------------------

    def send(self, request: Request) -> None:
        """Send a request and read its answer: this is what is timed."""
        self._answers.append(self._run(self._wire.send(request)))

    def judge(self, *allowed: Outcome) -> int:
        """Judge every answer since the last call; their number.

        Raises AssertionError where one is not as it must be: a fast wrong answer is no figure.
        """
        answers, self._answers = self._answers, []
        read = self._profile.operations["verify"].decisive.read
        for answer in answers:
            outcomes = read(answer).outcomes
            if judge(outcomes, frozenset(allowed)) is not Verdict.PASSED:
                expected = " or ".join(sorted(allowed))
                got = " or ".join(sorted(outcomes))
                raise AssertionError(f"expected {expected}, got {got} (HTTP {answer.status})")
        return len(answers)
