"""Is there an order of one card's operations that the rules allow? Asked exactly.

    A |-----|                 A and B overlap: either may have happened first. C was called after
    B    |-----|              both had returned: it happened after them. Intervals are closed: a
    C             |--|        call at the very time of a return overlaps it.

A search in depth, after Wing and Gong, and Lowe. Its node is what was done and the state that it
led to; a node is visited once. What may come next is every operation that was called before any
that is not done had returned. Where nothing overlaps that is one, and costs one step of the model.
Operations without an answer, or whose answer judges nothing, may be done at any time that they
may have happened, or never. When each is decided is known within its call and its return, and that
interval is what the model is given.

Three things keep a burst from exploding, and none of them changes the answer. Operations that the
model cannot tell apart (`alike`) are done in the order of their returns. One that changes nothing,
and can never again change anything, is done as soon as it may be. And what was left undone until it
could no longer happen, or no longer matter, is forgotten.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from math import inf
from typing import Any, NamedTuple

from otpspec.history import Call
from otpspec.linearize.alike import Alike, Settled, of_the_dead
from otpspec.linearize.doomed import Doomed
from otpspec.linearize.support import within
from otpspec.model import Operation, Span, State, step
from otpspec.outcome import SILENT, Outcome
from otpspec.policy import Policy


class Legality(StrEnum):
    """What a card's history came to."""

    LEGAL = "legal"
    BROKEN = "broken"
    UNKNOWN = "unknown"  # out of budget: never legal


class Found(NamedTuple):
    """What a search came to."""

    legality: Legality
    order: list[Call]  # legal: what happened, in an order that the rules allow
    steps: int  # how often the model was asked
    reached: Call | None = None  # broken: the earliest call that no order could get past


_Trail = tuple[Call, Any] | None  # the latest, and the trail before it


class _Node(NamedTuple):
    """What was done, and what it led to."""

    next: int  # the first answered operation that is not done
    done: int  # which ones after it are: bit i for the one i places on
    spent: int  # which of the others were done, or can no longer happen
    floor: float  # the latest call of what was done
    state: State
    trail: _Trail


class _Task(NamedTuple):
    """An operation with what the search needs of it at hand."""

    call: Call
    operation: Operation
    time: Span
    outcomes: AbstractSet[Outcome] | None  # None: it may have happened, with any outcome


def judges_nothing(call: Call) -> bool:
    """Whether an operation may have happened or not."""
    return call.returned is None or not call.outcomes or bool(call.outcomes & SILENT)


def search(
    policy: Policy, calls: Iterable[Call], *, budget: int, start: State | None = None
) -> Found:
    """Look for an order. `budget`: how many steps of the model it may cost beyond one for each."""
    return _Search(policy, sorted(calls, key=_by_call), budget, start or State()).run()


def _by_call(call: Call) -> tuple[float, float]:
    return call.called, inf if call.returned is None else call.returned


