"""Fitted profiles for a terminal and for other programs: what was fitted, and how good it is."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from ..analysis.profile.results import ClassFit, ProfileFit, Profiles
from ..analysis.profile.written import about
from ..json_text import json_text
from ..money import MINUS
from ..plurals import counted
from .escaping import inert
from .fitted import Fitted, TableColumn
from .numbers import count

LEGEND = (
    "within P10-P90: logged sessions whose cost, at usual price ratios, is in the profile's range (ideal: 80 %). "
    "cost known to: the standard error of a session's mean cost. The last three: mean tokens of a fitted session "
    "compared with a logged one; new input is uncached or written to a cache."
)
CLASSES = {"cache_read": "cache read", "new_input": "new input", "output": "output"}


def print_profiles(found: Profiles, console: Console) -> None:
    """A table of how good every fit is, then each fit key by key."""
    columns = [
        TableColumn(found.by, "key"), TableColumn("model", "label", goes=2), TableColumn("sessions"),
        TableColumn("calls", goes=3), TableColumn("within P10-P90"), TableColumn("cost known to"),
        *(TableColumn(title) for title in CLASSES.values()),
    ]  # fmt: skip
    title = f"{found.store}: sessions fitted to what was logged"
    console.print(Fitted(columns, [_row(fit) for fit in found.fits], title=title))
    console.print(Text(LEGEND))
    for fit in found.fits:
        _print_fit(fit, console)


def _row(fit: ProfileFit) -> list[str]:
    return [
        inert(fit.name), inert(fit.model), count(fit.sessions), count(fit.calls), _percent(fit.explained_percent),
        _percent(fit.cost_error_percent), *(_difference(part) for part in fit.classes),
    ]  # fmt: skip


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:g} %"


def _difference(part: ClassFit) -> str:
    return "none" if part.difference_percent is None else f"{part.difference_percent:+.1f} %".replace("-", MINUS)


def _print_fit(fit: ProfileFit, console: Console) -> None:
    console.print()
    console.print(Text(f"{fit.name} on {fit.model}, {fit.first} to {fit.last}", style="bold"))
    for key in fit.keys:
        console.print(Text(f"  {key.key}: {key.written}  ({about(key)})"))
    for hits in fit.gaps:
        turns = counted(hits.turns, "turn")
        console.print(Text(f"  after {hits.gap}: {hits.read_percent:g} % of the context read from the cache ({turns})"))
    if fit.compactions:
        console.print(Text(f"  compaction: {fit.compactions:,} seen; largest context {fit.largest_context:,}"))
    for note in fit.notes:
        console.print(Text(f"  {note}", style="yellow"))


def as_json(found: Profiles) -> str:
    """The fits as they are."""
    return json_text(found)
