"""Answers that are pages, texts or headers are read as sets of outcomes too."""

from collections.abc import Callable
from pathlib import Path

import pytest

from otpspec.outcome import Outcome
from otpspec.profile import Raw

from .driven import VERIFY, drive, raw, table
from .samples import read

Read = Callable[[str, Raw], set[Outcome]]


@pytest.fixture
def means(tmp_path: Path) -> Read:
    """What an answer to verify means by these patterns."""
    steps = '[operations.verify]\nmethod = "POST"\npath = "/verify"\nanswers = [{}]\n'

    def read_as(patterns: str, answer: Raw) -> set[Outcome]:
        text = steps.replace("{}", f"\n{patterns}\n{{ status = 299, outcomes = 'approved' }}\n")
        profile = read(tmp_path, (table("verify"), text))
        return set(drive(profile, "verify", answer, values=VERIFY).reading.outcomes)

    return read_as


def page(body: str) -> Raw:
    return raw(200, f"<!DOCTYPE html><html><body>{body}</body></html>", content_type="text/html")


WRONG = "{ text = 'The code is wrong', outcomes = 'wrong_otc' },"


@pytest.mark.parametrize(
    "body",
    [
        "<p>The code is wrong</p>",
        "<p>Sorry! The code is wrong. Try again.</p>",
        "<p>The code\n   is\t\twrong</p>",
        "<p>The&nbsp;code &#105;s wron&#x67;</p>",
        "<p>The <b>code</b> is <em>wr</em>ong</p>",
        "<p>The code<br>is wrong</p>",
        "<div>The code</div><div>is wrong</div>",
        "<P>The code <!-- not --> is wrong</P>",
        "<p>The code is wrong",
        "<script>var a = '<p>'</script><p>The code is wrong</p>",
    ],
)
def test_text_is_looked_for_in_what_a_reader_of_a_page_sees(means: Read, body: str) -> None:
    assert means(WRONG, page(body)) == {"wrong_otc"}


@pytest.mark.parametrize(
    "body",
    [
        "<script>const text = 'The code is wrong'</script>",
        "<style>.x::after { content: 'The code is wrong' }</style>",
        "<template><p>The code is wrong</p></template>",
        "<!-- The code is wrong -->",
        "<p title='The code is wrong'>Welcome</p>",
        "<input name='x' value='The code is wrong'>",
        "<p>the code is wrong</p>",
        "<p>Thecodeiswrong</p>",
        "<p>The code</p><script>x()</script><p>was wrong</p>",
    ],
)
def test_what_no_reader_sees_is_no_text(means: Read, body: str) -> None:
    assert means(WRONG, page(body)) == {"unknown"}


@pytest.mark.parametrize(
    "answer",
    [
        raw(200, "The code is wrong", content_type="text/plain"),
        raw(200, "Error: The  code\r\nis wrong!", content_type="text/plain"),
        raw(200, '{"error": "The code is wrong"}', content_type="application/json"),
        raw(200, "The code is wrong"),
    ],
)
def test_text_is_found_in_what_is_no_page(means: Read, answer: Raw) -> None:
    assert means(WRONG, answer) == {"wrong_otc"}


def test_tags_in_what_is_no_page_are_text(means: Read) -> None:
    answer = raw(200, '{"error": "the <b>code</b>"}', content_type="application/json")

    assert means("{ text = '<b>code</b>', outcomes = 'wrong_otc' },", answer) == {"wrong_otc"}


def test_a_page_is_known_by_its_beginning_where_no_type_is_said(means: Read) -> None:
    assert means(WRONG, raw(200, "\n <html><p>The <b>code</b> is wrong")) == {"wrong_otc"}


def test_text_of_the_pattern_may_be_wrapped(means: Read) -> None:
    pattern = '{ text = """The code\\n   is wrong""", outcomes = "wrong_otc" },'

    assert means(pattern, page("<p>The code is wrong</p>")) == {"wrong_otc"}


