"""What an answer renews goes with the next request: a page shown again has another token."""

from typing import Any

from otpspec import REFUSED, Outcome, Trial
from otpspec.results import Verdict

from .scripted import Asked, Said, scripted
from .small_bank import Bank, play_at

CHANGES = (
    'operations.start.capture={ id = "transaction_id", token = "token" }',
    'operations.verify.json={ otc = "{otc}", token = "{challenge.token}" }',
    'operations.verify.capture={ token = "token" }',
    'operations.resend.json={ token = "{challenge.token}" }',
    'operations.resend.capture={ token = "token" }',
)


class TokenBank(Bank):
    """A bank whose every answer has a token, without which the next request is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: dict[str, str] = {}

    def _start(self, asked: Asked) -> Said:
        status, body, *_ = super()._start(asked)
        return status, {**body, "token": self._new(body["transaction_id"])}

    def _verify(self, asked: Asked) -> Said:
        return self._checked(asked, super()._verify)

    def _resend(self, asked: Asked) -> Said:
        return self._checked(asked, super()._resend)

    def _checked(self, asked: Asked, answer: Any) -> Said:
        transaction = asked.target.split("/")[2]
        if asked.json["token"] != self.tokens[transaction]:
            return 400, {"status": "this page is old"}
        status, body, *_ = answer(asked)
        return status, {**body, "token": self._new(transaction)}

    def _new(self, transaction: str) -> str:
        token = self.tokens[transaction] = f"token-{next(self._ids)}"
        return token


def test_token_that_each_answer_renews_goes_with_the_next_request() -> None:
    async def play(trial: Trial) -> None:
        challenge = await trial.start()
        refused = await trial.verify(challenge, trial.wrong(challenge.card))
        trial.expect(refused, *REFUSED, because="the code is wrong")
        again = await trial.resend(challenge)
        answer = await trial.verify(again)
        trial.expect(answer, Outcome.APPROVED, because="the code is right")

    with scripted(TokenBank()) as server:
        (finished,) = play_at(server, play, changes=CHANGES)

        assert (finished.verdict, finished.reason) == (Verdict.PASSED, "")


def test_tokens_of_two_transactions_are_not_mixed_up() -> None:
    async def play(trial: Trial) -> None:
        first, second = await trial.start(), await trial.start()
        for challenge in (first, second, first):
            await trial.fail(challenge, 1)
        for challenge in (first, second):
            await trial.approved(challenge, because="the code is right")

    with scripted(TokenBank()) as server:
        (finished,) = play_at(server, play, changes=CHANGES)

        assert (finished.verdict, finished.reason) == (Verdict.PASSED, "")


def test_answer_that_holds_no_token_keeps_the_old_one() -> None:
    seen: list[str] = []

    def verify(asked: Asked) -> Said | None:
        seen.append(asked.json["token"])
        return 403, {"status": "wrong"}

    async def play(trial: Trial) -> None:
        challenge = await trial.start()
        await trial.fail(challenge, 2)

    bank = TokenBank()
    bank.answers["verify"] = verify
    with scripted(bank) as server:
        play_at(server, play, changes=CHANGES)

    assert len(seen) >= 2
    assert seen[0] == seen[1]


def test_request_that_lacks_its_token_is_inconclusive_and_says_what_is_missing() -> None:
    async def play(trial: Trial) -> None:
        await trial.verify(await trial.start())

    with scripted(Bank()) as server:
        (finished,) = play_at(server, play, changes=CHANGES)

    assert finished.verdict is Verdict.INCONCLUSIVE
    assert finished.reason == (
        "verify needs {challenge.token}, which no answer before it held: "
        "see what the profile captures"
    )