class _Search:
    def __init__(self, policy: Policy, calls: Sequence[Call], budget: int, start: State) -> None:
        times = [call.called for call in calls] + [
            c.returned for c in calls if c.returned is not None
        ]
        end = max(times, default=0.0)  # what happens after it says nothing any more
        self._policy = within(policy, end - min(times, default=0.0))
        self._tasks = [_task(call, end) for call in calls if not judges_nothing(call)]
        self._others = [_task(call, end) for call in calls if judges_nothing(call)]
        self._called = [task.time[0] for task in self._tasks]
        self._returned = [task.time[1] for task in self._tasks]
        self._alike = Alike(self._policy, calls, start)
        self._settled = Settled(self._policy, calls)
        self._doomed = Doomed(self._policy, calls, self._tasks)
        self._closing = _closing(self._others)
        self._others_of = self._settled.by_challenge([task.operation for task in self._others])
        self._first_other = min((task.time[0] for task in self._others), default=inf)
        self._start = start
        self._steps, self._most = 0, budget + len(calls)
        self._seen: set[tuple[int, int, int, State]] = set()
        self._stack: list[Iterator[_Node]] = []

    def run(self) -> Found:
        node: _Node | None = _Node(0, 0, 0, -inf, self._start, None)
        furthest = 0
        count = len(self._tasks)
        if self._doomed.from_the_first(self._start):
            return Found(Legality.BROKEN, [], self._steps, self._tasks[0].call)
        while node is not None:
            furthest = max(furthest, node.next)
            if node.next == count:
                return Found(Legality.LEGAL, _order(node.trail), self._steps)
            if self._steps > self._most:
                return Found(Legality.UNKNOWN, [], self._steps)
            node = self._follow(node)
        return Found(Legality.BROKEN, [], self._steps, self._tasks[furthest].call)

    def _follow(self, node: _Node) -> _Node | None:
        """The next node: one after this, or the latest alternative that was left."""
        if self._alone(node):
            after = self._done(node, node.next)
            if len(after) == 1 and not self._stack:
                return after[0]  # there is no alternative to come back to
            self._stack.append(iter(after))
        else:
            self._stack.append(self._after(node))
        while self._stack:
            for found in self._stack[-1]:
                key = (found.next, found.done, found.spent, found.state)
                if key not in self._seen:
                    self._seen.add(key)
                    return found
            self._stack.pop()
        return None

    def _alone(self, node: _Node) -> bool:
        """Whether nothing overlaps what comes next."""
        following = node.next + 1
        returned = self._returned[node.next]
        if node.done or (following < len(self._called) and self._called[following] <= returned):
            return False
        return self._first_other > returned

    def _done(self, node: _Node, index: int) -> list[_Node]:
        """The nodes after an answered operation was done."""
        task = self._tasks[index]
        called = task.time[0]
        states = self._states(node.state, task)
        if not states:
            return []
        first, done = node.next, node.done | 1 << (index - node.next)
        while done & 1:
            done >>= 1
            first += 1
        floor = max(node.floor, called)
        spent = node.spent | self._closed(floor)
        trail = (task.call, node.trail)
        over, doomed, before = self._over, self._doomed.after, node.state
        return [
            _Node(first, done, spent | over(state, task.operation), floor, state, trail)
            for state in states
            if not doomed(before, state, task.operation, first, done)
        ]

    def _states(self, state: State, task: _Task) -> list[State]:
        """What the state may be after it, each once."""
        self._steps += 1
        branches = step(self._policy, state, task.operation, task.time)
        wanted = task.outcomes
        if len(branches) == 1:
            outcome, after = branches[0]
            return [after] if wanted is None or outcome in wanted else []
        legal = [after for outcome, after in branches if wanted is None or outcome in wanted]
        return legal if len(legal) < 2 else list(dict.fromkeys(legal))

    def _after(self, node: _Node) -> Iterator[_Node]:
        """The nodes after this: what was answered first, what may never have happened last."""
        window, before = self._window(node)
        if (settled := self._settle(node, window)) is not None:
            yield settled
            return
        for index in self._first_of_each(node, window, self._tasks):
            yield from self._done(node, index)
        if self._first_other <= before:
            yield from self._with_others(node, before)

    def _window(self, node: _Node) -> tuple[list[int], float]:
        """What may come next by the times, the earliest return first; and that return."""
        called, returned = self._called, self._returned
        before, found = inf, []
        for index in range(node.next, len(called)):
            if node.done >> (index - node.next) & 1:
                continue
            if called[index] > before:
                break
            found.append(index)
            before = min(before, returned[index])
        found = [index for index in found if called[index] <= before]
        found.sort(key=returned.__getitem__)
        return found, before

    def _settle(self, node: _Node, window: list[int]) -> _Node | None:
        """The node after one that changes nothing, and never will: there is no need to wait."""
        for index in window:
            task = self._tasks[index]
            if self._shuts(node, task):
                continue
            if self._settled.changes_nothing(node.state, task.operation, task.outcomes):
                for after in self._done(node, index):
                    if after.state == node.state:
                        return after
        return None

    def _with_others(self, node: _Node, before: float) -> Iterator[_Node]:
        """The nodes after one that may have happened or not, where it makes a difference."""
        open_ = [
            index
            for index, task in enumerate(self._others)
            if task.time[0] <= before and not node.spent >> index & 1
        ]
        open_.sort(key=lambda index: self._others[index].time[1])
        for index in self._first_of_each(node, open_, self._others):
            task = self._others[index]
            floor = max(node.floor, task.time[0])
            spent = node.spent | 1 << index | self._closed(floor)
            trail = (task.call, node.trail)
            for state in self._states(node.state, task):
                if state != node.state:
                    gone = spent | self._over(state, task.operation)
                    yield _Node(node.next, node.done, gone, floor, state, trail)

    def _first_of_each(
        self, node: _Node, indices: Iterable[int], tasks: Sequence[_Task]
    ) -> list[int]:
        """Of those that are alike the one that returned first; `indices` are in that order.

        Alike are only those that leave the same of the others open: else the one that returned
        first may shut out what could still happen before it.
        """
        found: dict[Hashable, int] = {}
        for index in indices:
            task = tasks[index]
            found.setdefault((self._alike.key(task), self._shuts(node, task)), index)
        return list(found.values())

    def _shuts(self, node: _Node, task: _Task) -> int:
        """Which of the others can no longer happen once this was done."""
        return self._closed(max(node.floor, task.time[0])) & ~node.spent

    def _over(self, state: State, operation: Operation) -> int:
        """Those of the others that can make no difference any more after an operation."""
        if not self._others_of:
            return 0
        number = getattr(operation, "challenge", None)
        if number is None:  # it may have voided all of them
            return of_the_dead(state, self._others_of)
        challenge = state.find(number) if number in self._others_of else None
        if challenge is None or challenge.fate is None:
            return 0
        return self._others_of[number]

    def _closed(self, floor: float) -> int:
        """Those of the others that must have happened before `floor`, or did not."""
        returns, masks = self._closing
        return masks[bisect_left(returns, floor)] if returns else 0


def _task(call: Call, end: float) -> _Task:
    if judges_nothing(call):
        until = end if call.returned is None or not call.outcomes else call.returned
        return _Task(call, call.operation, (call.called, max(until, call.called)), None)
    returned = call.called if call.returned is None else call.returned
    return _Task(call, call.operation, (call.called, returned), call.outcomes)


def _closing(others: Sequence[_Task]) -> tuple[list[float], list[int]]:
    """The ends of the others, and which ones have ended before each."""
    ended = sorted((task.time[1], index) for index, task in enumerate(others))
    masks = [0]
    for _, index in ended:
        masks.append(masks[-1] | 1 << index)
    return [end for end, _ in ended], masks


def _order(trail: _Trail) -> list[Call]:
    order: list[Call] = []
    while trail is not None:
        call, trail = trail
        order.append(call)
    return order[::-1]
