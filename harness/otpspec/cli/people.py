"""otpspec load --plan: who would come in a load run, without sending anything."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from otpspec.load.mix import find_mix, source_of
from otpspec.load.plan import lacking, what_is_lacking
from otpspec.profile import Profile


def planned_mix(profile: Profile) -> RenderableType:
    """The behaviours, how often each is met, and why some are not.

    Raises OtpspecError where the mix cannot be used.
    """
    mix = [share for share in find_mix("", profile) if share.weight > 0]
    left_out = {share.name: lacking(share, profile) for share in mix}
    whole = sum(share.weight for share in mix if not left_out[share.name])
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("behaviour")
    shown.add_column("journeys", justify="right")
    shown.add_column("")
    for share in mix:
        missing = left_out[share.name]
        part = "left out" if missing else f"{100 * share.weight / whole:.3g} %"
        about = " ".join((share.behaviour.__doc__ or "").split("\n\n")[0].split())
        why = f"only where {what_is_lacking(missing)}" if missing else about
        shown.add_row(share.name, part, Text(why, "dim" if missing else ""))
    source = Text(f"The mix is {source_of('', profile)}. Nothing was sent.")
    return Group(source, shown)
