"""What an inbox keeps is bounded, by contact, and can be told without being shown."""

import threading

import pytest

from otpspec.inbox.contacts import key, keys_in, masked
from otpspec.inbox.store import Store
from otpspec.profile import Message


@pytest.mark.parametrize(
    "spelling",
    ["+49170123456", "0049170123456", "49170123456", "+49 170 123-456", "(+49) 170/123.456",
     "tel:+49170123456", "whatsapp:+49170123456", " <+49170123456> "],
)  # fmt: skip
def test_spellings_of_a_number_are_one_contact(spelling: str) -> None:
    assert key(spelling) == key("+49170123456")


@pytest.mark.parametrize("other", ["+49170123457", "+4917012345", "0170123456", "+149170123456"])
def test_other_numbers_are_other_contacts(other: str) -> None:
    assert key(other) != key("+49170123456")


def test_addresses_are_one_contact_in_any_case_and_never_a_number() -> None:
    assert key("<Ann.1@X.Test>") == key("ann.1@x.test")
    assert key("ann1@x.test") != key("bob1@x.test") != key("1")


@pytest.mark.parametrize(
    "line",
    [
        "SMS to +49 170 123456: 987654",
        "987654 -> 0049170123456",
        "2026-01-02 12:00:01 to=49170123456 code=987654",
        "to 49170123456 987654",
        "987654 49170-123456 20260102",
        "ann@x.test,+49170123456,987654",
    ],
)
def test_a_number_is_found_in_a_line_with_other_numbers_beside_it(line: str) -> None:
    assert key("+49 170 123456") in keys_in(line)


@pytest.mark.parametrize("contact", ["+4917012345", "+9170123456", "170123456", "+4917012345698"])
def test_a_part_of_a_number_is_not_found_in_a_line(contact: str) -> None:
    assert key(contact) not in keys_in("SMS to +49170123456: 987654")


def test_an_address_is_found_in_a_line_whatever_stands_around_it() -> None:
    for line in ("to=Ann@X.test", '{"to":"ann@x.test"}', "mail to <ann@x.test>.", "to ann@x.test."):
        assert "ann@x.test" in keys_in(line)
    assert "ann@x.test" not in keys_in("to joann@x.test")


@pytest.mark.parametrize(
    ("contact", "shown"),
    [("+49170123456", "…3456"), ("12345", "…"), ("anna@x.test", "…@x.test"),
     ("joanna@x.test", "…na@x.test"), ("", "…")],
)  # fmt: skip
def test_of_a_contact_only_its_end_is_shown(contact: str, shown: str) -> None:
    assert masked(contact) == shown


def test_the_oldest_of_a_contact_is_dropped_first() -> None:
    store = Store("mail", per_contact=2)
    for text in ("a", "b", "c"):
        store.add([key("ann@x.test")], text)

    assert [m.text for m in store.messages("ann@x.test")] == ["b", "c"]


def test_the_oldest_of_all_is_dropped_first_whosever_it_is() -> None:
    store = Store("mail", overall=3)
    store.add(["1", "2"], "for both")
    for number in ("1", "2", "3"):
        store.add([number], f"for {number}")

    assert [[m.text for m in store.messages(n)] for n in "123"] == [["for 1"], ["for 2"], ["for 3"]]
    assert set(store._by_key) == {"1", "2", "3"}


def test_nothing_of_a_contact_remains_once_its_messages_are_dropped() -> None:
    store = Store("mail", overall=10, per_contact=5)
    for number in range(1000):
        store.add([str(number), "everyone"], "text")

    assert len(store._kept) == 10
    assert len(store._by_key) == 11
    assert len(store.messages("everyone")) == 5


def test_texts_are_cut_and_kinds_of_notes_are_counted_up_to_a_limit() -> None:
    store = Store("mail")
    store.add(["1"], "x" * 100_000)
    for number in range(1000):
        store.note(f"request {number}")

    assert len(store.messages("1")[0].text) == 32_768
    assert store.seen().count("request") == 20


def test_a_message_does_not_show_its_text() -> None:
    assert "987654" not in repr(Message("1", "code 987654", 0.5))


def test_seen_says_what_came_and_for_whom_and_no_text() -> None:
    store = Store("mail")
    assert store.seen() == "nothing came"

    store.add(["joanna@x.test"], "code 987654", shown=["joanna@x.test"])
    assert store.seen() == "1 mail came to other contacts (…na@x.test)"

    store.messages("joanna@x.test")
    for number in range(5):
        store.add([f"+4917000001{number}"], "text", shown=[f"+4917000001{number}"])
    store.note("a request had no text")
    store.note("a request had no text")
    assert store.seen() == (
        "1 mail came to contacts that were asked for; 5 mails came to other contacts "
        "(…0010, …0011, …0012 and 2 more); a request had no text (2 times)"
    )


def test_nothing_is_lost_or_doubled_where_many_threads_write_and_others_read() -> None:
    store = Store("mail")
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            held = [int(m.text) for m in store.messages("1")]
            assert held == sorted(held)
            store.seen()

    def write(number: int) -> None:
        for turn in range(200):
            store.add([str(number)], str(turn))

    failed: list[object] = []
    before, threading.excepthook = threading.excepthook, failed.append
    try:
        reader = threading.Thread(target=read)
        writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in (reader, *writers):
            thread.start()
        for thread in writers:
            thread.join(10)
        done.set()
        reader.join(10)
    finally:
        threading.excepthook = before

    assert not failed
    for number in range(8):
        assert [m.text for m in store.messages(str(number))] == [str(t) for t in range(200)]
    ids = [m.id for number in range(8) for m in store.messages(str(number))]
    assert len(set(ids)) == 1600
