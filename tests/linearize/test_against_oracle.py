"""The search and a brute force that shares no code with it agree on every small history."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otpspec.linearize.search import Legality, search

from . import oracle
from .drawn import SWITCHES, call_of, histories, policy_of

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@given(st.data(), SWITCHES)
@settings(max_examples=600, deadline=None, suppress_health_check=SLOW)
def test_search_finds_an_order_exactly_where_there_is_one(
    data: st.DataObject, does: dict[str, Any]
) -> None:
    history = data.draw(histories(does, most=6))
    expected = oracle.legal(history, **does)

    found = search(policy_of(does), [call_of(ask) for ask in history], budget=1_000_000)

    assert found.legality is (Legality.LEGAL if expected else Legality.BROKEN), history
