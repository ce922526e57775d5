"""Cards that the target knows already: in the profile, or in a file beside it."""

from pathlib import Path

import pytest

from otpspec.profile import Profile, load

from .driven import table
from .samples import changed, problems, written

NO_ENROL = (table("enroll"), "")
"""Without enrolling, nothing captures {card.id}: it is a column."""

HEAD = "pan,csc,phone,id\n"


def cards(text: str) -> tuple[str, str]:
    return "[clock]\n", f"{text}\n[clock]\n"


def with_csv(folder: Path, content: bytes | str, *changes: tuple[str, str]) -> str:
    """The text of a profile beside whose file there is one of cards."""
    raw = content.encode() if isinstance(content, str) else content
    (folder / "cards.csv").write_bytes(raw)
    return changed(NO_ENROL, cards('[cards]\ncsv = "cards.csv"'), *changes)


def loaded(folder: Path, text: str) -> Profile:
    return load(written(folder, text), environ={})


def test_cards_of_the_profile_are_rows_of_texts(tmp_path: Path) -> None:
    text = changed(NO_ENROL, cards(
        '[[cards.given]]\npan = "41"\ncsc = "077"\nphone = "+1"\nid = "a"\n'
        '[[cards.given]]\npan = "42"\ncsc = "078"\nphone = "+2"\nid = "b"\nowner = "Ö"'
    ))  # fmt: skip

    profile = loaded(tmp_path, text)

    assert profile.cards == [
        {"pan": "41", "csc": "077", "phone": "+1", "id": "a"},
        {"pan": "42", "csc": "078", "phone": "+2", "id": "b", "owner": "Ö"},
    ]
    assert profile.card_values(profile.cards[0])["card.pan"] == "41"


@pytest.mark.parametrize(
    "content",
    [
        "pan,csc,phone,id\n41,077,+1,a\n42,078,+2,b\n",
        "pan,csc,phone,id\r\n41,077,+1,a\r\n42,078,+2,b",
        "\ufeffpan,csc,phone,id\n41,077,+1,a\n42,078,+2,b\n",
        'pan, csc , phone,id\n"41", 077,+1 ,a\n\n42,"078",+2,b\n\n',
        'pan,"csc",phone,id\n41,077,+1,"a"\n42,078,+2,b\n',
        "\ufeffpan;csc;phone;id\r\n41;077;+1;a\r\n42;078;+2;b\r\n",
        "pan\tcsc\tphone\tid\n41\t077\t+1\ta\n42\t078\t+2\tb\n",
    ],
)
def test_cards_of_a_file_are_read_however_it_was_saved(tmp_path: Path, content: str) -> None:
    profile = loaded(tmp_path, with_csv(tmp_path, content))

    assert profile.cards == [
        {"pan": "41", "csc": "077", "phone": "+1", "id": "a"},
        {"pan": "42", "csc": "078", "phone": "+2", "id": "b"},
    ]


def test_quoted_value_may_hold_commas_quotes_and_lines(tmp_path: Path) -> None:
    content = 'pan,csc,phone,id,name\n41,077,+1,a,"Öl, ""A""\nand B"\n'

    assert loaded(tmp_path, with_csv(tmp_path, content)).cards[0]["name"] == 'Öl, "A"\nand B'


def test_cards_of_the_file_come_after_those_of_the_profile(tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text(HEAD + "42,078,+2,b\n")
    row = '[[cards.given]]\npan = "41"\ncsc = "077"\nphone = "+1"\nid = "a"'
    text = changed(NO_ENROL, cards(f'[cards]\ncsv = "cards.csv"\n{row}'))

    assert [card["pan"] for card in loaded(tmp_path, text).cards] == ["41", "42"]


def test_file_of_cards_is_looked_for_beside_the_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = with_csv(tmp_path, HEAD + "41,077,+1,a\n")
    (tmp_path / "otherwhere").mkdir()
    monkeypatch.chdir(tmp_path / "otherwhere")

    assert len(loaded(tmp_path, text).cards) == 1


def test_column_of_the_file_fills_its_place(tmp_path: Path) -> None:
    text = with_csv(
        tmp_path, "login,csc,phone\npayer-1,077,+1\n", ('"{card.id}"', '"{card.login}"')
    )

    profile = loaded(tmp_path, text)
    values = {**profile.card_values(profile.cards[0]), "amount": "1"}

    assert profile.build("start", values).body == b'{"card":"payer-1","amount":"1"}'


def test_contact_and_csc_are_needed_only_where_they_are_used(tmp_path: Path) -> None:
    inbox = ('kind = "http"\nmessages = "messages"\nid = "seq"\ntext = "text"\n', "")
    poll = (
        '[inbox.poll]\nmethod = "GET"\npath = "/outbox"\nquery = { to = "{contact}" }\n',
        'kind = "totp"\nsecret = "{card.seed}"\n',
    )
    text = with_csv(
        tmp_path, "id,seed\na,MFRGG\n", inbox, poll, ('validity = "10m"', 'csc = "never"')
    )

    assert loaded(tmp_path, text).cards == [{"id": "a", "seed": "MFRGG"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEAD, "cards.csv  cards.csv holds no card"),
        ("", "cards.csv  cards.csv holds no card"),
        (
            HEAD + "41,077,+1,a\n42,078\n",
            "cards.csv  cards.csv, line 3: not as many values as names",
        ),
        (
            HEAD + '41,077,+1,a\n42,"0\n78",+2,b,more\n',
            "cards.csv  cards.csv, line 4: not as many values as names",
        ),
        ("pan,csc,id\n41,077,a\n42,078,b\n43,079,c\n",
         "cards  card 1 has no phone, nor have 2 others"),
        (HEAD + "41,077,+1,a\n42,078,,b\n", "cards  card 2 has no phone"),
        (HEAD + "41,,+1,a\n42,078,+2,b\n", "cards  card 1 has no csc"),
        ("pan,csc,phone\n41,077,+1\n", "cards  card 1 has no id"),
        (
            "number;code\n41;077\n",
            "cards  card 1 has no csc\n  cards  card 1 has no id\n  cards  card 1 has no phone",
        ),
        (
            HEAD + "41,077,+1,a\n42,078,+2,b\n41,077,+1,a\n",
            "cards  the same card is listed twice: two scenarios would share it",
        ),
        (
            HEAD + "41,077,+1,a\n41,077,+2,b\n",
            "cards  the same card is listed twice: two scenarios would share it",
        ),
        (HEAD.encode() + b"41,077,+1,\xfc\n", "cards.csv  cards.csv cannot be read: "
         "'utf-8' codec can't decode byte 0xfc in position 27: invalid start byte"),
    ],
)  # fmt: skip
def test_file_that_cannot_be_used_is_said_in_these_words(
    tmp_path: Path, content: bytes | str, said: str
) -> None:
    assert problems(tmp_path, with_csv(tmp_path, content)) == f"  {said}"


