"""The outbox keeps the newest messages, and finds those of an address."""

from otpspec_reference.outbox import Outbox


def test_only_the_newest_are_kept_in_the_index_too() -> None:
    outbox = Outbox(kept=3)
    for n in range(5):
        outbox.put("odd" if n % 2 else "even", "phone", f"text {n}", float(n))

    assert [message.text for message in outbox.messages()] == ["text 2", "text 3", "text 4"]
    assert [message.text for message in outbox.messages("odd")] == ["text 3"]
    assert [message.seq for message in outbox.messages("even", after=3)] == [5]


def test_address_without_messages_left_takes_no_room() -> None:
    outbox = Outbox(kept=2)
    for n in range(100):
        outbox.put(f"address {n}", "phone", "", 0.0)

    assert len(outbox._by_address) == 2
