"""Results in, pages out: the HTML report, the JUnit file, the summary and the terminal's table.

Each page is made from `otpspec.results.Results` alone; nothing here asks a target anything.
"""

from collections.abc import Callable
from pathlib import Path

from otpspec.results import Results, write
from otpspec_reports import html, junit, markdown
from otpspec_reports.conclusion import Conclusion, Summary, conclude, lost_workers
from otpspec_reports.terminal import table

__all__ = ["Conclusion", "Summary", "conclude", "lost_workers", "table", "write_all"]

_PAGES: dict[str, Callable[[Results], str]] = {
    "report.html": html.render,
    "junit.xml": junit.render,
    "summary.md": markdown.render,
}


def write_all(results: Results, directory: Path) -> list[Path]:
    """Write results.json, report.html, junit.xml and summary.md; answer where they are.

    The directory is made if it is missing. Each file is written whole or not at all, results.json
    first, so that nothing measured is lost should a page fail.

    Raises OSError where the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = [directory / "results.json"]
    write(results, written[0])
    for name, render in _PAGES.items():
        path = directory / name
        draft = path.with_name(f"{name}.tmp")
        draft.write_text(render(results), encoding="utf-8")
        draft.replace(path)
        written.append(path)
    return written
