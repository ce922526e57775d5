"""A no that may come in several ways: none of the answers approves, and one of them says no."""

from collections.abc import Sequence

from otpspec import REFUSED, Answer, Outcome, Trial


def all_refused(trial: Trial, answers: Sequence[Answer], *, because: str) -> None:
    """Judge answers to the same thing, asked in several ways.

    One approval is broken. One answer that is understood as a refusal is enough: to cookies from
    before, or to a page's token that was replaced, a target may say what no pattern knows.
    """
    for answer in answers:
        if Outcome.APPROVED in answer.outcomes:
            trial.expect(answer, *REFUSED, because=because)
    clear = [answer for answer in answers if answer.outcomes <= REFUSED]
    trial.expect((clear or answers)[0], *REFUSED, because=because)
