"""DELIVER: the code goes to the registered contact, and says what it is for."""

from otpspec.rules import sources as of
from otpspec.rules.rule import Report, Rule

DELIVER = (
    Rule(
        "DELIVER-1",
        "MUST",
        "the code goes to the registered contact only, whatever the request says",
        (of.safekey("sent to the registered contact"), of.TA_SERVER_SIDE),
        field=(Report("CVE-2023-7028", "GitLab sent reset mails to an unverified address, too"),),
        core=True,
    ),
    Rule(
        "DELIVER-2",
        "MUST",
        "the answer to start shows only the last digits of the contact",
        (of.safekey("the last few digits are shown"), of.ASVS_MINIMUM),
        needs=("contact shown",),
        core=True,
    ),
    Rule(
        "DELIVER-3",
        "SHOULD",
        "the message names amount and payee",
        (of.PSD2_PAYMENT_SHOWN, of.TA_WHAT_YOU_SIGN),
        needs=("payment named",),
    ),
    Rule(
        "DELIVER-4",
        "MUST",
        "one message per issue and channel",
        (of.safekey("a code is sent each time a transaction is requested"),),
        core=True,
    ),
)
