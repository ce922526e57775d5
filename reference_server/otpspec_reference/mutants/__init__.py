"""The servers that are broken on purpose, one decision each: every check has one that it catches.

A mutant is a class of a few lines. Those of one family of rules stand in one file; to import a
file is to register what stands in it.
"""

from otpspec_reference.mutants import (  # noqa: F401
    binding,
    contact,
    csc,
    deliver,
    expiry,
    inputs,
    issue,
    load,
    lockout,
    privacy,
    race,
    replay,
    resend,
    verify,
)
from otpspec_reference.mutants.catalogue import MUTANTS, STRICT, Mutant

__all__ = ["MUTANTS", "STRICT", "Mutant"]
