"""DELIVER: where the code goes, and what is shown of it."""

import re
from urllib.parse import quote

from otpspec import Card, Challenge, NotApplicable, Request, Trial, proves


@proves("DELIVER-1")
async def test_code_goes_to_the_registered_contact_whatever_the_request_says(trial: Trial) -> None:
    card = await trial.card()
    stranger = trial.new_contact()
    names = (
        "to",
        "phone",
        "contact",
        "recipient",
        "destination",
        "phone_number",
        "mobile",
        "email",
    )

    for value in (stranger, [card.contact, stranger]):
        await trial.try_start(card, extra=dict.fromkeys(names, value))

        trial.check(
            not await trial.no_more_codes(stranger),
            expected="no code for a contact that only the request names",
            got="a code",
            because="the code goes to the registered contact only",
        )
    # Control: the inbox does show what is sent on this card. The tries above may each have sent
    # their code to the registered contact too, or may have been refused.
    await trial.approved(await _newest(trial, card), because="the code is right (control)")


async def _newest(trial: Trial, card: Card) -> Challenge:
    await trial.skip(card)
    return await trial.start(card)


@proves("DELIVER-2")
async def test_only_the_last_digits_of_the_contact_are_shown(trial: Trial) -> None:
    challenge = await trial.start()
    registered = challenge.card.contact
    answers = [answer for answer in trial.session.answers if answer.operation == "start"]
    if any(_holds(answer.request, registered) for answer in answers):
        raise NotApplicable("the payer names the contact in the request of start")

    digits = re.sub(r"\D", "", registered)
    text = "".join(answer.body.decode("utf-8", "replace") for answer in answers)
    whole = registered.lower() in text.lower()
    if "@" not in registered:
        whole |= digits[-10:] in re.sub(r"\D", "", text)

    trial.check(
        not whole,
        expected="at most the last digits of the contact",
        got="the whole contact is in the answer to start",
        because="the contact is masked",
    )
    if "contact" not in challenge.captures:
        raise NotApplicable("the profile has no operations.start.capture.contact")
    shown = str(challenge.captures["contact"])
    if "@" in registered:
        _check_address(trial, registered, shown)
        return
    *country, last = re.findall(r"\d+", shown) or [""]
    of_a_country = len("".join(country)) <= 3 and digits.startswith("".join(country))
    trial.check(
        bool(last) and digits.endswith(last) and len(last) <= 4 and of_a_country,
        expected="the last digits of the registered contact, four at most",
        got=f"{len(last)} digits, {'its last' if digits.endswith(last) else 'not its last'}",
        because="the last few digits are shown, so that the payer knows which phone to look at",
    )


def _check_address(trial: Trial, registered: str, shown: str) -> None:
    """An address shows its owner a few letters, and not the whole of what stands before the @."""
    name = registered.partition("@")[0]
    trial.check(
        len(name) < 3 or name.lower() not in shown.lower(),
        expected="a part of the registered address",
        got="all of its name",
        because="a few letters are shown, so that the payer knows which mail to look at",
    )


def _holds(request: Request, contact: str) -> bool:
    sent = request.target.encode() + request.body
    return contact.encode() in sent or quote(contact, safe="").encode() in sent


@proves("DELIVER-3")
async def test_message_names_amount_and_payee(trial: Trial) -> None:
    if not trial.policy.message_names_payment:
        raise NotApplicable("the profile says policy.message_names_payment = false")
    trial.needs_messages()
    challenge = await trial.start()
    amounts = trial.profile.amounts
    amount = amounts.with_csc if trial.policy.csc == "always" else amounts.without_csc
    pattern = re.escape(amount).replace(r"\.", "[.,]").removesuffix("00") + "(00)?"

    missing = [] if re.search(pattern, challenge.message) else ["the amount"]
    missing += [] if amounts.merchant.lower() in challenge.message.lower() else ["the payee"]

    trial.check(
        not missing,
        expected="amount and payee in the message",
        got=f"a message without {' and without '.join(missing)}",
        because="the payer must see what the code is for",
    )


@proves("DELIVER-4")
async def test_one_message_is_sent_for_one_code(trial: Trial) -> None:
    challenge = await trial.start()

    more = await trial.no_more_codes(challenge.card)

    trial.check(
        not more,
        expected="one message",
        got=f"{1 + len(more)} messages",
        because="one transaction was started",
    )
