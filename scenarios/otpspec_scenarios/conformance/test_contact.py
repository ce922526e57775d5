"""CONTACT: details can be updated, by their owner."""

from otpspec import MISSING, REFUSED, Outcome, Trial, proves


@proves("CONTACT-1")
async def test_contact_is_not_changed_without_proof(trial: Trial) -> None:
    stranger = trial.new_contact()
    for proof in ("not-the-proof-of-this-card", MISSING):
        card = await trial.card()
        answer = await trial.change_contact(card, stranger, proof=proof)
        trial.expect(answer, *REFUSED, because="nothing proves that the owner asks")

    if trial.policy.max_wrong == 1:  # a wrong proof may be a failure like others, and lock the card
        card = await trial.card()
    challenge = await trial.start(card)
    trial.check(
        not await trial.new_codes(stranger),
        expected="the code at the registered contact only",
        got="a code at the contact of the refused change",
        because="the change was refused",
    )
    await trial.approved(challenge, because="the registered contact is still the card's (control)")
    changed = await trial.change_contact(card, trial.new_contact())
    trial.expect(changed, Outcome.DONE, because="the owner has proved who they are (control)")


@proves("CONTACT-2")
async def test_change_of_contact_voids_the_pending_code(trial: Trial) -> None:
    challenge = await trial.start()
    changed = await trial.change_contact(challenge.card, trial.new_contact())
    trial.expect(changed, Outcome.DONE, because="the owner has proved who they are")

    answer = await trial.verify(challenge)

    trial.expect(answer, *REFUSED, because="the code was sent to a contact that is no longer valid")
    for code in await trial.no_more_codes(challenge.card):
        answer = await trial.verify(challenge, code)
        trial.expect(answer, *REFUSED, because="what was pending is void, not sent elsewhere")


@proves("CONTACT-3")
async def test_next_code_goes_to_the_new_contact_and_none_to_the_old(trial: Trial) -> None:
    card = await trial.card()
    old, new = card.contact, trial.new_contact()
    changed = await trial.change_contact(card, new)
    trial.expect(changed, Outcome.DONE, because="the owner has proved who they are")

    started = await trial.try_start(card)
    trial.expect(started, Outcome.DONE, because="the card has a contact")

    trial.check(
        not await trial.no_more_codes(old),  # a notice of the change is none
        expected="no code at the old contact",
        got="a code",
        because="the contact was changed",
    )
    await trial.next_message(new)
    challenge = await trial.start(card)
    await trial.approved(challenge, because="the code came to the new contact")
