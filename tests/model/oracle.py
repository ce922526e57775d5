"""The rules once more, in few lines and with exact times: what the model is checked against.

Written from the rules' words, on purpose without a look at the model: mutable, one time per
operation, one answer. Where the rules leave an answer open, it returns every one of them.
"""

from typing import Any

VALIDITY, TRIES = 600.0, 3


class Oracle:
    """One card of a target that does exactly what the rules say."""

    def __init__(
        self, *, clears: bool = True, counts: bool = True, voids: bool = True, rotates: bool = True
    ) -> None:
        self.count = 0
        self.transactions: dict[int, dict[str, Any]] = {}
        self.clears, self.counts, self.voids, self.rotates = clears, counts, voids, rotates

    def ask(self, operation: str, now: float, number: int = 0, **sent: Any) -> set[str]:
        """Carry the operation out at `now`; what may be answered."""
        if operation == "unlock":
            self.count = 0
            for transaction in self.transactions.values():
                transaction["dead"] = True
            return {"done"}
        if self.count >= TRIES:
            return {"locked"}
        if operation == "start":
            self.transactions[number] = {
                "code": sent["code"],
                "csc": sent["csc"],
                "dead": False,
                "sent": sent["arrives"],
            }
            return {"done"}
        if operation == "change":
            for transaction in self.transactions.values():
                transaction["dead"] = True
            return {"done"}
        transaction = self.transactions[number]
        expired = now - transaction["sent"] >= VALIDITY
        if transaction["dead"]:
            return {"void", "expired"} if expired else {"void"}
        if expired:
            return {"expired"}
        return self._alive(operation, transaction, **sent)

    def _alive(self, operation: str, transaction: dict[str, Any], **sent: Any) -> set[str]:
        if operation == "malformed":
            return {"malformed"}
        if operation == "cancel":
            transaction["dead"] = True
            return {"done"}
        if operation == "resend":
            if self.rotates:
                transaction.update(code=sent["code"], sent=sent["arrives"])
            return {"done"}
        if sent["otc"] != transaction["code"]:
            return self._count("wrong_otc")
        if transaction["csc"] and sent["csc"] != "right":
            transaction["dead"] = self.voids
            return self._count("wrong_csc") if self.counts else {"wrong_csc"}
        transaction["dead"] = True
        self.count = 0 if self.clears else self.count
        return {"approved"}

    def _count(self, answer: str) -> set[str]:
        self.count += 1
        return {answer, "locked"} if self.count >= TRIES else {answer}
