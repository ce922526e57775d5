"""Whatever people do, in whatever order and at whatever time: the server answers as told here.

The oracle is written from the rules alone: it shares nothing with the server, keeps every code in
the clear, and never forgets.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from .bank import CSC, Bank, Pending

N, T = 3, 600.0
STEPS_WANTED = 20_000

# Weighted by repetition, so that most of what is done is done to something that lives.
cscs = st.sampled_from([CSC, CSC, CSC, CSC, CSC, "999", "", None, "12", 123])
spans = st.sampled_from([0.001, 1.0, 1.0, 60.0, 60.0, 299.5, 300.0, 599.999, 600.0])
codes = st.sampled_from(["right", "right", "wrong", "wrong", "earlier", "other", "malformed"])
recent = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5, 8])  # counted from the newest
seldom = st.sampled_from(["cancel", "cancel", "change", "guess", "unlock"])

played: Counter[str] = Counter()
"""The answers that were given, over all sequences."""


@dataclass
class Known:
    """What the oracle knows of a transaction."""

    card: str
    code: str
    csc: bool
    sent: float
    fate: str | None = None


class Oracle:
    """The rules in a few lines."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self.known: dict[str, Known] = {}

    def refusal(self, of: Known, now: float) -> str | None:
        if self.failures[of.card] >= N:
            return "locked"
        return of.fate or ("expired" if now >= of.sent + T else None)

    def verify(self, of: Known, otc: object, csc: object, now: float) -> str:
        if refused := self.refusal(of, now):
            return refused
        if not (isinstance(otc, str) and len(otc) == 6) or csc in ("12", 123):
            return "malformed"
        if otc == of.code and (not of.csc or csc == CSC):
            self.failures[of.card], of.fate = 0, "used"
            return "approved"
        self.failures[of.card] += 1
        if otc != of.code:
            return "wrong_otc"
        of.fate = "void"
        return "wrong_csc"

    def void(self, card: str, now: float, *, expired_too: bool) -> None:
        for of in self.known.values():
            if of.card == card and of.fate is None and (expired_too or now < of.sent + T):
                of.fate = "void"


