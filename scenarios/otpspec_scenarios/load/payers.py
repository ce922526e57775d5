"""Those who want to pay: most get it right, some mistype, are impatient, or change their mind."""

from otpspec.load import Journey, Shopper, needs


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


@needs("resend")
def impatient(shopper: Shopper) -> Journey:
    """Asks for the code again, and types in the first one before the second."""
    challenge = yield shopper.start()
    if shopper.policy.resend_after:
        yield shopper.pause(shopper.policy.resend_after.total_seconds() + 1)
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


def two_payers(shopper: Shopper) -> Journey:
    """Two people pay with one card: their transactions overlap, and each mistypes once.

    The card counts both, as often as it bears it; the first success clears the count.
    """
    one = yield shopper.start()
    other = yield shopper.start()
    if shopper.policy.max_wrong > 1:
        yield shopper.verify(one, shopper.wrong())
    if shopper.policy.max_wrong > 2:
        yield shopper.verify(other, shopper.wrong())
    yield shopper.verify(one, one.otc)
    if shopper.policy.max_wrong > 1:
        yield shopper.verify(other, shopper.wrong())
    yield shopper.verify(other, other.otc)


@needs("contact")
def changes_contact(shopper: Shopper) -> Journey:
    """Has a new phone: the code that is under way is dead, the next one goes there."""
    challenge = yield shopper.start()
    yield shopper.change_contact()
    yield shopper.verify(challenge, challenge.otc)
    challenge = yield shopper.start()
    yield shopper.verify(challenge, challenge.otc)


@needs("amend")
def amends(shopper: Shopper) -> Journey:
    """Changes the amount after the code was sent, and types in the first one before the second."""
    challenge = yield shopper.start()
    changed = yield shopper.amend(challenge)
    if changed.otc != challenge.otc:
        yield shopper.verify(changed, challenge.otc)
    yield shopper.verify(changed, changed.otc)


@needs("cancel")
def cancels(shopper: Shopper) -> Journey:
    """Gives the transaction up, types its code in all the same, and starts anew."""
    challenge = yield shopper.start()
    yield shopper.cancel(challenge)
    yield shopper.verify(challenge, challenge.otc)
    challenge = yield shopper.start()
    yield shopper.verify(challenge, challenge.otc)
