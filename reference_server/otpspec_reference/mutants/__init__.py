"""The servers that are broken on purpose, one decision each: every check has one that it catches.

A mutant is a class of a few lines. Those of one family of rules stand in one file.
"""

from otpspec_reference.mutants import csc, expiry, lockout, replay
from otpspec_reference.mutants.catalogue import MUTANTS, STRICT, Mutant, find

__all__ = ["MUTANTS", "STRICT", "Mutant", "csc", "expiry", "find", "lockout", "replay"]
