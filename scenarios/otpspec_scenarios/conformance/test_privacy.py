"""PRIVACY: answers tell no more than they must."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from otpspec import NotApplicable, Outcome, Trial, proves
from otpspec_scenarios.conformance.alike import differences, persistent, stands_in


@proves("PRIVACY-1")
async def test_unknown_card_looks_like_a_known_one(trial: Trial) -> None:
    if not trial.profile.unknown_card:
        raise NotApplicable("the profile has no [unknown_card]")
    if not trial.policy.hides_unknown_cards:
        raise NotApplicable("the profile says policy.hides_unknown_cards = false")

    async def compare() -> list[str]:
        first, unknown, second = [await trial.card() for _ in range(3)]
        unknown.values |= trial.profile.unknown_card
        known = await trial.try_start(first)
        answer = await trial.try_start(unknown)
        again = await trial.try_start(second)
        for one in (known, again):
            trial.expect(one, Outcome.DONE, because="the card is enrolled (control)")
        return differences(known, answer, again=again)

    found = await persistent(compare)

    trial.check(
        not found,
        expected="the same kind of answer as for a known card",
        got="; ".join(found),
        because="whoever asks must not learn which cards are enrolled",
    )


@proves("PRIVACY-3")
async def test_no_code_stands_in_a_url_and_no_decision_is_kept_by_caches(trial: Trial) -> None:
    csc = trial.policy.csc != "never"
    challenge = await trial.start(csc=True if csc else None)
    decisions = []
    if trial.policy.max_wrong > 1:
        decisions.append(await trial.fail(challenge, 1))
    verified = await trial.verify(challenge)
    decisions.append(verified)

    ids = {str(value) for value in challenge.captures.values()}  # one may be three digits, too
    codes = [challenge.otc, *([challenge.card.csc] if csc else [])]
    codes = [code for code in codes if code not in ids]
    for answer in trial.session.answers:
        urls = answer.request.target + " " + answer.headers.get("location", "")
        trial.check(
            not any(stands_in(code, urls) for code in codes),
            expected="no code and no 3CSC in a URL",
            got=f"one in a URL of {answer.operation}",
            because="URLs are kept in logs, histories and referrers",
        )
    for answer in decisions:
        trial.check(
            not _may_be_kept(answer.request.method, answer.headers),
            expected="Cache-Control: no-store, or nothing that lets a cache keep the answer",
            got=f"Cache-Control: {answer.headers.get('cache-control', '(none)')}",
            because="the answer carries a decision",
        )
    trial.expect_alive(challenge, verified, because="the code is right (control)")


def _expires_later(headers: Mapping[str, str]) -> bool:
    """Whether an answer says that it is fresh until a time to come: 0 and the past are not."""
    try:
        until = parsedate_to_datetime(headers["expires"])
        return until > parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return False


def _may_be_kept(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a cache may keep an answer: RFC 9111, 3 (a POST only with explicit freshness)."""
    control = headers.get("cache-control", "").lower()
    if "no-store" in control:
        return False
    fresh = re.search(r"(max-age|s-maxage)=0*[1-9]|public|immutable", control)
    if fresh or _expires_later(headers):
        return True
    # Without freshness a cache may guess one, from when a page was changed last (RFC 9111, 4.2.2).
    return method == "GET" and "last-modified" in headers and "no-cache" not in control
