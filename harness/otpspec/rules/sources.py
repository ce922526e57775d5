"""The clauses that rules come from, each checked in its standard's own words.

Names begin with the standard. Where one clause says several things, each has a name of its own.
"""

from typing import NamedTuple

from otpspec.rules.rule import Source, StandardName


class _Clauses(NamedTuple):
    standard: StandardName
    before: str = ""

    def __call__(self, clause: str, words: str) -> Source:
        return Source(self.standard, self.before + clause, words)


def safekey(words: str) -> Source:
    """SafeKey's own words, in short; they have no numbers."""
    return Source("safekey", "", words)


def declared(words: str) -> Source:
    """What a profile says that its target promises."""
    return Source("profile", "", words)


_asvs = _Clauses("owasp-asvs")
_nist = _Clauses("nist-800-63b")
_psd2 = _Clauses("psd2")
_pci = _Clauses("pci-dss")
_transaction = _Clauses("owasp-cheat-sheet", "Transaction Authorization Cheat Sheet ")
_wstg = _Clauses("owasp-wstg", "WSTG-")
_hotp = _Clauses("rfc-4226")
_cwe = _Clauses("cwe", "CWE-")

ASVS_INPUT = _asvs("2.2.1", "input is checked against what is expected of it")
ASVS_SERVER_SIDE = _asvs("2.2.2", "input is checked where the client has no say")
ASVS_STEPS = _asvs("2.3.1", "steps go in their order, and none is skipped")
ASVS_DOCUMENTED_LIMITS = _asvs("2.3.2", "limits hold as they are documented")
ASVS_WHOLE_OR_NOT = _asvs("2.3.3", "an operation succeeds as a whole, or leaves what was before")
ASVS_EXCESSIVE_CALLS = _asvs("2.4.1", "excessive calls that cost money or service are stopped")
ASVS_MALICIOUS_LOCKOUT = _asvs("6.1.1", "the limits are such that nobody locks others out")
ASVS_AS_DOCUMENTED = _asvs("6.3.1", "the controls against guessing are as documented")
ASVS_ALL_PATHWAYS = _asvs("6.3.4", "controls are enforced alike on every pathway")
ASVS_NO_ENUMERATION = _asvs("6.3.8", "no message, status or time tells which users are valid")
ASVS_ONE_USE = _asvs("6.5.1", "a code is successfully used once only")
ASVS_RANDOM = _asvs("6.5.3", "codes come from a cryptographic random generator")
ASVS_ENTROPY = _asvs("6.5.4", "a code has at least 20 bits: six random digits are enough")
ASVS_LIFETIME = _asvs("6.5.5", "an out-of-band code lives ten minutes at most")
ASVS_REVOCABLE = _asvs("6.5.6", "a factor can be revoked when it is lost or stolen")
ASVS_BOUND = _asvs("6.6.2", "a code is good for its own request, not for one before or after")
ASVS_BRUTE_FORCE = _asvs("6.6.3", "codes are protected from brute force by limits on the rate")
ASVS_DATA_ACCESS = _asvs("8.2.2", "who may see which data is enforced for each item")
ASVS_CONSTANT_TIME = _asvs("11.2.4", "comparisons do not stop at the first difference")
ASVS_UNGUESSABLE = _asvs("11.5.1", "what must not be guessed is random, with 128 bits")
ASVS_NOT_IN_URL = _asvs("14.2.1", "nothing sensitive stands in a URL")
ASVS_MINIMUM = _asvs("14.2.6", "only the least of sensitive data is returned, some digits of it")
ASVS_NO_STORE = _asvs("14.3.2", "answers with sensitive data are not kept by browsers")
ASVS_TRUSTED_ADDRESS = _asvs("15.3.4", "limits trust no address that the client can write")
ASVS_STRICT_TYPES = _asvs("15.3.5", "types are checked, and equality is strict")
ASVS_REPEATED_PARAMETERS = _asvs("15.3.7", "repeated parameters do not confuse the server")
ASVS_ATOMIC = _asvs("15.4.2", "a check and what depends on it are one atomic operation")
ASVS_FAIL_CLOSED = _asvs("16.5.3", "errors do not open what they should keep closed")