@pytest.mark.parametrize(
    ("table_of_cards", "said"),
    [
        ('[cards]\ncsv = "nowhere.csv"',
         "cards.csv  nowhere.csv cannot be read: No such file or directory"),
        ('[cards]\ncsv = "."', "cards.csv  . cannot be read: Is a directory"),
        ("[cards]\nmax_locked = -1\n[[cards.given]]\ncsc = '1'\nphone = '2'\nid = '3'",
         "cards.max_locked  -1 is too small; at least 0"),
        ("[[cards.given]]\ncsc = 77\nphone = '2'\nid = '3'",
         "cards.given[0].csc  expected text, got 77"),
        ("[cards]\ngiven = { csc = '1' }",
         "cards.given  expected a list, got {'csc': '1'}"),
        ("[cards]\nfile = 'cards.csv'",
         "cards.file  unknown key; known: made_up, given, csv, max_locked"),
        ("", "operations.enroll  missing; or list cards that the target knows in "
         "[[cards.given]] or cards.csv; or, where it takes any phone or address, write "
         "cards.made_up = true"),
        ("[cards]\nmade_up = true\n[[cards.given]]\ncsc = '1'\nphone = '2'\nid = '3'",
         "cards.made_up  true, and cards are listed beside it; take one away"),
    ],
)  # fmt: skip
def test_table_that_cannot_be_used_is_said_in_these_words(
    tmp_path: Path, table_of_cards: str, said: str
) -> None:
    text = changed(NO_ENROL, cards(table_of_cards), ('"{card.id}"', '"1"'))

    assert problems(tmp_path, text) == f"  {said}"


def test_every_bad_line_of_a_file_is_reported_at_once(tmp_path: Path) -> None:
    text = with_csv(tmp_path, HEAD + "1,2\n41,077,+1,a\n1,2,3,4,5\n")

    assert problems(tmp_path, text).splitlines() == [
        "  cards.csv  cards.csv, line 2: not as many values as names",
        "  cards.csv  cards.csv, line 4: not as many values as names",
    ]


def test_change_of_contact_needs_what_proves_the_payer(tmp_path: Path) -> None:
    change = """[operations.change_contact]
method = "POST"
path = "/contact"
json = { to = "{contact}", proof = "{proof}" }
answers = [{ status = 200, outcomes = "done" }]

[inbox]
"""
    text = with_csv(tmp_path, HEAD + "41,077,+1,a\n", ("[inbox]\n", change))

    assert problems(tmp_path, text) == "  cards  card 1 has no passphrase"


def test_what_a_step_captures_need_not_be_a_column(tmp_path: Path) -> None:
    unlock = """[[operations.unlock]]
method = "GET"
path = "/desk/{card.pan}"
capture = { token = { field = "token" } }

[[operations.unlock]]
method = "POST"
path = "/desk/{card.pan}"
form = { token = "{card.token}" }
answers = [{ status = 200, outcomes = "done" }]

[inbox]
"""
    text = with_csv(tmp_path, HEAD + "41,077,+1,a\n", ("[inbox]\n", unlock))

    assert loaded(tmp_path, text).cards[0]["pan"] == "41"


def test_cards_that_the_target_takes_as_they_are_need_no_enrolling(tmp_path: Path) -> None:
    text = changed(NO_ENROL, cards("[cards]\nmade_up = true"), ('"{card.id}"', '"{card.phone}"'))

    profile = loaded(tmp_path, text)

    assert profile.makes_cards_up
    assert profile.cards == []
    assert "enroll" not in profile.operations


def test_card_that_is_made_up_has_what_the_harness_makes_up(tmp_path: Path) -> None:
    text = changed(NO_ENROL, cards("[cards]\nmade_up = true"))

    assert (
        "cards.made_up               a card that is made up has no id; it has pan, csc, phone, "
        "email, passphrase" in problems(tmp_path, text)
    )


def test_cards_are_enrolled_or_taken_as_they_are_and_not_both(tmp_path: Path) -> None:
    text = changed(cards("[cards]\nmade_up = true"))

    assert (
        "  cards.made_up  true, and there is [operations.enroll], which makes them known; take "
        "one away" in problems(tmp_path, text)
    )
