"""LOAD: the rules hold for every answer, at the declared rate and beyond it."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Rule

LOAD = (
    Rule(
        "LOAD-1",
        "MUST",
        "every rule that one user's traffic can show holds for every answer under load",
        (of.safekey("the rules hold under load"),),
        needs=("load",),
        core=True,
    ),
    Rule(
        "LOAD-2",
        "MUST",
        "overload fails closed: no wrong OTC and no wrong 3CSC is approved",
        (of.ASVS_FAIL_CLOSED,),
        needs=("load",),
    ),
    Rule(
        "LOAD-3",
        "SHOULD",
        "latency and errors keep within what is declared, at the declared arrival rate",
        (of.declared("latency and error budget at an arrival rate"),),
        needs=("load",),
    ),
)
