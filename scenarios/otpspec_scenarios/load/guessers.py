"""Those who do not have the code, or the 3CSC, or try a used one again."""

from otpspec.load import Journey, Shopper, needs
from otpspec.model import Csc

A_WHILE = 0.2
"""After which part of its validity a used code is tried once more."""


def guesser(shopper: Shopper) -> Journey:
    """Guesses until the card is locked, tries what must not work then, and calls support."""
    challenge = yield shopper.start()
    for _ in range(shopper.policy.max_wrong):
        yield shopper.verify(challenge, shopper.wrong())
    yield shopper.verify(challenge, shopper.wrong())
    yield shopper.verify(challenge, challenge.otc)
    yield shopper.try_start()
    if not shopper.can("unlock"):
        return
    yield shopper.unlock()
    yield shopper.verify(challenge, challenge.otc)
    challenge = yield shopper.start()
    if shopper.policy.max_wrong > 1:
        yield shopper.verify(challenge, shopper.wrong())
    yield shopper.verify(challenge, challenge.otc)


def sprayer(shopper: Shopper) -> Journey:
    """Guesses once at each of ever fresh codes, until the card is locked."""
    challenge = yield shopper.start()
    for _ in range(shopper.policy.max_wrong - 1):
        yield shopper.verify(challenge, shopper.wrong())
        challenge = yield shopper.start()
    yield shopper.verify(challenge, shopper.wrong())
    yield shopper.verify(challenge, challenge.otc)


@needs("csc")
def csc_guesser(shopper: Shopper) -> Journey:
    """Has the codes, and guesses at the 3CSC until the card is locked."""
    challenge = yield shopper.start(csc=True)
    for _ in range(shopper.policy.max_wrong - 1):
        yield shopper.verify(challenge, challenge.otc, csc=Csc.WRONG)
        challenge = yield shopper.start(csc=True)
    yield shopper.verify(challenge, shopper.wrong())
    yield shopper.verify(challenge, challenge.otc)


@needs("csc")
def wrong_csc_then_anew(shopper: Shopper) -> Journey:
    """Has the right code and a wrong 3CSC; corrects it, too late, and starts anew."""
    challenge = yield shopper.start(csc=True)
    yield shopper.verify(challenge, challenge.otc, csc=Csc.WRONG)
    yield shopper.verify(challenge, challenge.otc)
    challenge = yield shopper.start(csc=True)
    yield shopper.verify(challenge, challenge.otc)


@needs("csc")
def missing_csc(shopper: Shopper) -> Journey:
    """Leaves the 3CSC out, and starts anew."""
    challenge = yield shopper.start(csc=True)
    yield shopper.verify(challenge, challenge.otc, csc=Csc.MISSING)
    challenge = yield shopper.start(csc=True)
    yield shopper.verify(challenge, challenge.otc)


def replayer(shopper: Shopper) -> Journey:
    """Uses the code again at once."""
    challenge = yield shopper.start()
    yield shopper.verify(challenge, challenge.otc)
    yield shopper.verify(challenge, challenge.otc)


def late_replayer(shopper: Shopper) -> Journey:
    """Uses the code again after a while, as long as it would still be alive."""
    challenge = yield shopper.start()
    yield shopper.verify(challenge, challenge.otc)
    yield shopper.pause(A_WHILE * shopper.policy.validity.total_seconds())
    yield shopper.verify(challenge, challenge.otc)


@needs("contact")
def contact_thief(shopper: Shopper) -> Journey:
    """Wants the codes sent elsewhere, and cannot prove who asks; then the payer pays."""
    challenge = yield shopper.start()
    yield shopper.change_contact(proven=False)
    yield shopper.verify(challenge, challenge.otc)
