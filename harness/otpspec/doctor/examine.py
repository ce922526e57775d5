"""A doctor's run from its beginning to its diagnosis."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata

from otpspec import profile as profiles
from otpspec.doctor.contradictions import contradictions
from otpspec.doctor.costs import costs, rules_of_operation
from otpspec.doctor.declared import Declared, declared
from otpspec.doctor.diagnose import Diagnosing
from otpspec.doctor.report import Diagnosis, Missing, Step
from otpspec.doctor.trying import Progress
from otpspec.doctor.visit import Visit
from otpspec.doctor.ward import Ward
from otpspec.profile import Profile
from otpspec.redact import Redactor
from otpspec.rules import RULES
from otpspec.runner import Runner, Scenario

UNDERSTOOD, UNUSABLE, NOT_UNDERSTOOD, INTERRUPTED = 0, 2, 3, 130
_ORDER = ("enroll", "start", "verify", "resend", "cancel", "amend", "change_contact", "unlock")


@dataclass
class _Room:
    """Where it happens; made by the runner, which gives the redactor."""

    profile: Profile
    ward: Ward = field(init=False)

    def __call__(self, redact: Redactor) -> Ward:
        self.ward = Ward(self.profile, redact)
        return self.ward


def examine(
    source: str,
    *,
    base_url: str | None = None,
    changes: Iterable[str] = (),
    progress: Progress = lambda name: None,
    command: str = "",
) -> Diagnosis:
    """Try each operation of a profile once, on one card.

    `command`: the options that the next command must have, too. Raises OtpspecError where the
    profile cannot be read, or the target cannot be reached. Ctrl-C ends it with what it has.
    """
    changes = list(changes)
    profile = profiles.load(source, base_url=base_url, changes=changes)
    written = declared(source, changes)
    room = _Room(profile)
    runner = Runner(profile, world=room)
    runner.open()
    visit = Visit(room.ward, progress)
    found = room.ward.found()
    scenario = Scenario("doctor", (), visit)
    runner.start([scenario])
    fault = ""
    try:
        finished = runner.result(scenario)
        fault = "" if visit.complete else finished.reason
    except KeyboardInterrupt:
        fault = "interrupted"
    finally:
        runner.close()
    return _diagnosis(room.ward, visit, written, runner.redact, found, fault, command)


def _diagnosis(
    ward: Ward,
    visit: Visit,
    written: Declared,
    redact: Redactor,
    found: dict[str, list[str]],
    fault: str,
    command: str,
) -> Diagnosis:
    profile = ward.profile
    steps = list(Diagnosing(profile, written, redact, visit.varying, visit.tried).steps())
    if fault and fault != "interrupted":
        steps.append(Step(name="the visit itself", place="", mark="wrong", says=redact(fault)))
    unusable = [redact(ward.clock_fault)] if ward.clock_fault else []
    unusable += [
        redact(mail.fault).partition("\n")[0]
        for one in visit.tried
        for mail in one.mails
        if mail.fault
    ][:1]
    code = _exit_code(steps, unusable, fault)
    words = [word for word in (profile.source, command) if word]
    verb = "check" if code == UNDERSTOOD else "doctor"
    return Diagnosis(
        otpspec_version=metadata.version("otpspec"),
        profile=profile.source,
        name=profile.name,
        base_url=profile.base_url,
        version=ward.version,
        found={name: [redact(line) for line in lines] for name, lines in found.items()},
        steps=steps,
        missing=_missing(profile, steps),
        warnings=contradictions(profile, visit.tried, visit.varying),
        unusable=unusable,
        complete=visit.complete,
        next=" ".join(["otpspec", verb, *words]),
        exit_code=code,
    )


def _exit_code(steps: list[Step], unusable: list[str], fault: str) -> int:
    if fault == "interrupted":
        return INTERRUPTED
    if unusable:
        return UNUSABLE
    bad = any(step.mark == "wrong" for step in steps)
    return NOT_UNDERSTOOD if bad or not steps else UNDERSTOOD


def _missing(profile: Profile, steps: list[Step]) -> list[Missing]:
    """What is not in the profile, and what is and was not understood."""
    found: list[Missing] = []
    for cost in sorted(costs(profile), key=lambda cost: cost.by_policy):
        named = {rule for one in found if cost.by_policy for rule in one.rules}
        rules = [rule for rule in cost.rules if rule not in named]
        core = [rule for rule in cost.core if rule not in profile.waive]
        if rules:
            one = Missing(lacks=cost.lacks, rules=rules, core=core, by_policy=cost.by_policy)
            found.append(one)
    for operation in operations_not_understood(steps):
        rules = list(rules_of_operation(operation))
        if rules:
            core = [rule for rule in rules if RULES[rule].core]
            words = f"[{operation}]" if operation == "inbox" else f"[operations.{operation}]"
            found.append(Missing(lacks=f"{words} is not understood", rules=rules, core=core))
    return found


def operations_not_understood(steps: list[Step]) -> list[str]:
    """The operations, and the inbox, of which a step was not understood."""
    bad = {
        step.place.removeprefix("operations.").partition("[")[0]
        for step in steps
        if step.mark == "wrong"
    }
    return [name for name in (*_ORDER, "inbox") if name in bad]