class Sequences(RuleBasedStateMachine):
    """People at several cards, each with several transactions, and time going by."""

    mutant: str | None = None

    @initialize()
    def open_the_bank(self) -> None:
        self.bank = Bank(mutant=self.mutant)
        self.cards = [self.bank.card() for _ in range(3)]
        self.oracle = Oracle()
        self.begun: list[Pending] = []
        self.earlier: dict[str, str] = {}

    def chosen(self, back: int) -> tuple[Pending, Known]:
        pending = self.begun[-1 - back % len(self.begun)]
        return pending, self.oracle.known[pending.id]

    def same(self, got: str, expected: str) -> None:
        played[got] += 1
        assert got == expected

    @rule(card=st.integers(0, 2), amount=st.sampled_from(["12.34", "100.00"]))
    def start(self, card: int, amount: str) -> None:
        name = self.cards[card]
        said = self.bank.try_start(name, amount=amount)
        locked = self.oracle.failures[name] >= N
        self.same(said.status, "locked" if locked else "pending")
        if not locked:
            started = Pending(said["transaction_id"], self.bank.last_code(), name, said)
            known = Known(name, started.otc, amount == "100.00", self.bank.time)
            self.oracle.known[started.id] = known
            self.begun.append(started)

    @precondition(lambda self: self.begun)
    @rule(back=recent, otc=codes, csc=cscs, other=recent)
    def verify(self, back: int, otc: str, csc: object, other: int) -> None:
        pending, known = self.chosen(back)
        typed = {
            "right": known.code,
            "wrong": str((int(known.code) + 1) % 10**6).zfill(6),
            "earlier": self.earlier.get(pending.id, known.code),
            "other": self.chosen(other)[1].code,
            "malformed": known.code[:5],
        }[otc]
        expected = self.oracle.verify(known, typed, csc, self.bank.time)
        said = self.bank.verify(pending, typed, csc=csc)
        self.same(said.status, expected)
        if expected == "wrong_otc":
            assert said["tries_left"] == N - self.oracle.failures[known.card]

    @precondition(lambda self: self.begun)
    @rule(back=recent, csc=cscs)
    def verify_right(self, back: int, csc: object) -> None:
        self.verify(back, "right", csc, 0)

    @precondition(lambda self: self.begun)
    @rule(back=recent)
    def guess_until_it_locks(self, back: int) -> None:
        for _ in range(N + 1):
            self.verify(back, "wrong", CSC, 0)

    @precondition(lambda self: self.begun)
    @rule(back=recent, amount=st.sampled_from([None, None, "12.34", "100.00"]))
    def send_again(self, back: int, amount: str | None) -> None:
        """A resend, or an amendment where there is an amount."""
        pending, known = self.chosen(back)
        refused = self.oracle.refusal(known, self.bank.time)
        if amount is None:
            self.same(self.bank.resend(pending).status, refused or "sent")
        else:
            self.same(self.bank.amend(pending, amount=amount).status, refused or "amended")
        if refused is None:
            self.earlier[pending.id] = known.code
            known.code, known.sent = pending.otc, self.bank.time
            known.csc = known.csc if amount is None else amount == "100.00"

    @precondition(lambda self: self.begun)
    @rule(back=recent, what=seldom)
    def do_what_is_seldom_done(self, back: int, what: str) -> None:
        pending, known = self.chosen(back)
        if what == "cancel":
            refused = self.oracle.refusal(known, self.bank.time)
            self.same(self.bank.cancel(pending).status, refused or "cancelled")
            known.fate = known.fate or (None if refused else "void")
        elif what == "unlock":
            self.unlock(known.card)
        else:
            self.change_contact(known.card, proven=what == "change")

    def change_contact(self, card: str, *, proven: bool) -> None:
        fields = {} if proven else {"passphrase": "guess"}
        said = self.bank.change_contact(card, phone="+492222222", **fields)
        if self.oracle.failures[card] >= N:
            self.same(said.status, "locked")
        elif proven:
            self.same(said.status, "changed")
            self.oracle.void(card, self.bank.time, expired_too=False)
        else:
            self.same(said.status, "proof_refused")
            self.oracle.failures[card] += 1

    def unlock(self, card: str) -> None:
        self.same(self.bank.unlock(card).status, "unlocked")
        self.oracle.failures[card] = 0
        self.oracle.void(card, self.bank.time, expired_too=True)

    @precondition(lambda self: any(count >= N for count in self.oracle.failures.values()))
    @rule()
    def support_unlocks_what_is_locked(self) -> None:
        for card in self.cards:
            if self.oracle.failures[card] >= N:
                self.unlock(card)

    @rule(seconds=spans)
    def time_goes_by(self, seconds: float) -> None:
        self.bank.time += seconds


def play(machine: type[Sequences], **more: Any) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            **{"max_examples": 220, "stateful_step_count": 150, **more},
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_sequence_is_answered_as_the_rules_say() -> None:
    played.clear()

    for _ in range(5):  # how long Hypothesis makes its sequences differs from run to run
        play(Sequences)
        if played.total() >= STEPS_WANTED:
            break

    assert played.total() >= STEPS_WANTED
    assert set(played) == {
        *("pending", "approved", "wrong_otc", "wrong_csc", "locked", "used", "void", "expired"),
        *("malformed", "sent", "amended", "cancelled", "changed", "proof_refused", "unlocked"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "never-expires",
        "locks-at-n-plus-1",
        "resend-clears-count",
        "csc-retry",
        "used-code-accepted",
        "contact-keeps-pending",
        "unlock-revives-codes",
        "amend-keeps-code",
    ],
)
def test_a_broken_server_is_found_out(name: str) -> None:
    class Broken(Sequences):
        mutant = name

    with pytest.raises(AssertionError):  # the same sequences every time, or luck would decide
        play(Broken, max_examples=600, phases=[Phase.generate], derandomize=True)
