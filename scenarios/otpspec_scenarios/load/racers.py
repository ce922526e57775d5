"""Those whose requests meet: released together, each over a connection of its own.

Judged as a whole: is there an order of them that the rules allow? What is asked afterwards belongs
to it: it shows what the target has kept of the race.
"""

from otpspec.load import Journey, Shopper, needs


@needs("race")
def double_spender(shopper: Shopper) -> Journey:
    """Sends the right code several times at once: it is for one use."""
    challenge = yield shopper.start()
    right = [shopper.verify(challenge, challenge.otc) for _ in range(shopper.race_size())]
    yield shopper.together(*right)
    yield shopper.verify(challenge, challenge.otc)


@needs("race")
def mass_guesser(shopper: Shopper) -> Journey:
    """Sends wrong codes at once, more than the card bears; then the right one."""
    challenge = yield shopper.start()
    count = max(shopper.race_size(), shopper.policy.max_wrong + 1)
    yield shopper.together(*(shopper.verify(challenge, shopper.wrong()) for _ in range(count)))
    yield shopper.verify(challenge, challenge.otc)
