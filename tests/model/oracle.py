"""The rules once more, in few lines and with exact times: what the model is checked against.

Written from the rules' words, on purpose without a look at the model: mutable, one time per
operation, one answer. Where the rules leave an answer open, it returns every one of them.
"""

from typing import Any

VALIDITY, LOCK, TRIES = 600.0, 1200.0, 3


class Oracle:
    """One card of a target that does exactly what the rules say."""

    def __init__(self, **switches: bool) -> None:
        """What each of `switches` is called says what the target does if it is on."""
        self.count = 0
        self.locked_at = 0.0
        self.transactions: dict[int, dict[str, Any]] = {}
        self.does = switches

    def ask(self, operation: str, now: float, number: int = 0, **sent: Any) -> set[str]:
        """Carry the operation out at `now`; what may be answered."""
        if self.does["ends_locks"] and self.count >= TRIES and now - self.locked_at >= LOCK:
            self._unlock()
        if operation == "unlock":
            self._unlock()
            return {"done"}
        if self.count >= TRIES:
            return {"locked"}
        if operation == "start":
            self.transactions[number] = {"sent": sent["arrives"], "code": sent["code"]}
            self.transactions[number] |= {"csc": sent["csc"], "dead": False, "count": 0}
            return {"done"}
        if operation == "change":
            self._void_all()
            return {"done"}
        transaction = self.transactions[number]
        expired = now - transaction["sent"] >= VALIDITY
        if transaction["dead"]:
            also = {"locked"} if transaction["dead"] == "exhausted" else set()
            return also | ({"void", "expired"} if expired else {"void"})
        if expired:
            counts = operation == "verify" and self.does["counts_expired"]
            return self._count("expired", transaction, now) if counts else {"expired"}
        return self._alive(operation, transaction, now, **sent)

    def _unlock(self) -> None:
        self.count = 0
        self._void_all()

    def _void_all(self) -> None:
        for transaction in self.transactions.values():
            transaction["dead"] = transaction["dead"] or True

    def _alive(
        self, operation: str, transaction: dict[str, Any], now: float, **sent: Any
    ) -> set[str]:
        if operation == "malformed":
            counts = self.does["counts_malformed"]
            return self._count("malformed", transaction, now) if counts else {"malformed"}
        if operation == "cancel":
            transaction["dead"] = True
            return {"done"}
        if operation == "resend":
            if self.does["rotates"]:
                transaction.update(code=sent["code"], sent=sent["arrives"])
            return {"done"}
        if sent["otc"] != transaction["code"]:
            return self._count("wrong_otc", transaction, now)
        if transaction["csc"] and sent["csc"] != "right":
            transaction["dead"] = self.does["voids"]
            counts = self.does["counts_csc"]
            return self._count("wrong_csc", transaction, now) if counts else {"wrong_csc"}
        transaction["dead"] = True
        self.count = 0 if self.does["clears"] else self.count
        return {"approved"}

    def _count(self, answer: str, transaction: dict[str, Any], now: float) -> set[str]:
        if self.does["locks_challenge"]:
            if transaction["dead"] or now - transaction["sent"] >= VALIDITY:
                return {answer}
            transaction["count"] += 1
            if transaction["count"] < TRIES:
                return {answer}
            transaction["dead"] = "exhausted"
            return {answer, "locked", "void"}
        self.count += 1
        self.locked_at = now
        return {answer, "locked"} if self.count >= TRIES else {answer}
