"""What is expected of the strangers: verdicts of the sound ones, mixes of oddities, some bugs."""

# --- what is not applicable to a sound one, and why: all other rules pass ------------------------

NO_DEEP = "statistics run only with --deep"
NO_CSC = 'the profile says policy.csc = "never"'
NO_RESEND = "the profile has no [operations.resend]"
NO_CONTACT = "the profile has no [operations.change_contact]"
NO_AMEND = "the profile has no [operations.amend]"
PER_CHALLENGE = 'the profile says policy.lock_scope = "challenge"'
TELLS = "the profile says policy.tells_wrong_element = true"
NO_MAX_STARTS = "the profile declares no policy.max_starts"

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "json200": {
        "LOCKOUT-7": "the profile has no [operations.unlock]",
        "CSC-1": 'the profile says policy.wrong_csc = "retry"',
        "CSC-6": 'the profile says policy.wrong_csc = "retry"',
        "RESEND-3": 'the profile says policy.resend = "rotate"',
        "PRIVACY-1": "the profile has no [unknown_card]",
        "PRIVACY-2": NO_DEEP,
    },
    "acsform": {
        "ISSUE-4": NO_MAX_STARTS,
        "CSC-3": TELLS,
        "BINDING-2": NO_AMEND,
        "RESEND-1": 'the profile says policy.resend = "reuse"',
        "CONTACT-1": NO_CONTACT,
        "CONTACT-2": NO_CONTACT,
        "CONTACT-3": NO_CONTACT,
        "PRIVACY-1": "the profile has no [unknown_card]",
        "PRIVACY-2": NO_DEEP,
    },
    "form": {
        "ISSUE-4": NO_MAX_STARTS,
        "ISSUE-5": PER_CHALLENGE,
        "VERIFY-5": NO_CSC,
        "LOCKOUT-3": PER_CHALLENGE,
        "LOCKOUT-4": NO_RESEND,
        "LOCKOUT-6": PER_CHALLENGE,
        "LOCKOUT-7": PER_CHALLENGE,
        "CSC-1": NO_CSC,
        "CSC-2": NO_CSC,
        "CSC-3": TELLS,
        "CSC-4": NO_CSC,
        "CSC-5": NO_CSC,
        "CSC-6": NO_CSC,
        "CSC-7": PER_CHALLENGE,
        "REPLAY-3": "the profile has no [operations.cancel]",
        "BINDING-2": NO_AMEND,
        "RESEND-1": NO_RESEND,
        "RESEND-2": NO_RESEND,
        "RESEND-3": 'the profile says policy.resend = "rotate"',
        "RESEND-4": "the profile declares no policy.max_resends",
        "CONTACT-1": NO_CONTACT,
        "CONTACT-2": NO_CONTACT,
        "CONTACT-3": NO_CONTACT,
        "INPUT-3": 'the profile says policy.alphabet = "letters"',
        "PRIVACY-2": NO_DEEP,
    },
}

AT_LEAST = {"json200": 52, "acsform": 49, "form": 33}
"""Rules that must pass on a sound one: fewer mean that a rule has lost its scenario."""

TOO_SLOW = ("too close to call", "no edge was seen")
"""What a busy machine may make of a code that lives for eight real seconds."""

# --- oddities that can be mixed in one server: when a mix is accused, the whole run tells why -----

MIXES = {
    "json200": (
        "request-id random-header countdown chunked bom integer-ids quotes-back notice odd-dates "
        "from-arrival state-first cooldown-first tracking-cookie receipts numbers-about",
        "status-401 merged gzip connection-close html-type numbers-taken whole-seconds "
        "lower-case-headers random-header-name sometimes-header noisy-message spaces-ignored "
        "lock-notice",
        "spaced-code new-id-each-try slow",
    ),
    "acsform": (
        "nonce hidden-words minified rotating-cookie redirect-303 absolute-location "
        "mail-multipart chunked random-header-name quotes-back receipts two-channels",
        "loose-html relative-location mail-html gzip tracking-cookie late-message lock-notice "
        "sometimes-header spaces-ignored slow-start",
    ),
    "form": (
        "status-401 all-200 merged tries-left request-id loose-markup noisy-message chunked "
        "random-header random-header-name tracking-cookie receipts late-message",
    ),
}

SOME_BUGS = [
    ("json200", "first-code-clock"),
    ("json200", "counts-by-address"),
    ("json200", "resend-forgets-lock"),
    ("json200", "lock-pauses"),
    ("json200", "csc-tells"),
    ("json200", "amend-keeps"),
    ("json200", "change-resends"),
    ("json200", "list-searched"),
    ("json200", "query-taken"),
    ("json200", "code-in-session"),
    ("json200", "lock-at-exactly-n"),
    ("json200", "successes-count"),
    ("acsform", "limit-at-start-only"),
    ("acsform", "csc-second-chance"),
    ("acsform", "code-in-url"),
    ("form", "right-code-after-n"),
    ("form", "echoes-lines"),
]
"""Of each kind one, and none that takes real time to see."""
