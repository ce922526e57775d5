"""The store forgets what is long dead, and nothing else: an hour of load fits into memory."""

from otpspec_reference.store import GHOSTS, Card, State, Store, Transaction

VALIDITY_S = 600.0


def a_card(name: str = "card") -> Card:
    return Card(name, "+491701234321", None, b"", b"")


def started(store: Store, card: Card, name: str, at: float) -> Transaction:
    transaction = Transaction(name, card, "1.00", "EUR", "Shop", csc_required=False, sent_at=at)
    store.add(transaction, at)
    return transaction


def test_an_hour_of_load_keeps_two_validities_of_it() -> None:
    store, card = Store(VALIDITY_S, remembered=100), a_card()

    for second in range(3600):
        for n in range(10):
            started(store, card, f"{second}-{n}", float(second))

    assert len(store.transactions) == len(card.open) == 10 * 2 * VALIDITY_S


def test_few_are_remembered_whatever_their_age() -> None:
    store, card = Store(VALIDITY_S, remembered=100), a_card()

    for n in range(100):
        started(store, card, str(n), n * 10_000.0)

    assert len(store.transactions) == 100


def test_what_a_resend_made_young_stays_and_keeps_no_other_here() -> None:
    store, card = Store(VALIDITY_S, remembered=10), a_card()
    young = started(store, card, "young", 0.0)
    for n in range(20):
        started(store, card, f"old {n}", 1.0)
    young.sent_again, young.sent_at = 1, 2 * VALIDITY_S

    for n in range(20):
        started(store, card, f"new {n}", 2 * VALIDITY_S + 2)

    assert "young" in store.transactions
    assert not any(name.startswith("old") for name in store.transactions)


def test_closed_transaction_leaves_its_card_and_its_secrets() -> None:
    store, card = Store(VALIDITY_S), a_card()
    transaction = started(store, card, "one", 0.0)
    transaction.seal, transaction.code = b"seal", "123456"

    store.close(transaction, State.USED)

    assert transaction.seal == b""
    assert transaction.code is None
    assert not card.open


def test_ghosts_are_played_in_limited_number() -> None:
    store = Store(VALIDITY_S)
    first = store.ghost(a_card("first"))
    assert store.ghost(a_card("first")) is first

    for n in range(GHOSTS):
        store.ghost(a_card(str(n)))

    assert len(store._ghosts) == GHOSTS
    assert store.ghost(a_card("first")) is not first
