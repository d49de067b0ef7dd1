"""Verdicts in the forms that CI systems read.

`render` makes text of verdicts: `github` workflow commands, `junit` XML, `sarif` 2.1.0, `gitlab` code quality.
A pull request's comment is Markdown, begun by a marker so that it can be found and updated in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from ...analysis.verdicts import Verdict
from . import github, gitlab, junit, sarif

CiFormat = Literal["github", "junit", "sarif", "gitlab"]

RENDERERS: dict[CiFormat, Callable[[str, Sequence[Verdict]], str]] = {
    "github": github.render,
    "junit": junit.render,
    "sarif": sarif.render,
    "gitlab": gitlab.render,
}


def render(format: CiFormat, title: str, verdicts: Sequence[Verdict]) -> str:
    """Verdicts as text, ended by a line break. `title` names what was checked (untrusted, as all names)."""
    return RENDERERS[format](title, verdicts)


def comment(kind: Literal["check", "diff"], body: str) -> str:
    """A pull request's comment: the marker by which the next run finds it, then Markdown."""
    return f"<!-- costsim:{kind} -->\n{body}"
