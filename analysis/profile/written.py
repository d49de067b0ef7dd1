"""The architecture file of fitted profiles, with what each key rests on beside it: for a person to edit, and to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...plurals import counted
from ...shown import shortened
from ...yaml_text import yaml_scalar
from ..spend.observe import MAX_NAME
from .results import FittedKey, ProfileFit

WIDTH = 66
"""Where comments begin."""


def written_yaml(store: str, fits: Sequence[ProfileFit], prices: Mapping[str, Any]) -> str:
    """The file's text: what `costsim run` takes as it is."""
    first, last = min(fit.first for fit in fits), max(fit.last for fit in fits)
    lines = [
        f"# Fitted by costsim profile to {_in_comment(store)}, {first} to {last}. "
        "Edit what you know better; costsim run takes it.",
        "# Comments say what was logged: means with standard errors. Means decide the cost, so the fit keeps them.",
        f"name: {yaml_scalar(store[:MAX_NAME])}",
        *(f"{key}: {flow(value)}" for key, value in prices.items()),
        f"model_routing: {{fallback: {yaml_scalar(max(fits, key=lambda fit: fit.calls).model)}}}",
        "components:",
    ]
    for fit in fits:
        lines += _component(fit)
    return "\n".join(lines) + "\n"


def _component(fit: ProfileFit) -> Iterator[str]:
    calls = f"{counted(fit.sessions, 'session')} of {counted(fit.calls, 'call')}"
    calls = calls if fit.sessions != fit.calls else counted(fit.calls, "call")
    yield f"  # {calls}{_explained(fit)}"
    for note in fit.notes:
        yield f"  # {_in_comment(note)}"
    said = dict(fit.component)
    yield f"  - name: {yaml_scalar(said.pop('name'))}"
    about = {key.key: key for key in fit.keys}
    for key, value in said.items():
        if key in ("session", "tokens"):
            yield f"    {key}:"
            for inner, amount in value.items():
                yield _line(f"      {inner}: {flow(amount)}", _of_key(about.get(inner), inner, fit))
        else:
            yield _line(f"    {key}: {flow(value)}", _of_component(key, fit))


def _explained(fit: ProfileFit) -> str:
    if fit.explained_percent is None:
        return ""
    return f"; {fit.explained_percent:g} % of them cost what is within the profile's P10 to P90 (80 % would be ideal)"


def _of_component(key: str, fit: ProfileFit) -> str:
    if key == "runs_per_day":
        return f"{fit.sessions:,} from {fit.first} to {fit.last}, known to {fit.rate_error_percent:g} %"
    if key == "uncertainty":
        cost = "not known" if fit.cost_error_percent is None else f"known to {fit.cost_error_percent:g} %"
        return f"mean cost of a session {cost}, and the rate as above"
    return ""


def _of_key(found: FittedKey | None, key: str, fit: ProfileFit) -> str:
    if key == "cache":
        return "; ".join(f"{hits.read_percent:g} % read after {hits.gap} ({hits.turns:,})" for hits in fit.gaps)
    if key == "compaction":
        return f"{fit.compactions:,} seen"
    if key == "prompt_cached":
        return "share of the first context that was read from a cache"
    return about(found) if found else ""


def about(found: FittedKey) -> str:
    """The logged mean with its standard error, and how far the fitted distribution is from the logged one."""
    error = "" if not found.standard_error else f" ± {_plain(found.standard_error)}"
    mean = f"median {_plain(found.mean)}" if found.key == "gap" else f"mean {_plain(found.mean)}{error}"
    far = f"; distributions differ by {found.distance:.0%} at most" if found.distance else ""
    return f"{mean} {found.unit}{far}"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.4g}"


def _line(text: str, comment: str) -> str:
    return f"{text:<{WIDTH}}  # {comment}" if comment else text


def flow(data: Any) -> str:
    """Data on one line, as YAML has it."""
    if isinstance(data, Mapping):
        return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in data.items()) + "}"
    if isinstance(data, list):
        return "[" + ", ".join(map(flow, data)) + "]"
    return f"{data:f}" if isinstance(data, Decimal) else yaml_scalar(str(data))


def _in_comment(text: str) -> str:
    """A text that ends no comment: on one line, and of a length that people read."""
    return shortened("".join(char if char.isprintable() else " " for char in text))
