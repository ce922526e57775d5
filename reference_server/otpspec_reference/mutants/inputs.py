"""INPUT: servers that read into what was typed more than stands there."""

import json

from starlette.types import Receive, Scope

from otpspec_reference.answers import Answer, Asked, Status
from otpspec_reference.http import Ask, Face, read_body
from otpspec_reference.mutants.catalogue import ClearCodes, breaks
from otpspec_reference.rules import SafeKey
from otpspec_reference.store import Transaction


@breaks("INPUT-1", "empty-code-passes")
class EmptyCodePasses(SafeKey):
    """An empty string is right in place of any code (CVE-2025-12374)."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        verdict = super().judge(transaction, asked, now)
        passes = verdict is Status.MALFORMED and asked.field("otc") == ""
        return Status.APPROVED if passes else verdict


@breaks("INPUT-1", "true-passes")
class TruePasses(SafeKey):
    """`true` is right in place of any code, as where types are juggled (CVE-2026-7458)."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        verdict = super().judge(transaction, asked, now)
        passes = verdict is Status.MALFORMED and asked.field("otc") is True
        return Status.APPROVED if passes else verdict


@breaks("INPUT-1", "null-crashes")
class NullCrashes(SafeKey):
    """A missing code or null is an internal error."""

    def read_otc(self, asked: Asked) -> str | None:
        if asked.field("otc") is None:
            raise TypeError("object of type 'NoneType' has no len()")
        return super().read_otc(asked)


@breaks("INPUT-2", "long-code-cut")
class LongCodeCut(SafeKey):
    """Of a code that is too long, only the first characters are looked at."""

    def read_otc(self, asked: Asked) -> str | None:
        otc = asked.field("otc")
        cut = otc[: self.settings.digits] if isinstance(otc, str) else otc
        return super().read_otc(Asked({"otc": cut}))


@breaks("INPUT-2", "prefix-passes")
class PrefixPasses(ClearCodes):
    """The first digits of the right code are enough."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        verdict = super().judge(transaction, asked, now)
        otc = asked.field("otc")
        if verdict is Status.MALFORMED and isinstance(otc, str) and otc:
            code = self.sent_codes[transaction.id]
            return Status.APPROVED if code.startswith(otc) else verdict
        return verdict


@breaks("INPUT-3", "codes-as-numbers")
class CodesAsNumbers(SafeKey):
    """Codes are compared as numbers: 42 is as good as 000042."""

    def read_otc(self, asked: Asked) -> str | None:
        otc = asked.field("otc")
        if isinstance(otc, str) and otc.isascii() and otc.isdigit():
            return super().read_otc(Asked({"otc": otc.lstrip("0").zfill(self.settings.digits)}))
        return None


@breaks("INPUT-4", "any-digits")
class AnyDigits(SafeKey):
    """A code is whatever `int()` takes: other scripts' digits, signs, spaces, underscores."""

    def read_otc(self, asked: Asked) -> str | None:
        otc = asked.field("otc")
        try:
            digits = str(int(otc)).zfill(self.settings.digits) if isinstance(otc, str) else otc
        except ValueError:
            return None
        return super().read_otc(Asked({"otc": digits}))


@breaks("INPUT-4", "whitespace-stripped")
class WhitespaceStripped(SafeKey):
    """Spaces and line breaks around a code are dropped, and those within."""

    def read_otc(self, asked: Asked) -> str | None:
        otc = asked.field("otc")
        return (
            super().read_otc(Asked({"otc": "".join(otc.split())})) if isinstance(otc, str) else None
        )


@breaks("INPUT-4", "result-injected")
class ResultInjected(SafeKey):
    """A refused code is echoed in a line, and a line break in it forges the result (Yubico)."""

    def verify(self, transaction_id: str, asked: Asked) -> Answer:
        answer = super().verify(transaction_id, asked)
        otc = asked.field("otc")
        if answer.status is not Status.MALFORMED or not isinstance(otc, str):
            return answer
        lines = f"status={answer.status}\notc={otc}".splitlines()
        said = dict(line.replace(":", "=").partition("=")[::2] for line in lines)
        forged = said["status"].strip().lower()
        return Answer(Status(forged), {"otc": said["otc"]}) if forged in set(Status) else answer


@breaks("INPUT-5", "list-searched")
class ListSearched(SafeKey):
    """A list of codes is searched for the right one (CVE-2026-7458)."""

    def judge(self, transaction: Transaction, asked: Asked, now: float) -> Status:
        verdict = super().judge(transaction, asked, now)
        otcs = asked.field("otc")
        if verdict is Status.MALFORMED and isinstance(otcs, list):
            tried = [self.read_otc(Asked({"otc": otc})) for otc in otcs]
            found = any(self.otc_is_right(transaction, otc) for otc in tried if otc)
            return Status.APPROVED if found else verdict
        return verdict


@breaks("INPUT-5", "repeated-keys-tried")
class RepeatedKeysTried(Face):
    """Where the key of the code is repeated, each of the codes is a try."""

    async def perform(self, ask: Ask, scope: Scope, receive: Receive) -> Answer:
        raw = await read_body(receive)
        try:
            pairs = json.loads(raw, object_pairs_hook=list)
        except (ValueError, RecursionError):
            pairs = []
        target, headers = scope["path_params"].get("id", ""), tuple(scope["headers"])
        codes = [value for key, value in pairs if key == "otc"] if isinstance(pairs, list) else []
        if len(codes) < 2:
            return ask(target, Asked(self.read(raw), headers))
        answers = [ask(target, Asked({**dict(pairs), "otc": code}, headers)) for code in codes]
        approved = [answer for answer in answers if answer.status is Status.APPROVED]
        return (approved or answers)[0]


@breaks("INPUT-6", "malformed-counts")
class MalformedCounts(SafeKey):
    """Malformed input counts as a failure, though it is declared not to."""

    def settle(self, transaction: Transaction, verdict: Status, asked: Asked, now: float) -> Answer:
        if verdict is Status.MALFORMED:
            self.fail(transaction.card, transaction, asked, now)
        return super().settle(transaction, verdict, asked, now)
