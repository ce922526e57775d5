"""What a check would do, found out without sending anything.

The scenarios themselves are run, with the model of the rules in the place of the target and a clock
that only jumps: cards, requests, messages and waits are counted, not estimated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from otpspec.cards import given_card
from otpspec.errors import OtpspecError
from otpspec.ledger import Ledger, State
from otpspec.pool import SPARE, contacts
from otpspec.profile import Profile
from otpspec.redact import Redactor
from otpspec.runner import Finished, Runner, Scenario
from otpspec.simulated import Simulated
from otpspec.verdicts import Inconclusive

_NAMED = 6  # cards


@dataclass(frozen=True)
class Plan:
    """What a check takes, on a target that is sound."""

    requests: int
    messages: int
    waits: timedelta  # in the target's time: until the last scenario ends
    needs: Mapping[str, int]  # cards of each scenario
    lasts: Mapping[str, timedelta]  # and how long it waits
    locks: Sequence[str]  # the profile's own cards that are locked on the way, by their labels
    locked: int  # cards that are locked on the way
    starved: Sequence[str] = ()  # scenarios for which no card is left

    @property
    def at_once(self) -> int:
        """The most cards that one scenario takes."""
        return max(self.needs.values(), default=0)


def make(
    profile: Profile,
    scenarios: Sequence[Scenario],
    *,
    seed: int,
    deep: bool = False,
    max_wait: timedelta,
) -> Plan:
    """Play the scenarios through; where the profile has cards of its own, with just those."""
    plan = _play(profile, scenarios, None, seed=seed, deep=deep, max_wait=max_wait)
    if not profile.cards:
        return plan
    with_ours = _play(profile, scenarios, plan.needs, seed=seed, deep=deep, max_wait=max_wait)
    return replace(with_ours, locked=plan.locked)


def _play(
    profile: Profile,
    scenarios: Sequence[Scenario],
    needs: Mapping[str, int] | None,
    *,
    seed: int,
    deep: bool,
    max_wait: timedelta,
) -> Plan:
    worlds: list[Simulated] = []

    def world(redact: Redactor) -> Simulated:
        worlds.append(Simulated(profile, redact, needs=needs, max_wait=max_wait))
        return worlds[0]

    runner = Runner(profile, seed, deep=deep, max_wait=max_wait, world=world)
    runner.open()
    began = runner.clock.now()
    try:
        runner.start(scenarios)
        finished = [runner.result(scenario) for scenario in scenarios]
    finally:
        runner.close()
    bank = worlds[0].bank
    return Plan(
        requests=bank.requests,
        messages=sum(map(len, bank.mail.values())) if profile.sends_messages else 0,
        waits=max((one.ended - began for one in finished), default=timedelta(0)),
        lasts={one.scenario.id: one.ended - one.began for one in finished},
        needs={one.scenario.id: one.cards for one in finished} if needs is None else needs,
        locks=[label for label, key in _labels(profile) if key in bank.locked],
        locked=len(bank.locked),
        starved=[one.scenario.id for one in finished if _starved(one)],
    )


def _labels(profile: Profile) -> list[tuple[str, str]]:
    """The profile's own cards: how reports call each, and what tells it from others."""
    kinds = contacts(profile)
    cards = [given_card(row, number, kinds) for number, row in enumerate(profile.cards, 1)]
    return [(card.label, str(card.values["card.number"])) for card in cards]


def _starved(finished: Finished) -> bool:
    return isinstance(finished.error, Inconclusive) and "too few cards" in str(finished.error)


def refuse_if_short(profile: Profile, plan: Plan) -> None:
    """Raise OtpspecError where the profile's own cards do not suffice."""
    if not profile.cards:
        return
    ledger = Ledger.beside(profile, read_only=True)
    labels = [label for label, _ in _labels(profile)]
    aside = [label for label in labels if ledger.state(label) is State.SET_ASIDE]
    usable, forever = len(labels) - len(aside), _lost(profile, plan)
    least = plan.at_once + SPARE
    if plan.starved or usable < least:
        has = f"{len(labels)}, {len(aside)} of them set aside" if aside else f"{len(labels)}"
        why = f"; it locks {forever} for good" if forever else ""
        raise OtpspecError(
            f"The check needs {forever + least} cards, and the profile has {has}{why}.\n"
            "Nothing was sent.\n"
            f"{_named(aside, ledger)}"
            "Try: list more in [cards]; add [operations.unlock], so that a card can be used again; "
            "or check fewer rules with -k."
        )
    if profile.max_locked is not None and forever > profile.max_locked:
        raise OtpspecError(
            f"The check would lock {forever} cards for good, and cards.max_locked is "
            f"{profile.max_locked}.\n"
            "Nothing was sent.\n"
            "Try: add [operations.unlock]; leave rules out with -k; or raise cards.max_locked."
        )


def _named(aside: Sequence[str], ledger: Ledger) -> str:
    """The cards that an earlier run could not bring to a known state, why, and what to do."""
    if not aside:
        return ""
    lines = [f"  set aside  {label}: {ledger.why(label)}" for label in aside[:_NAMED]]
    lines += [f"  and {len(aside) - _NAMED} others"] if len(aside) > _NAMED else []
    what = f"Where they have been unlocked since, delete {ledger.name}: they are tried again."
    return "\n".join([*lines, what, ""])


def _lost(profile: Profile, plan: Plan) -> int:
    """Cards that stay locked: nobody can unlock them, and the lock does not end by itself."""
    again = {"unlock", "enroll"} & profile.operations.keys() or profile.policy.lock_for
    return 0 if again or profile.policy.lock_scope == "challenge" else plan.locked
