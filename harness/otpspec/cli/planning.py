"""otpspec check --plan: what a check would take, without sending anything."""

from datetime import timedelta

from otpspec import plan
from otpspec.cli.output import OK, out
from otpspec.cli.suite import Choice, planned
from otpspec.profile import Profile

_SHOWN = 6  # cards that are named


def show_plan(profile: Profile, choice: Choice, seed: int | None) -> int:
    """Print the plan; the exit code. Raises OtpspecError where there are too few cards."""
    made = planned(profile, choice, seed or 0)
    out.print(f"plan for {profile.source}: nothing was sent", markup=False, soft_wrap=True)
    for name, text in _lines(profile, made):
        out.print(f"  {name:<10}{text}", markup=False, soft_wrap=True)
    plan.refuse_if_short(profile, made)
    return OK


def _lines(profile: Profile, made: plan.Plan) -> list[tuple[str, str]]:
    lines = [("scenarios", f"{len(made.needs)}"), *_cards(profile, made)]
    # Which scenario gets which card is not known before, nor how often each is to be cleaned; and
    # a few go on until a code is as they need it.
    about = "about " if len(made.needs) > 1 else ""
    lines.append(("requests", f"{about}{made.requests:,}, and those that read messages and clock"))
    if profile.sends_messages:
        channels = " and ".join(channel.contact for channel in profile.channels)
        lines.append(("messages", f"{about}{made.messages:,} to {channels}: they may cost money"))
    return [*lines, ("lasts", _lasts(profile, made))]


def _cards(profile: Profile, made: plan.Plan) -> list[tuple[str, str]]:
    if not profile.cards:
        enrolled = sum(made.needs.values())
        locked = f"{made.locked} of them are locked on the way"
        how = "made up" if profile.makes_cards_up else "enrolled"
        return [("cards", f"{enrolled} are {how}"), ("locks", locked)]
    used = f"{len(profile.cards)}, at most {made.at_once} in one scenario"
    names = ", ".join(made.locks[:_SHOWN])
    rest = len(made.locks) - _SHOWN
    more = f" and {rest} other{'s' if rest > 1 else ''}" if rest > 0 else ""
    return [("cards", used), ("locks", f"{names}{more}" if names else "none")]


def _lasts(profile: Profile, made: plan.Plan) -> str:
    words = []
    if profile.clock.kind == "real":
        words.append(f"{in_words(made.waits)} of waiting")
    if profile.max_rate is not None:
        paced = timedelta(seconds=made.requests / profile.max_rate.per_s)
        words.append(f"{in_words(paced)} of requests at {profile.target.max_rate}")
    if not words:
        return "as long as its requests do: the clock jumps"
    return " and ".join(words) + (", partly at once" if len(words) > 1 else ", and the requests")


def in_words(time: timedelta) -> str:
    """A time as people say it: 10 min 35 s."""
    seconds = round(time.total_seconds())
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
