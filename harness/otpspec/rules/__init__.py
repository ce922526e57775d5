"""The rule catalogue: what is checked, and where each rule comes from.

Ids are stable names, never positions: a rule that is retired leaves its id unused. The rules of
each family stand in a file of their own; docs/reference/rules.md is made of them.
"""

from otpspec.rules.binding import BINDING
from otpspec.rules.contact import CONTACT
from otpspec.rules.csc import CSC
from otpspec.rules.deliver import DELIVER
from otpspec.rules.expiry import EXPIRY
from otpspec.rules.inputs import INPUT
from otpspec.rules.issue import ISSUE
from otpspec.rules.load import LOAD
from otpspec.rules.lockout import LOCKOUT
from otpspec.rules.privacy import PRIVACY
from otpspec.rules.race import RACE
from otpspec.rules.replay import REPLAY
from otpspec.rules.resend import RESEND
from otpspec.rules.rule import (
    NEEDS,
    STANDARDS,
    Level,
    Need,
    Report,
    Rule,
    Source,
    Standard,
    StandardName,
)
from otpspec.rules.verify import VERIFY

__all__ = [
    "NEEDS",
    "RULES",
    "STANDARDS",
    "Level",
    "Need",
    "Report",
    "Rule",
    "Source",
    "Standard",
    "StandardName",
]

_CATALOGUE: tuple[Rule, ...] = (
    *ISSUE,
    *DELIVER,
    *VERIFY,
    *EXPIRY,
    *LOCKOUT,
    *CSC,
    *REPLAY,
    *BINDING,
    *RESEND,
    *CONTACT,
    *INPUT,
    *PRIVACY,
    *RACE,
    *LOAD,
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _CATALOGUE}
"""Every rule, by id."""
