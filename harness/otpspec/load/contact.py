"""After a change of contact: the next code goes to the new one, and none to the old (CONTACT-3)."""

from collections import deque
from typing import TYPE_CHECKING

from otpspec.load.recorder import Contradiction
from otpspec.model import Judgement, Observation
from otpspec.profile import Message

if TYPE_CHECKING:
    from otpspec.load.journey import Play

_RULE = frozenset({"CONTACT-3"})


def moved(play: "Play", new: str) -> None:
    """The target says that from now on codes go to this contact."""
    world, owner = play.world, play.card.owner
    former, owner.contact, play.card.contact = owner.contact, new, new
    world.desk.knows(new)
    Former(play, former).begin()


class Former(deque[tuple[Message, float]]):
    """What comes to a contact that is not a card's any more.

    A notice of the change may. A code may not: that is a message with the code of the transaction
    that was started next, or with any code of the right length where that transaction got none.
    """

    def __init__(self, play: "Play", contact: str) -> None:
        super().__init__(maxlen=8)
        self._world = play.world
        self._card = play.card
        self._contact = contact
        self._next = play.card.starts  # the number of the transaction that comes next
        self._gives_up = 0.0
        self._seen: list[str] = []

    def begin(self) -> None:
        """Watch, from now on."""
        world = self._world
        wait, quiet = world.profile.wait, world.profile.quiet
        self._gives_up = world.now() + (wait + 4 * quiet).total_seconds()
        world.desk.watches(self._contact, self)
        self._look_later()

    def append(self, found: tuple[Message, float]) -> None:
        """A message came."""
        code = self._world.desk.code_in(found[0])
        if code is not None and len(code) == self._world.policy.digits:
            self._seen.append(code)

    def _look_later(self) -> None:
        quiet = max(self._world.profile.quiet.total_seconds(), 0.05)
        self._world.engine.at(self._world.now() + quiet, self._look)

    def _look(self, _: float) -> None:
        """Silence has lasted long enough once the code has come, or none came at all."""
        card, world = self._card, self._world
        codes = [c.code for s in card.tracker.states if (c := s.find(self._next)) is not None]
        sent = {code for code in codes if code is not None}
        if not sent and world.now() < self._gives_up:
            self._look_later()
            return
        world.desk.forgets(self._contact)
        if sent and not sent & set(self._seen):
            world.recorder.noted(_RULE)
        elif self._seen and (sent or card.starts == self._next + 1):
            self._wronged()  # with no code and later starts, nobody knows what became of this one

    def _wronged(self) -> None:
        card, recorder = self._card, self._world.recorder
        expected = ("a code at the new contact",)
        got = ("a code at the old one",)
        because = "the contact was changed before the transaction was started"
        seen = Observation(Judgement.BROKEN, _RULE, "CONTACT-3", expected, got, because)
        history, secrets = tuple(card.history), [*card.secrets(), *self._seen]
        lasted = history[-1].called - history[0].called
        recorder.noted(_RULE)
        recorder.contradicted(Contradiction(seen, history, secrets, (True, lasted)))
