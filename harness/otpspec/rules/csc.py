"""CSC: where the card's three-digit security code is asked for, both codes must be right."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Rule

_ANEW = of.safekey("after a wrong 3CSC the entire transaction starts again")
_BOTH = of.safekey("the 3CSC is asked for along with the code")

CSC = (
    Rule(
        "CSC-1",
        "MUST",
        "a wrong 3CSC voids the transaction: the right pair is refused then",
        (_ANEW,),
        needs=("csc", "void"),
        core=True,
    ),
    Rule(
        "CSC-2",
        "MUST",
        "where asked for, both the OTC and the 3CSC must be right",
        (_BOTH,),
        needs=("csc",),
        core=True,
    ),
    Rule(
        "CSC-3",
        "SHOULD",
        "with the PSD2 policy, the answer does not tell which element was wrong",
        (of.PSD2_ONE_ANSWER,),
        needs=("csc", "one answer"),
    ),
    Rule(
        "CSC-4",
        "MUST",
        "the 3CSC is never in a response",
        (of.ASVS_MINIMUM, of.PCI_NOT_KEPT),
        needs=("csc",),
    ),
    Rule(
        "CSC-5",
        "MUST",
        "a wrong 3CSC with the right OTC approves nothing, ever, also later in the transaction",
        (_BOTH,),
        needs=("csc",),
        core=True,
    ),
    Rule(
        "CSC-6",
        "MUST",
        "a new transaction works after one was voided",
        (_ANEW,),
        needs=("csc", "void"),
        core=True,
    ),
    Rule(
        "CSC-7",
        "MUST",
        "repeated wrong 3CSCs are bounded: each counts as a failure",
        (of.safekey("lockout after repeated failures"), of.PSD2_FIVE_FAILURES),
        needs=("csc", "counted 3CSC"),
        core=True,
    ),
)
