"""The pairs of the model's tests, whole, and a corpus of histories that were once judged wrongly.

A file of the corpus says by its name what it must be judged: legal-… or broken-….
"""

from math import inf
from pathlib import Path

import msgspec
import pytest
from tests.model.corpus import PAIRS, Pair
from tests.model.test_pairs import read

from otpspec import history as histories
from otpspec.history import Builder, Call
from otpspec.linearize import Legality, judge
from otpspec.model import Amend, Resend, Start
from otpspec.outcome import Outcome
from otpspec.policy import Policy

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.jsonl"))


def calls_of(pair: Pair, *, broken: bool) -> list[Call]:
    now, calls = 0.0, []
    for line in pair.history.strip().splitlines():
        if line.split()[0] == "wait":
            now += float(line.split()[1])
            continue
        operation, right, wrong = read(line)
        if isinstance(operation, Start | Resend | Amend):
            operation = msgspec.structs.replace(operation, seen=now + 0.2)
        answer = wrong if broken and wrong else right
        calls.append(Call(operation, now, now + 0.1, frozenset({Outcome(answer)})))
        now += 1
    return calls


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.rule}: {pair.claim}")
def test_history_is_legal_and_the_same_with_one_other_answer_is_broken(pair: Pair) -> None:
    builder = Builder()
    for broken in (False, True):
        for call in calls_of(pair, broken=broken):
            builder.add("broken" if broken else "legal", call)

    found = judge(builder.history(), pair.policy)

    assert [one.card for one in found.broken] == ["broken"]
    assert found.broken[0].whole
    assert max(call.called for call in found.broken[0].smallest) < inf


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_history_that_was_once_judged_wrongly_is_judged_rightly(path: Path) -> None:
    expected = Legality(path.stem.partition("-")[0])

    found = judge(histories.read(path), Policy(max_wrong=2) if "N2" in path.stem else Policy())

    assert found.legality is expected


def test_the_corpus_is_not_empty() -> None:
    assert len(CORPUS) >= 4
