"""Results in, one self-contained HTML page out: it works offline and asks no address for anything.

Everything in the results is hostile here: answers are the words of a target that is being tested
for holes. Templates escape all of it, and a content security policy lets only our own scripts run.
"""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from otpspec.outcome import Verdict
from otpspec.results import Evidence, LoadResult, Results
from otpspec_reports import exchanges, figure, figures, timeline
from otpspec_reports.conclusion import INTERRUPTED, conclude, excused, fails, unwaived
from otpspec_reports.verdicts import (
    SYMBOLS,
    URGENCY,
    WORDS,
    by_family,
    urgent_first,
    why_known,
    words,
)
from otpspec_reports.visible import cut, visible

MOST_EVIDENCE = 12
"""The most scenarios that the page shows of one rule."""


def render(results: Results) -> str:
    """The results as one HTML page."""
    limits = exchanges.limits(results.rules)

    def chart(evidence: Evidence) -> exchanges.Exchanges:
        return exchanges.chart(evidence.exchanges, limits.of(evidence))

    def drawn(evidence: Evidence) -> figure.Timeline | None:
        return figure.timeline(evidence, limits.of(evidence).bars)

    scripts, charts = [_ours("report.js")], bool(results.load and results.load.timeline)
    if charts:
        scripts.insert(0, _uplot())
    return (
        pages()
        .get_template("report.html.j2")
        .render(
            results=results,
            summary=conclude(results),
            families=by_family(results.rules),
            failing={rule.id for rule in results.rules if fails(rule, strict=results.strict)},
            excused={rule.id for rule in results.rules if excused(rule)},
            unwaived={rule.id for rule in unwaived(results)},
            chart=chart,
            drawn=drawn,
            timeline=_timeline(results.load),
            styles=styles(charts=charts),
            scripts=[Markup(script) for script in scripts],  # noqa: S704  # files of the package
            policy=security_policy(scripts),
        )
    )


@cache
def pages() -> Environment:
    """The templates, with what they may use; all that they write is escaped."""
    found = Environment(
        loader=PackageLoader("otpspec_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    found.globals.update(
        Verdict=Verdict,
        URGENCY=URGENCY,
        SYMBOLS=SYMBOLS,
        WORDS=WORDS,
        CROSS=figure.CROSS,
        INTERRUPTED=INTERRUPTED,
        MOST_EVIDENCE=MOST_EVIDENCE,
    )
    found.filters.update(
        at=figures.at,
        calls_for_reading=exchanges.fails,
        cut=cut,
        duration=figures.duration,
        millis=figures.millis,
        moment=figures.moment,
        px=figures.px,
        setting=figures.setting,
        urgent_first=urgent_first,
        visible=visible,
        why_known=why_known,
        words=words,
        whole="{:,}".format,
    )
    return found


def _finalized(value: Any) -> Any:
    """What each `{{ }}` of a template passes through before it is escaped."""
    ours = hasattr(value, "__html__")
    return visible(value) if isinstance(value, str) and not ours else value


def styles(*, charts: bool = False) -> list[Markup]:
    """The look of a page."""
    names = [_vendored("uPlot.min.css")] if charts else []
    return [Markup(style) for style in [*names, _ours("report.css")]]  # noqa: S704  # our files


def _timeline(load: LoadResult | None) -> dict[str, Any] | None:
    if load is None or not load.timeline:
        return None
    points = timeline.thin(load.timeline, timeline.CHART_POINTS)
    return {
        "columns": Markup(timeline.as_columns(points)),  # noqa: S704  # numbers only
        "seconds": timeline.seconds_each(load.timeline, timeline.CHART_POINTS),
        "table": timeline.thin(load.timeline, timeline.TABLE_POINTS),
        "table_seconds": timeline.seconds_each(load.timeline, timeline.TABLE_POINTS),
    }


def security_policy(scripts: list[str]) -> str:
    """Only these scripts run, and nothing is fetched from anywhere."""
    if not scripts:
        return "default-src 'none'; style-src 'unsafe-inline'"
    sums = (hashlib.sha256(script.encode()).digest() for script in scripts)
    allowed = " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in sums)
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}"


@cache
def _ours(name: str) -> str:
    return (files("otpspec_reports") / "templates" / name).read_text(encoding="utf-8").strip()


@cache
def _vendored(name: str) -> str:
    return (files("otpspec_reports") / "vendor" / name).read_text(encoding="utf-8").strip()


@cache
def _uplot() -> str:
    """The chart library, its banner (which holds an address) replaced by its licence."""
    code = re.sub(r"\A/\*!.*?\*/\s*", "", _vendored("uPlot.iife.min.js"))
    return f"/*! uPlot. {_vendored('LICENSE')} */\n{code}"
