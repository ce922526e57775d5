"""What a rule is: its words, where it comes from, and what a target must offer for it."""

from typing import Literal, NamedTuple

Level = Literal["MUST", "SHOULD"]

StandardName = Literal[
    "safekey",
    "owasp-asvs",
    "nist-800-63b",
    "psd2",
    "pci-dss",
    "owasp-cheat-sheet",
    "owasp-wstg",
    "rfc-4226",
    "cwe",
    "profile",
]

Need = Literal[
    "amend",
    "card lock",
    "clock",
    "clearing",
    "contact",
    "contact shown",
    "counted 3CSC",
    "csc",
    "digits",
    "id",
    "load",
    "max resends",
    "max starts",
    "one answer",
    "payment named",
    "resend",
    "reuse",
    "rotate",
    "tries",
    "unknown card",
    "unlock",
    "void",
]


class Source(NamedTuple):
    """Where a rule comes from: a clause of a standard, and what it says, in short."""

    standard: StandardName
    clause: str  # as the standard numbers it; SafeKey has no numbers
    words: str

    @property
    def text(self) -> str:
        """The source in a line of a report: "OWASP ASVS 5.0 6.5.5"."""
        title = STANDARDS[self.standard].title
        return f"{title} {self.clause}".strip() if self.clause else f"{title}: {self.words}"

    @property
    def full(self) -> str:
        """The source with what it says."""
        return f"{self.text}: {self.words}" if self.clause else self.text


class Report(NamedTuple):
    """A server in the field that broke a rule: why the rule is more than theory."""

    id: str  # "CVE-2023-7028"
    words: str


class Rule(NamedTuple):
    """One rule."""

    id: str
    level: Level
    statement: str  # one sentence, without a full stop
    citations: tuple[Source, ...]
    needs: tuple[Need, ...] = ()
    field: tuple[Report, ...] = ()
    core: bool = False  # one of SafeKey's own: where it cannot be checked, that must be waived

    @property
    def family(self) -> str:
        """The family's name: EXPIRY of EXPIRY-2."""
        return self.id.rpartition("-")[0]

    @property
    def sources(self) -> tuple[str, ...]:
        """The citations in the words of a report."""
        return tuple(source.text for source in self.citations)


class Standard(NamedTuple):
    """A text that rules come from."""

    title: str  # before a clause
    name: str
    beyond: dict[str, str] = {}  # noqa: RUF012 - clauses on one-time codes that no client can see


STANDARDS: dict[StandardName, Standard] = {
    "safekey": Standard("SafeKey", "SafeKey: the rules of the one-time code that pays by card"),
    "owasp-asvs": Standard(
        "OWASP ASVS 5.0",
        "OWASP Application Security Verification Standard, 5.0.0",
        {
            "6.5.2": "how codes are stored",
            "6.5.7": "how biometrics are used",
            "6.5.8": "which clock checks a TOTP",
            "6.6.1": "stronger methods beside SMS, and what users are told of its risks",
            "6.6.4": "push notifications",
        },
    ),
    "nist-800-63b": Standard(
        "NIST SP 800-63B-4",
        "NIST SP 800-63B-4, Digital Identity Guidelines: Authentication and Authenticator "
        "Management",
        {
            "3.1.3.1": "the second channel is separate, encrypted, and not e-mail",
            "3.2.12": "which random generator makes the codes",
        },
    ),
    "psd2": Standard(
        "PSD2 RTS",
        "Commission Delegated Regulation (EU) 2018/389: the technical standards of PSD2 on strong "
        "customer authentication",
        {
            "4(2)(a)": "a code tells nothing of the elements that it was made of",
            "4(2)(c)": "a code cannot be forged",
            "4(3)(c)": "sessions are protected against capture",
            "4(3)(d)": "idle sessions end after five minutes",
            "5(2)": "amount, payee and what is shown stay confidential and whole",
        },
    ),
    "pci-dss": Standard(
        "PCI DSS",
        "Payment Card Industry Data Security Standard, 4.0.1",
        {"8.3.2": "factors are unreadable in transit and in storage"},
    ),
    "owasp-cheat-sheet": Standard("OWASP", "OWASP Cheat Sheet Series"),
    "owasp-wstg": Standard("OWASP", "OWASP Web Security Testing Guide"),
    "rfc-4226": Standard("RFC 4226", "RFC 4226, HOTP: An HMAC-Based One-Time Password Algorithm"),
    "cwe": Standard("", "Common Weakness Enumeration"),
    "profile": Standard("the profile", "The profile: what the target itself declares"),
}
"""The texts that rules come from, by the name that --standard takes."""

NEEDS: dict[Need, str] = {
    "amend": "`[operations.amend]`",
    "card lock": '`policy.lock_scope = "card"`',
    "clearing": "`policy.success_clears_count = true`",
    "clock": "`[clock]`, or the patience of a little more than `policy.validity`",
    "contact": "`[operations.change_contact]`",
    "contact shown": "`operations.start.capture.contact`",
    "counted 3CSC": "`policy.wrong_csc_counts = true`",
    "csc": '`policy.csc` other than `"never"`',
    "digits": '`policy.alphabet = "digits"`',
    "id": "`operations.start.capture.id`",
    "load": "a load run: `otpspec load`",
    "max resends": "`policy.max_resends`",
    "max starts": "`policy.max_starts`",
    "one answer": "`policy.tells_wrong_element = false`",
    "payment named": "`policy.message_names_payment = true`",
    "resend": "`[operations.resend]`",
    "reuse": '`policy.resend = "reuse"`',
    "rotate": '`policy.resend = "rotate"`',
    "tries": "`policy.max_wrong` of 2 or more",
    "unknown card": "`[unknown_card]` and `policy.hides_unknown_cards = true`",
    "unlock": "`[operations.unlock]`",
    "void": '`policy.wrong_csc = "void"`',
}
"""What a rule may need besides enroll, start, verify and the inbox: the lines of the profile."""