def test_regex_is_looked_for_in_the_body_as_it_is(means: Read) -> None:
    pattern = r"""{ regex = 'class="error\b[^"]*"', outcomes = "wrong_otc" },"""

    assert means(pattern, page('<p class="error big">No</p>')) == {"wrong_otc"}
    assert means(pattern, page('<p class="errors">No</p>')) == {"unknown"}
    assert means("{ regex = '^OK$', outcomes = 'locked' },", raw(200, "OK")) == {"locked"}
    assert means("{ regex = '^OK$', outcomes = 'locked' },", raw(200, "KO")) == {"unknown"}


def test_header_is_matched_by_a_regex_and_its_name_in_any_case(means: Read) -> None:
    pattern = "{ status = 302, header = { LOCATION = '/locked$' }, outcomes = 'locked' },"

    assert means(pattern, raw(302, location="https://x/pay/locked")) == {"locked"}
    assert means(pattern, raw(302, location="/locked/not")) == {"unknown"}
    assert means(pattern, raw(303, location="/locked")) == {"unknown"}


def test_all_conditions_of_a_pattern_must_hold_together(means: Read) -> None:
    pattern = "{ status = 200, text = 'wrong', regex = 'id=3', outcomes = 'wrong_otc' },"

    assert means(pattern, page("<p id=3>wrong</p>")) == {"wrong_otc"}
    assert means(pattern, page("<p id=4>wrong</p>")) == {"unknown"}
    assert means(pattern, page("<p id=3>right</p>")) == {"unknown"}


def test_the_first_of_two_texts_counts_in_the_order_of_the_profile(means: Read) -> None:
    locked = "{ text = 'locked', outcomes = 'locked' },"
    both = page("<p>The code is wrong. The card is locked.</p>")

    assert means(WRONG + locked, both) == {"wrong_otc"}
    assert means(locked + WRONG, both) == {"locked"}


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/html", "utf-8"),
        ("text/html", "utf-8-sig"),
        ("text/html; charset=utf-8", "utf-8-sig"),
        ("text/html; charset=ISO-8859-1", "latin-1"),
        ('text/html; charset="windows-1252"', "cp1252"),
        ("text/html;charset=utf-16", "utf-16"),
        ("text/html; charset=no-such-thing", "utf-8"),
        ("text/html; charset=idna", "utf-8"),
        ("text/html; charset=rot13", "utf-8"),
        ("text/html; charset=", "utf-8"),
    ],
)
def test_text_is_read_in_its_charset(means: Read, content_type: str, encoding: str) -> None:
    body = "<p>Ungültig: Zürich</p>".encode(encoding)

    answer = raw(200, body, content_type=content_type)

    assert means("{ text = 'Ungültig: Zürich', outcomes = 'denied' },", answer) == {"denied"}


def test_bytes_that_are_no_text_hinder_nothing(means: Read) -> None:
    answer = raw(200, b"\xff\xfe\x00 The code is wrong \x80", content_type="text/html")

    assert means(WRONG, answer) == {"wrong_otc"}


@pytest.mark.parametrize(
    ("pattern", "body"),
    [
        ("json = { status = 'wrong' }", b'\xef\xbb\xbf{"status": "wrong"}'),
        (r"regex = '\A\{'", b'\xef\xbb\xbf{"status": "wrong"}'),
        ("text = 'code is wrong'", b"\xef\xbb\xbf<p>The <b>code</b> is wrong"),
    ],
)
def test_mark_of_utf8_before_a_body_is_no_part_of_it(
    means: Read, pattern: str, body: bytes
) -> None:
    assert means(f"{{ {pattern}, outcomes = 'denied' }},", raw(200, body)) == {"denied"}


def test_json_of_another_charset_that_msgspec_cannot_read_means_nothing(means: Read) -> None:
    pattern = "{ json = { status = 'ü' }, outcomes = 'denied' },"

    answer = raw(200, '{"status": "ü"}'.encode("latin-1"))

    assert means(pattern, answer) == {"unknown"}
