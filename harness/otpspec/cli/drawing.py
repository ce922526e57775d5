"""What the judge found broken, as evidence that a timeline can be drawn from."""

from otpspec.history import Call
from otpspec.linearize import Broken, contradicting, names_of
from otpspec.outcome import Verdict
from otpspec.results import Evidence, Exchange


def evidence(broken: Broken, *, zero: float) -> Evidence:
    """A card's smallest history. `zero`: from when on its times are counted."""
    calls = broken.smallest
    end = max((c.called if c.returned is None else c.returned for c in calls), default=zero)
    return Evidence(
        scenario="judge",
        verdict=Verdict.BROKEN,
        reason=broken.words,
        exchanges=[
            _exchange(call, name.removeprefix("the "), zero, end)
            for name, call in zip(names_of(calls), calls, strict=True)
        ],
        contradiction=contradicting(calls) if calls else [],
    )


def _exchange(call: Call, name: str, zero: float, end: float) -> Exchange:
    """A call; a history knows no request and no status, only whether an answer came."""
    return Exchange(
        operation=type(call.operation).__name__.lower(),
        label=name,
        request="",
        status=None if call.returned is None else 0,
        answer="",
        outcomes=sorted(call.outcomes or ()),
        called_s=call.called - zero,
        returned_s=(end if call.returned is None else call.returned) - zero,
    )
