"""otpspec prove: runs the suite against every mutant, and shows which rule catches which."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NamedTuple

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from otpspec import load
from otpspec import profile as profiles
from otpspec.cli.output import BROKEN, INTERRUPTED, OK, complain, err, out, prepare
from otpspec.cli.server import ReferenceServer
from otpspec.errors import OtpspecError
from otpspec.outcome import Verdict
from otpspec.rules import RULES
from otpspec_reports import proof as page

DEEP = frozenset({"PRIVACY-2"})
"""Rules that are only checked by statistics: their mutants, and a strict server, get --deep."""

RACE = frozenset(rule.id for rule in RULES.values() if rule.family == "RACE")
"""Rules that are only asked of the strict servers, and of those that are broken there: the rounds
of their races would take most of the time, and say nothing of another decision."""

PROFILE = "safekey-reference"
CLOCK_RATE, LOADED_S = 300, 8
"""Under load: ten minutes pass in two seconds, and a run takes eight."""

RATE, CROWD, SLOWEST = "60/s", 64, "1s"
"""Under load: journeys a second that any server can serve, users of whom more than 24 are always
asking something, and what a sound server is far from: its slowest twentieth takes some ms."""

_LINE = re.compile(r"(\S+) +([A-Z]+-\d+) +(.*?)(?: \(with (--.*)\))?")
_POLICY = {  # the server's option: what a profile says of it
    "--max-starts": "policy.max_starts",
    "--max-resends": "policy.max_resends",
    "--lock-for": "policy.lock_for",
    "--resend": "policy.resend",
    "--max-wrong": "policy.max_wrong",
    "--validity": "policy.validity",
    "--digits": "policy.digits",
    "--alphabet": "policy.alphabet",
    "--csc": "policy.csc",
}
_SWITCH = {
    "--merge-failures": "policy.tells_wrong_element=false",
    "--hide-unknown-cards": "policy.hides_unknown_cards=true",
}


class Mutant(NamedTuple):
    """A server that is broken on purpose; without a name, the strict one."""

    name: str
    rule: str
    sentence: str
    options: tuple[str, ...]
    deep: bool = False  # with the statistics
    load: bool = False  # under load: a run at a rate, and one with more at once than it can serve


class Proof(msgspec.Struct, frozen=True):
    """What the suite found at one server."""

    mutant: str
    rule: str
    sentence: str
    options: list[str]
    verdicts: dict[str, Verdict]
    reasons: dict[str, str]
    seconds: float
    load: bool = False

    @property
    def caught_by(self) -> list[str]:
        """The rules that the server broke."""
        return [rule for rule, verdict in self.verdicts.items() if verdict is Verdict.BROKEN]


def mutants() -> list[Mutant]:
    """Every mutant of the reference server, as it lists them itself."""
    command = [sys.executable, "-m", "otpspec_reference", "--list-mutants"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = [_LINE.fullmatch(line.strip()) for line in listed.splitlines() if line.strip()]
    return [
        Mutant(
            *(m[1], m[2], m[3], tuple((m[4] or "").split())),
            deep=m[2] in DEEP,
            load=m[2].startswith("LOAD-"),
        )
        for m in found
        if m
    ]


def changes(options: Iterable[str]) -> list[str]:
    """What a profile says of a server with these options."""
    words = iter(options)
    return [_SWITCH.get(word) or f"{_POLICY[word]}={next(words)}" for word in words]


def try_one(mutant: Mutant, seed: int) -> Proof:
    """Run the whole suite against one server. Runs in a process of its own."""
    from otpspec.cli.suite import Choice, run

    if mutant.load:
        return _under_load(mutant, seed)

    began = time.monotonic()
    arguments = [*mutant.options, *(["--mutant", mutant.name] if mutant.name else [])]
    with ReferenceServer(arguments) as server:
        environ = {**os.environ, "OTPSPEC_TEST_TOKEN": server.token}
        profile = profiles.load(
            PROFILE,
            base_url=server.url,
            changes=[*changes(mutant.options), "inbox.wait=2s"],  # a mutant may send nothing
            environ=environ,
        )
        races = not mutant.name or mutant.rule in RACE
        only = None if races else RULES.keys() - RACE
        found = run(profile, Choice(only=only, deep=mutant.deep), seed=seed)
    return Proof(
        mutant.name,
        mutant.rule,
        mutant.sentence,
        list(mutant.options),
        {rule.id: rule.verdict for rule in found.rules},
        {rule.id: rule.reason for rule in found.rules if rule.reason},
        round(time.monotonic() - began, 2),
    )


def _under_load(mutant: Mutant, seed: int) -> Proof:
    """Load one server, at a rate that it can serve and with as many as it cannot."""
    began = time.monotonic()
    arguments = [*mutant.options, *(["--mutant", mutant.name] if mutant.name else [])]
    with ReferenceServer([*arguments, "--clock-rate", str(CLOCK_RATE)]) as server:
        os.environ["OTPSPEC_TEST_TOKEN"] = server.token  # this process has one server at a time
        lasts, slo = timedelta(seconds=LOADED_S), [f"p95={SLOWEST}"]
        at_a_rate = load.run(PROFILE, base_url=server.url, rate=RATE, slo=slo, **_same(lasts, seed))
        crowded = load.run(PROFILE, base_url=server.url, users=CROWD, **_same(lasts, seed))
    limits = [rule for rule in at_a_rate.rules if rule.id == "LOAD-3"]
    found = [*(rule for rule in crowded.rules if rule.id != "LOAD-3"), *limits]
    return Proof(
        *(mutant.name, mutant.rule, mutant.sentence, list(mutant.options)),
        {rule.id: rule.verdict for rule in found},
        {rule.id: rule.reason for rule in found if rule.reason},
        round(time.monotonic() - began, 2),
        load=True,
    )


def _same(lasts: timedelta, seed: int) -> dict[str, Any]:
    return {"duration": lasts, "seed": seed}


def prove(
    select: Annotated[
        str, typer.Option("-k", metavar="WORD", help="Only mutants whose name or rule has it.")
    ] = "",
    seed: Annotated[int, typer.Option(metavar="N", help="The choices of all runs.")] = 1,
    jobs: Annotated[
        int | None, typer.Option("-j", metavar="N", help="Servers at once; one for each core.")
    ] = None,
    out_dir: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where proof.json and proof.html go.")
    ] = Path("otpspec-proof"),
) -> None:
    """Run every check against every broken server: no check is decoration."""

    chosen = [m for m in mutants() if select.lower() in f"{m.name} {m.rule}".lower()]
    if not chosen:
        raise OtpspecError(f"No mutant has {select!r} in its name or rule.\nTry: otpspec prove")
    prepare(out_dir)
    controls = {(m.options, m.deep, m.load) for m in chosen} | {((), False, False)}
    strict = [Mutant("", "", "Nothing is broken.", *control) for control in sorted(controls)]
    # One more than there are cores: a suite also waits, for silence in an inbox.
    servers = [*strict, *chosen]
    loaded = [server for server in servers if server.load]
    proofs = _all([s for s in servers if not s.load], seed, jobs or (os.cpu_count() or 1) + 1)
    if loaded and len(proofs) + len(loaded) == len(servers):
        proofs += _all(loaded, seed, 1)  # one at a time: else they would be in each other's way
    interrupted = len(proofs) < len(servers)
    faults = faults_of(proofs, everything=not select and not interrupted)
    _publish(proofs, faults, out_dir)
    caught = sum(bool(p.mutant) and p.rule in p.caught_by for p in proofs)
    out.print(f"{caught} of {len(chosen)} mutants caught by their own rule")
    out.print(f"matrix   {out_dir / 'proof.html'}", soft_wrap=True)
    if interrupted:
        complain(f"Interrupted: {len(proofs)} of {len(servers)} servers were tried.")
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(BROKEN if faults else OK)


def _publish(proofs: list[Proof], faults: list[str], directory: Path) -> None:
    found = msgspec.json.encode({"faults": faults, "servers": proofs})
    (directory / "proof.json").write_bytes(msgspec.json.format(found, indent=1))
    rows = [msgspec.to_builtins(proof) for proof in proofs]
    (directory / "proof.html").write_text(page.render(rows, faults), encoding="utf-8")
    out.print(page.table(rows))
    for fault in faults:
        complain(fault)


def _all(servers: list[Mutant], seed: int, jobs: int) -> list[Proof]:
    """Try every server, so many at once; the proofs in the servers' order.

    Where it is interrupted: those that there are by then.
    """
    context = multiprocessing.get_context("spawn")
    last = TextColumn("{task.fields[last]}")
    columns = (TextColumn("proving"), BarColumn(), MofNCompleteColumn(), last)
    proofs: list[Proof] = []
    with (
        Progress(*columns, console=err, transient=True) as progress,
        context.Pool(jobs, initializer=_end_when_told) as pool,
        suppress(KeyboardInterrupt),
    ):
        task = progress.add_task("", total=len(servers), last="")
        for proof in pool.imap_unordered(partial(try_one, seed=seed), servers):
            proofs.append(proof)
            progress.update(task, advance=1, last=proof.mutant or "strict")
    order = [(server.name, server.options) for server in servers]
    return sorted(proofs, key=lambda proof: order.index((proof.mutant, tuple(proof.options))))


def _end_when_told() -> None:
    """A worker leaves Ctrl-C to its parent, and ends with its server when the pool is ended."""

    def end(number: int, frame: FrameType | None) -> None:
        for server in list(ReferenceServer.running):
            server.end()
        os._exit(0)  # an exception would be taken for a scenario's

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)


def owed(proof: Proof, rule: str) -> bool:
    """Whether a verdict is owed: on a busy machine a load run may be too short for some of them."""
    return not proof.load or rule in ("LOAD-1", "LOAD-2")


def faults_of(proofs: list[Proof], *, everything: bool) -> list[str]:
    """What is wrong with the suite: a survivor, a wrong catch, a false alarm, a rule unproven."""
    found: list[str] = []
    for proof in proofs:
        if not proof.mutant:
            bad = {
                rule: verdict
                for rule, verdict in proof.verdicts.items()
                if verdict is Verdict.BROKEN
                or (verdict is Verdict.INCONCLUSIVE and owed(proof, rule))
            }
            name = " ".join(["strict server", *proof.options, *(["under load"] * proof.load)])
            found += [
                f"{name}: {rule} is {v} ({proof.reasons.get(rule, '')})" for rule, v in bad.items()
            ]
        elif not proof.caught_by:
            reason = proof.reasons.get(proof.rule, proof.verdicts.get(proof.rule, "not checked"))
            found.append(f"{proof.mutant} survives: {proof.rule} is {reason}")
        elif proof.rule not in proof.caught_by:
            others = ", ".join(proof.caught_by)
            found.append(f"{proof.mutant} is caught by {others}, not by its own {proof.rule}")
    if everything:
        proven = {proof.rule for proof in proofs}
        found += [f"{rule.id} has no mutant" for rule in RULES.values() if rule.id not in proven]
    return found
