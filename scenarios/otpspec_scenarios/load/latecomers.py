"""Those who take their time: ages on both sides of a code's end, and on it.

When a code dies is known as an interval: its message was sent at some time between the call and
when it was seen, and a tolerance is allowed. Before it the code must be accepted, after it refused;
on it both are right, and neither is a chance to break a rule.
"""

from otpspec.load import Edge, Journey, Shopper, needs

CLOSE = 0.04
"""How far before its end, as a part of the validity, a code is called just alive, at most."""


@needs("expiry")
def just_in_time(shopper: Shopper) -> Journey:
    """Types the code in shortly before it dies."""
    challenge = yield shopper.start()
    yield shopper.wait_for(challenge, Edge.BEFORE, shopper.rng.uniform(0.2, 1) * CLOSE)
    yield shopper.verify(challenge, challenge.otc)


@needs("expiry")
def on_the_edge(shopper: Shopper) -> Journey:
    """Types the code in when nobody can say whether it lives; and once more."""
    challenge = yield shopper.start()
    yield shopper.wait_for(challenge, Edge.WITHIN)
    yield shopper.verify(challenge, challenge.otc)
    yield shopper.verify(challenge, challenge.otc)


@needs("expiry")
def latecomer(shopper: Shopper) -> Journey:
    """Comes back when the code has just died, and starts anew."""
    challenge = yield shopper.start()
    yield shopper.wait_for(challenge, Edge.AFTER)
    yield shopper.verify(challenge, challenge.otc)
    challenge = yield shopper.start()
    yield shopper.verify(challenge, challenge.otc)


@needs("old age")
def much_too_late(shopper: Shopper) -> Journey:
    """Comes back when the code has been dead for as long as it lived, or longer."""
    challenge = yield shopper.start()
    yield shopper.wait_for(challenge, Edge.AFTER, shopper.rng.uniform(0.5, 1.8))
    yield shopper.verify(challenge, challenge.otc)


@needs("csc", "expiry")
def late_csc(shopper: Shopper) -> Journey:
    """Looks for the card to read its 3CSC, which is right, and comes back too late."""
    challenge = yield shopper.start(csc=True)
    yield shopper.wait_for(challenge, Edge.AFTER, 0.02)
    yield shopper.verify(challenge, challenge.otc)


@needs("expiry")
def mistypes_too_late(shopper: Shopper) -> Journey:
    """Mistypes, lets the code die, and tries it: a wrong try lengthens no life. Starts anew."""
    challenge = yield shopper.start()
    yield shopper.wait_for(challenge, Edge.BEFORE, 0.1)
    if shopper.policy.max_wrong > 1:
        yield shopper.verify(challenge, shopper.wrong())
    yield shopper.wait_for(challenge, Edge.AFTER)
    yield shopper.verify(challenge, challenge.otc)
    challenge = yield shopper.start()
    yield shopper.verify(challenge, challenge.otc)
