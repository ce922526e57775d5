"""Codes of a secret and the time are those of RFC 6238 and RFC 4226."""

import base64

import pytest

from otpspec.inbox import hotp, totp

SEED = b"12345678901234567890"
SECRET = {
    "SHA1": base64.b32encode(SEED).decode(),
    "SHA256": base64.b32encode((SEED * 2)[:32]).decode(),
    "SHA512": base64.b32encode((SEED * 4)[:64]).decode(),
}


@pytest.mark.parametrize(
    ("when", "sha1", "sha256", "sha512"),
    [
        (59, "94287082", "46119246", "90693936"),
        (1111111109, "07081804", "68084774", "25091201"),
        (1111111111, "14050471", "67062674", "99943326"),
        (1234567890, "89005924", "91819424", "93441116"),
        (2000000000, "69279037", "90698825", "38618901"),
        (20000000000, "65353130", "77737706", "47863826"),
    ],
)
def test_codes_are_those_of_rfc_6238_appendix_b(
    when: int, sha1: str, sha256: str, sha512: str
) -> None:
    for algorithm, code in {"SHA1": sha1, "SHA256": sha256, "SHA512": sha512}.items():
        assert totp(SECRET[algorithm], when, digits=8, algorithm=algorithm) == code


def test_codes_are_those_of_rfc_4226_appendix_d() -> None:
    codes = [hotp(SECRET["SHA1"], counter) for counter in range(10)]

    assert codes == [
        "755224", "287082", "359152", "969429", "338314",
        "254676", "287922", "162583", "399871", "520489",
    ]  # fmt: skip


def test_a_code_changes_with_its_period_and_not_before() -> None:
    secret = SECRET["SHA1"]

    assert totp(secret, 59.999, 8) == totp(secret, 30, 8) != totp(secret, 60, 8)
    assert totp(secret, 119.9, 8, 60) == totp(secret, 60, 8, 60) != totp(secret, 59.9, 8, 60)


@pytest.mark.parametrize(
    "spelling",
    ["jbswy3dpehpk3pxp", "JBSW Y3DP EHPK 3PXP", "jbsw-y3dp-ehpk-3pxp", "JBSWY3DPEHPK3PXP="],
)
def test_a_secret_may_be_spelled_in_several_ways(spelling: str) -> None:
    assert totp(spelling, 0) == totp("JBSWY3DPEHPK3PXP", 0) == "282760"


def test_a_secret_needs_no_padding() -> None:
    assert totp("JBSWY3DPEE", 59) == totp("JBSWY3DPEE======", 59)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"secret_base32": " "}, "the secret is empty; write it in base32"),
        (
            {"secret_base32": "JBSW Y1DP"},
            "the secret is not base32: its character 6, spaces not counted, is none of A to Z "
            "and 2 to 7",
        ),
        (
            {"secret_base32": "JBSWY3"},
            "the secret is not base32: 6 characters, so some are missing",
        ),
        ({"algorithm": "MD5"}, "no algorithm 'MD5'; write one of SHA1, SHA256, SHA512"),
        ({"digits": 0}, "0 digits; a code has 1 to 10"),
        ({"period_s": 0}, "the period is 0 s; it must be more than 0"),
        ({"when_epoch_s": -1}, "a time before 1970 has no code"),
    ],
)
def test_what_has_no_code_is_refused_with_the_reason(change: dict[str, object], text: str) -> None:
    given: dict[str, object] = {"secret_base32": "JBSWY3DPEHPK3PXP", "when_epoch_s": 0, **change}

    with pytest.raises(ValueError) as raised:  # noqa: PT011 -- the text is compared as a whole
        totp(**given)  # type: ignore[arg-type]

    assert str(raised.value) == text
