"""`costsim profile`: fits a session to every part of a store, and writes the architecture file that has them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from ...plurals import counted
from ...version import __version__
from ..architecture.amounts import Part
from ..architecture.distributions import Floats
from ..architecture.session import Session, distribution_of
from ..simulation.sessions.profile import draw_sessions
from ..simulation.sessions.rules import SessionRules
from ..spend.observe import Key, component_names, reference
from ..spend.query import Filter
from .amounts import FittedAmount, by_moments, rounded
from .fit import WALKED, fit_session
from .quality import LOGGED, class_fits, cost_error, explained_percent, rate_error, uncertainty
from .results import FittedKey, GapHits, ProfileFit, Profiles
from .turns import By, LoggedPart, logged_parts
from .written import flow, written_yaml

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ENOUGH = 20
MIXED = 0.05


def profile(
    connection: DuckDBPyConnection,
    name: str,
    *,
    by: By = "component",
    where: Sequence[Filter] = (),
    since: date | None = None,
    until: date | None = None,
    prices: Mapping[str, Any] | None = None,
) -> Profiles:
    """The sessions that a store's calls of those days (UTC) show, per component or task, agent and model.

    `name` is the store's, `prices` the keys `book` and `prices` that the file is to have. Raises CostsimError where no
    single call is chosen.
    """
    parts = logged_parts(connection, by, where, since, until)
    keys: list[Key] = [
        (part.about["name"], part.about["agent"], "", part.about["provider"], part.about["model"]) for part in parts
    ]
    names = component_names(keys)
    fits = [_fit(part, names[key], by) for part, key in zip(parts, keys, strict=True)]
    return Profiles(
        store=name, by=by, fits=fits, yaml=written_yaml(name, fits, prices or {}), costsim_version=__version__
    )


def _fit(part: LoggedPart, name: str, by: By) -> ProfileFit:
    about = part.about
    single = part.sessions["turns"].max() == 1
    keys, uses, tokens = _call(part) if single else _session(part)
    errors = cost_error(part), rate_error(part)
    return ProfileFit(
        name=name,
        agent=about["agent"],
        model=reference(about["provider"], about["model"]),
        sessions=part.count,
        calls=about["calls"],
        first=about["first"],
        last=about["last"],
        keys=keys,
        gaps=[GapHits(gap=gap, turns=turns, read_percent=round(100 * read, 2)) for gap, turns, read in part.gaps],
        classes=class_fits(part, {key: float(amounts.mean()) for key, amounts in tokens.items()}),
        compactions=int(part.sessions["compactions"].sum()),
        largest_context=int(part.sessions["largest"].max()),
        explained_percent=explained_percent(part, tokens),
        cost_error_percent=None if errors[0] is None else round(100 * errors[0], 1),
        rate_error_percent=round(100 * errors[1], 1),
        notes=_notes(part),
        component=_component(part, name, by, uses, errors),
    )


def _session(part: LoggedPart) -> tuple[list[FittedKey], dict[str, Any], dict[str, Floats]]:
    """The keys of a fitted session, what the component says of it, and tokens of drawn ones by class."""
    fit = fit_session(part)
    rules = SessionRules.of(fit.session)
    sums = draw_sessions(rules, (), WALKED).sums[:, 0, :-1]
    tokens = dict(zip(rules.classes, sums.T, strict=True))
    said = _stated(fit.session)
    units = {"turns": "turns", "gap": "seconds"}
    keys = [_key(key, found, units.get(key, "tokens")) for key, found in fit.keys.items() if key in said]
    return keys, {"session": said}, tokens


def _stated(session: Session) -> dict[str, Any]:
    """The keys that the file has: those that are not the defaults, and the cache."""
    data: dict[str, Any] = {}
    for key in Session.model_fields:
        value = getattr(session, key)
        if key in ("turns", "cache") or (value and value != Session.model_fields[key].default):
            data[key] = as_data(value)
    return data


def as_data(value: Any) -> Any:
    """An amount, or a part of the file, as its YAML has it."""
    if isinstance(value, Part):
        return {key: as_data(part) for key, part in value if key in value.model_fields_set}
    return value


def _key(key: str, fitted: FittedAmount, unit: str) -> FittedKey:
    return FittedKey(
        key=key, written=flow(as_data(fitted.amount)), mean=round(fitted.mean, 4), unit=unit,
        standard_error=None if fitted.standard_error is None else round(fitted.standard_error, 4),
        distance=None if fitted.distance is None else round(fitted.distance, 4),
    )  # fmt: skip


def _call(part: LoggedPart) -> tuple[list[FittedKey], dict[str, Any], dict[str, Floats]]:
    """The same keys as for a session, for parts whose runs are single calls: tokens by class."""
    rng, keys, said, tokens = np.random.default_rng(0), [], {}, {}
    for name in LOGGED:
        fitted = FittedAmount(by_moments(part.mean(name), part.deviation(name)), part.mean(name), part.error(name))
        if fitted.amount:
            said[name] = as_data(fitted.amount)
            keys.append(_key(name, fitted, "tokens"))
            tokens[name] = distribution_of(fitted.amount).draw(rng, (WALKED,))
    return keys, {"tokens": said or {"output": Decimal(0)}}, tokens or {"output": np.zeros(1)}


def _component(
    part: LoggedPart, name: str, by: By, uses: dict[str, Any], errors: tuple[float | None, float]
) -> dict[str, Any]:
    about = part.about
    tasks = [about["name"]] if by == "task" else about["tasks"]
    both = math.sqrt((1 + (errors[0] or 0.0) ** 2) * (1 + errors[1] ** 2) - 1)
    return {
        "name": name,
        **({"agent": about["agent"]} if about["agent"] else {}),
        **({"task": tasks[0]} if len(tasks) == 1 and tasks[0] else {}),
        "model": reference(about["provider"], about["model"]),
        **({"processing": about["processings"][0]} if about["processings"] not in (["standard"], []) else {}),
        "runs_per_day": {"poisson": rounded(part.count / part.days)},
        "uncertainty": uncertainty(both),
        **uses,
    }


def _notes(part: LoggedPart) -> list[str]:
    """What the profile leaves out, or derives from few calls."""
    about, sums = part.about, {name: float(part.sessions[name].sum()) for name in LOGGED}
    written = sums["cache_write_5m"] + sums["cache_write_1h"]
    minor = min(sums["cache_write_5m"], sums["cache_write_1h"])
    notes = (
        [f"{counted(part.count, 'session')} only: {ENOUGH} or more show how much they vary"]
        if part.count < ENOUGH
        else []
    )
    if written and minor > MIXED * written:
        other = "1h" if sums["cache_write_1h"] < sums["cache_write_5m"] else "5m"
        notes.append(f"{minor / written:.0%} of the cache writes live {other}; the profile has one ttl")
    if about["web_searches"]:
        notes.append(f"{about['web_searches']:,} web searches are in no session's profile")
    if about["media"]:
        notes.append(f"{about['media']:,} tokens of audio and images are in the profile as text, at the price of text")
    if len(about["processings"]) > 1:
        notes.append(f"calls are of several processings ({', '.join(about['processings'])}); the first is stated")
    if part.sessions["compactions"].sum():
        notes.append("compactions are seen where a context falls to less than half; their calls are not part of it")
    return notes
