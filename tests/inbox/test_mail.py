"""A mail is read as its reader sees it, however it is written."""

from email.message import EmailMessage

import pytest

from otpspec.inbox.mail import read_mail
from otpspec.profile.page import readable

HEAD = b"From: bank@x.test\r\nTo: ann@x.test\r\nMIME-Version: 1.0\r\n"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"Subject: Code\r\n\r\nIt is 987654.\r\n", "Code\nIt is 987654."),
        (
            b"Subject: =?utf-8?q?Ihr_Code_f=C3=BCr_=E2=82=AC?=\r\n"
            b"Content-Type: text/plain; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\nK=C3=A4ufer: 98=\r\n7654\r\n",
            "Ihr Code für €\nKäufer: 987654",
        ),
        (
            b"Subject: =?iso-8859-1?B?R3L832U=?=\r\n"
            b"Content-Type: text/plain; charset=iso-8859-1\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\nQ29kZSBm/HI6IDk4NzY1NA==\r\n",
            "Grüße\nCode für: 987654",
        ),
        (
            "Subject: Für Änne\r\n\r\nCode für 987654\r\n".encode(),
            "Für Änne\nCode für 987654",
        ),
        (
            b"Content-Type: text/plain; charset=no-such-charset\r\n\r\nf\xc3\xbcr 987654\r\n",
            "für 987654",
        ),
        (b"Content-Type: text/plain; charset=utf-8\r\n\r\nf\xfcr 987654\r\n", "f\ufffdr 987654"),
        (b"Subject: 987654 is\r\n your code\r\n\r\n", "987654 is your code"),
        (
            b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>f&uuml;r <b>98</b><b>7654</b></p>",
            "für 987654",
        ),
    ],
)
def test_a_mail_of_one_part_is_read(written: bytes, text: str) -> None:
    assert read_mail(HEAD + written).text == text


def mail(*parts: tuple[str, str]) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["To"] = "Code", "ann@x.test"
    for number, (text, kind) in enumerate(parts):
        add = message.add_alternative if number else message.set_content
        add(text, subtype=kind)
    return message


def test_the_text_part_is_preferred() -> None:
    both = mail(("It is 987654.", "plain"), ("<p>It is 000000.</p>", "html"))

    assert read_mail(both.as_bytes()).text == "Code\nIt is 987654."


def test_html_is_read_where_the_text_part_is_empty() -> None:
    both = mail((" \n", "plain"), ("<style>p{margin:0}</style><p>It is 987654.</p>", "html"))

    assert read_mail(both.as_bytes()).text == "Code\nIt is 987654."


def test_a_multipart_of_html_alone_is_read_and_its_attachments_are_not() -> None:
    message = mail(("<p>It is 987654.</p>", "html"))
    message.add_related(b"\x89PNG 111111", "image", "png", cid="logo")
    message.add_attachment("terms: 222222", filename="terms.txt")

    assert read_mail(message.as_bytes()).text == "Code\nIt is 987654."


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Your code:</p><p>987654</p>", "Your code:\n987654"),
        ("<span>9</span><span>8</span><b>7</b>654", "987654"),
        ("<table><tr><td>9</td><td>8</td></tr><tr><td>7</td></tr></table>", "9 8\n7"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("98\n  76", "98 76"),
        ("<script>var x = '111111'</script>987654<style>.c222222{}</style>", "987654"),
        ("<title>111111</title><!-- 222222 -->987654", "987654"),
        ("&#57;&#x38;7&nbsp;&lt;6&gt;&amp;", "987 <6>&"),
        ("9\u200b8\u00ad7&zwnj;654", "987654"),
        ("<p>never closed <b>987654", "never closed 987654"),
        ("</script></style>987654", "987654"),
    ],
)
def test_html_is_what_its_reader_sees(html: str, text: str) -> None:
    assert readable(html) == text


def test_recipients_are_those_of_all_headers_without_their_names() -> None:
    written = (
        b'To: "Ann, the first" <ann@x.test>, bob@x.test\r\nCc: =?utf-8?q?B=C3=A4r?= <c@x.test>\r\n'
        b"Delivered-To: ann@x.test\r\nX-Original-To: d@x.test\r\n\r\n"
    )

    assert read_mail(written).recipients == ("ann@x.test", "bob@x.test", "c@x.test", "d@x.test")


@pytest.mark.parametrize(
    "head",
    [
        b"To: <\r\n", b"To: @@,;<>()\r\n", b'To: "\r\n', b"To: =?utf-8?q?\r\n", b"To:\r\n",
        b"Content-Type: multipart/mixed\r\n", b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"Content-Type: \xff\xfe; charset=\xff\r\n", b"Subject: =?x?b?!!!?=\r\n",
        b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: nonsense\r\n",
        b"Content-Disposition: ;;;=\r\n", b"no header at all\r\n", b"To: a@[\r\n", b"Cc: (((\r\n",
        b"Content-Type: text/html; charset*=utf-8''\r\n", b"From \r\n",
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_a_mail_it_is_read(head: bytes) -> None:
    assert isinstance(read_mail(head + b"\r\nIt is 987654.\r\n").text, str)


def test_no_bytes_at_all_are_a_mail_without_text() -> None:
    assert read_mail(b"") == ((), "")
