"""The people of a load run: what each of them does, and how often one meets them.

A behaviour is a generator: it yields what to ask, and is sent the answer.
"""

from otpspec.load import Journey, Share, Shopper
from otpspec.model import Csc


def right_first_time(shopper: Shopper) -> Journey:
    """Reads the code and types it in."""
    challenge = yield shopper.start()
    yield shopper.verify(challenge, challenge.otc)


def mistypes_then_right(shopper: Shopper) -> Journey:
    """Mistypes as often as the card bears, and then gets it right."""
    challenge = yield shopper.start()
    for _ in range(shopper.policy.max_wrong - 1):
        yield shopper.verify(challenge, shopper.wrong())
    yield shopper.verify(challenge, challenge.otc)


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


def csc_guesser(shopper: Shopper) -> Journey:
    """Has the codes, and guesses at the 3CSC until the card is locked."""
    challenge = yield shopper.start(csc=True)
    for _ in range(shopper.policy.max_wrong - 1):
        yield shopper.verify(challenge, challenge.otc, csc=Csc.WRONG)
        challenge = yield shopper.start(csc=True)
    yield shopper.verify(challenge, shopper.wrong())
    yield shopper.verify(challenge, challenge.otc)


def wrong_csc_then_anew(shopper: Shopper) -> Journey:
    """Has the right code and a wrong 3CSC; corrects it, too late, and starts anew."""
    challenge = yield shopper.start(csc=True)
    yield shopper.verify(challenge, challenge.otc, csc=Csc.WRONG)
    yield shopper.verify(challenge, challenge.otc)
    challenge = yield shopper.start(csc=True)
    yield shopper.verify(challenge, challenge.otc)


def missing_csc(shopper: Shopper) -> Journey:
    """Leaves the 3CSC out, and starts anew."""
    challenge = yield shopper.start(csc=True)
    yield shopper.verify(challenge, challenge.otc, csc=Csc.MISSING)
    challenge = yield shopper.start(csc=True)
    yield shopper.verify(challenge, challenge.otc)


def latecomer(shopper: Shopper) -> Journey:
    """Comes back when the code has died, and starts anew."""
    challenge = yield shopper.start()
    yield shopper.wait_until(challenge.surely_expired)
    yield shopper.verify(challenge, challenge.otc)
    challenge = yield shopper.start()
    yield shopper.verify(challenge, challenge.otc)


def replayer(shopper: Shopper) -> Journey:
    """Uses the code again."""
    challenge = yield shopper.start()
    yield shopper.verify(challenge, challenge.otc)
    yield shopper.verify(challenge, challenge.otc)


def impatient(shopper: Shopper) -> Journey:
    """Asks for the code again, and types in the first one before the second."""
    challenge = yield shopper.start()
    again = yield shopper.resend(challenge)
    if again.otc != challenge.otc:
        yield shopper.verify(again, challenge.otc)
    yield shopper.verify(again, again.otc)


def two_baskets(shopper: Shopper) -> Journey:
    """Has two transactions open and mixes their codes up."""
    first = yield shopper.start()
    second = yield shopper.start()
    if first.otc != second.otc:
        yield shopper.verify(first, second.otc)
    yield shopper.verify(second, second.otc)
    yield shopper.verify(first, first.otc)


DAY = (
    Share(77, right_first_time),
    Share(9, mistypes_then_right),
    Share(3, impatient, needs=("resend",)),
    Share(2, two_baskets),
    Share(2, wrong_csc_then_anew, needs=("csc",)),
    Share(1, missing_csc, needs=("csc",)),
    Share(2, latecomer, needs=("expiry",)),
    Share(1, replayer),
    Share(1, guesser),
    Share(1, sprayer),
    Share(1, csc_guesser, needs=("csc",)),
)
"""A day at the bank: most people get it right, some mistype, are impatient or late. Parts of a
hundred journeys. The abusers (replayer, guesser, sprayer, csc_guesser) are more than a real day
has, so that a short run tries each rule often enough. A judgement, and no bank's figures."""