NIST_TEN_MINUTES = _nist("3.1.3.2", "invalid unless completed within ten minutes")
NIST_ONCE = _nist("3.1.3.2", "a secret is accepted once in its validity")
NIST_SIX_DIGITS = _nist("3.1.3.2", "random secrets of at least six digits")
NIST_NEW_CODE_OLD_COUNT = _nist("3.1.3.2", "a new secret does not reset the count of failures")
NIST_ONE_CHANGE_ONE_BINDING = _nist("3.1.3.3", "another number is another authenticator to bind")
NIST_ONE_HUNDRED = _nist("3.2.2", "at most 100 failures in a row on one account")
NIST_SUCCESS_CLEARS = _nist("3.2.2", "after a success, failures before it should be disregarded")

PSD2_ONCE = _psd2("4(1)", "a code is accepted only once")
PSD2_NO_NEXT_CODE = _psd2("4(2)(b)", "no code follows from codes that were made before")
PSD2_ONE_ANSWER = _psd2("4(3)(a)", "it is not possible to tell which element was incorrect")
PSD2_FIVE_FAILURES = _psd2("4(3)(b)", "at most five failures in a row, then a block")
PSD2_END_OF_BLOCK = _psd2("4(4)", "a block has a set length, or a secure procedure to end it")
PSD2_PAYMENT_SHOWN = _psd2("5(1)(a)", "the payer is made aware of amount and payee")
PSD2_SPECIFIC = _psd2("5(1)(b)", "a code is specific to its amount and payee")
PSD2_CORRESPONDS = _psd2("5(1)(c)", "the code accepted is that of the payment agreed to")
PSD2_CHANGE_INVALIDATES = _psd2("5(1)(d)", "a change of amount or payee invalidates the code")

PCI_NOT_KEPT = _pci("3.3.1.2", "the card verification code is not kept after authorization")
PCI_IDENTITY_FIRST = _pci("8.3.3", "the user's identity is verified before a factor is modified")
PCI_TEN_ATTEMPTS = _pci("8.3.4", "locked after at most 10 attempts")
PCI_THIRTY_MINUTES = _pci("8.3.4", "for at least 30 minutes, or until the identity is confirmed")

TA_WHAT_YOU_SIGN = _transaction("1.1", "users see the significant data that they authorize")
TA_CURRENT_TOKEN = _transaction("1.2", "a new number is authorized by a code to the current one")
TA_UNIQUE_CREDENTIALS = _transaction("1.5", "each transaction has credentials of its own")
TA_SERVER_SIDE = _transaction("2.1", "no data from the client influences the result")
TA_BRUTE_FORCE = _transaction("2.4", "after a set number of failures the process is restarted")
TA_TRANSITIONS = _transaction("2.5", "the server controls which transitions are allowed")
TA_MODIFIED_DATA = _transaction("2.6", "modified data invalidates the code that was generated")
TA_LIMITED_TIME = _transaction("2.9", "credentials are valid for a limited time only")
TA_UNIQUE = _transaction("2.10", "credentials are unique for every operation")
MFA_COST = Source(
    "owasp-cheat-sheet",
    "Multifactor Authentication Cheat Sheet",
    "attackers may request messages until the funds are exhausted",
)

WSTG_LOCKOUT = _wstg("ATHN-03", "accounts are locked after a few failures, typically 3 to 5")
WSTG_ONE_VALID = _wstg("ATHN-11", "does a new code invalidate the one before?")
WSTG_REQUEST_RATE = _wstg("ATHN-11", "is there rate limiting on requests for codes?")
WSTG_FORWARDED_FOR = _wstg("ATHN-11", "can a control be passed with X-Forwarded-For?")

HOTP_SIX_DIGITS = _hotp("5.3", "a code has at least six digits")
HOTP_THROTTLE = _hotp("7.3", "the number of attempts is limited, as low as is usable")
HOTP_ACROSS_SESSIONS = _hotp("7.3", "the limit spans sessions: guesses may come in parallel")

CWE_RESPONSE = _cwe("204", "Observable Response Discrepancy")
CWE_TIMING = _cwe("208", "Observable Timing Discrepancy")
CWE_CLIENT_SIDE = _cwe("602", "Client-Side Enforcement of Server-Side Security")
CWE_OTHERS_KEY = _cwe("639", "Authorization Bypass Through User-Controlled Key")
