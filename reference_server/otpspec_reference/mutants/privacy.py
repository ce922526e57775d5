"""PRIVACY: servers that tell more than the answer."""

import time

from otpspec_reference.answers import Answer, Asked, Headers, Status
from otpspec_reference.http import Face
from otpspec_reference.mutants.catalogue import ClearCodes, breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Card, Transaction

PER_CHARACTER_S = 0.002


@breaks("PRIVACY-1", "unknown-card-told", hide_unknown_cards=True)
class UnknownCardTold(SafeKey):
    """Though the policy is to hide it, the answer says that a card is unknown (CVE-2024-0391)."""

    def unknown_card(self, card_id: str) -> Card | None:
        return None


@breaks("PRIVACY-2", "compares-char-by-char")
class ComparesCharByChar(ClearCodes):
    """The time of an answer tells how many characters of a code were right."""

    def otc_is_right(self, transaction: Transaction, otc: str) -> bool:
        for typed, right in zip(otc, self.sent_codes[transaction.id], strict=False):
            if typed != right:
                return False
            time.sleep(PER_CHARACTER_S)
        return True


@breaks("PRIVACY-3", "cacheable")
class Cacheable(Face):
    """A cache may keep the answers, decisions included."""

    def headers(self, answer: Answer) -> Headers:
        kept = (b"cache-control", b"max-age=600")
        return tuple(kept if each[0] == kept[0] else each for each in super().headers(answer))


@breaks("PRIVACY-3", "redirects-with-code")
class RedirectsWithCode(SafeKey):
    """An approval is a redirect, with the code in its URL."""

    def verify(self, transaction_id: str, asked: Asked) -> Answer:
        answer = super().verify(transaction_id, asked)
        if answer.status is not Status.APPROVED:
            return answer
        location = f"/transactions/{transaction_id}?otc={asked.field('otc')}"
        return Answer(answer.status, answer.fields, ((b"location", location.encode()),), 303)
