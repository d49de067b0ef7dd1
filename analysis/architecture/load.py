"""Reading an architecture: its file, the routing and cron files that it names, every reference resolved.

YAML, JSON or TOML; unknown keys are errors. The article's own files are taken as they are: a `model_routing`
mapping and a `crons` list may stand in the file itself or in files of their own that it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pydantic import ConfigDict

from ...documents import Document, did_you_mean, parse_document, read_document, read_named, validate
from ...errors import ArchitectureError, CostsimError, OutputError
from ...yaml_nodes import KeyPath
from ..routing.resolve import FALLBACK
from .amounts import LogRate, Part, Poisson
from .component import Component, Cron, Defaults, TokenProfile
from .escalation import with_evidence
from .model import Architecture, PriceKeys
from .policies import POLICIES
from .spawn import circle, spawned_names

FROM_CRON = ("schedule", "model", "agent", "task", "timezone", "tokens", "session", "calibrate", *POLICIES)
"""What a component takes from its cron where it says nothing itself."""
NO_USE = {
    "cache": "it has a cache of its own, session.cache",
    "batch_with": "its turns wait for one another, so that runs do not share a call",
}
NOT_OF_SESSIONS = frozenset(NO_USE)


class _RoutingFile(Part):
    """The article's routing file; other keys of it belong to routing decisions, not to costs."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    model_routing: dict[str, str]


class _CronFile(Part):
    crons: list[Cron]


@dataclass(frozen=True)
class _Entry:
    """A component, and where its words stand: its own entry, or that of the cron that it is."""

    component: Component
    document: Document
    path: KeyPath

    def wrong(self, message: str, *key: str) -> Exception:
        """An ArchitectureError that names the component and the place."""
        message = f"{self.component.name!r}: {message}"
        return self.document.error(ArchitectureError, message, (*self.path, *key))


@dataclass(frozen=True)
class LoadedArchitecture:
    """An architecture with the document that it stands in, and all `files` that it was read from."""

    architecture: Architecture
    document: Document
    files: tuple[Path, ...]

    def place_of(self, component: str) -> KeyPath | None:
        """Where the file itself lists the component; None for a cron that is one."""
        return self._places.get(component)

    @cached_property
    def _places(self) -> dict[str, KeyPath]:
        listed = self.document.data.get("components") or []
        return {given.get("name"): ("components", n) for n, given in reversed([*enumerate(listed)])}

    def line_of(self, component: str) -> int | None:
        """The line at which the file lists the component; None where it does not, or the format has no lines."""
        place = self.place_of(component)
        return self.document.line(place) if place else None


def read_architecture(file: Path) -> Architecture:
    """The architecture in `file` alone; raises as `load_architecture`."""
    return load_architecture(file).architecture


def readable_again(file: Path, text: str) -> LoadedArchitecture:
    """The architecture that `file` will be once this text is written. Raises OutputError where it would be none."""
    try:
        return load_architecture(file, parse_document(file, text, ArchitectureError))
    except CostsimError as error:
        raise OutputError(f"{file} is not written, for it could not be read again: {error}") from None


def read_price_keys(file: Path) -> PriceKeys:
    """The base book and the overlays of the architecture in `file`, and nothing else. Raises ArchitectureError."""
    document = read_document(file, ArchitectureError)
    keys = validate(document, PriceKeys, ArchitectureError)
    _check_overlays(keys.prices, document)
    return keys


def _check_overlays(files: Sequence[Path], document: Document) -> None:
    """Raises ArchitectureError where an overlay cannot be read, with the place that names it."""
    listed = isinstance(document.data["prices"], list) if files else False
    for number, file in enumerate(files):
        read_named(file, document, "prices", *([number] if listed else []), kind=ArchitectureError)


def load_architecture(file: Path, document: Document | None = None) -> LoadedArchitecture:
    """The architecture in `file`, its routing and cron files read in, every reference resolved.

    `document` is the file's, where it has been read already.

    Raises ArchitectureError, in one line that says what, where (file, line, key) and how to fix it.
    """
    document = document or read_document(file, ArchitectureError)
    architecture = validate(document, Architecture, ArchitectureError)
    _check_overlays(architecture.prices, document)
    if isinstance(architecture.budgets, Path):  # whether they can be read is said here, with the place
        read_named(architecture.budgets, document, "budgets", kind=ArchitectureError)
    crons, cron_document = _crons(architecture, document)
    entries = _entries(architecture, document, crons, cron_document)
    spawned = spawned_names(entry.component for entry in entries)
    taken: set[str] = set()
    for entry in entries:
        _check(entry, taken, spawned)
        taken.add(entry.component.name)
    if not entries:
        raise document.error(ArchitectureError, "there is nothing to run: list components, or crons")
    _check_spawns(entries)
    complete = architecture.model_copy(
        update={
            "name": architecture.name or file.stem,
            "model_routing": _routing(architecture, document),
            "crons": crons,
            "components": [entry.component for entry in entries],
        }
    )
    _check_plans(complete, document)
    for entry in entries:
        _check_policies(entry, complete.model_routing)
        _check_chances(entry)
    counted = with_evidence(complete, lambda n, message: entries[n].wrong(message, "escalate", "probability"))
    named = (architecture.routing, architecture.crons, architecture.budgets)
    return LoadedArchitecture(counted, document, (file, *(path for path in named if isinstance(path, Path))))


def _routing(architecture: Architecture, document: Document) -> dict[str, str]:
    if architecture.routing is None:
        return architecture.model_routing
    document = read_named(architecture.routing, document, "routing", kind=ArchitectureError)
    return validate(document, _RoutingFile, ArchitectureError).model_routing | architecture.model_routing


def _crons(architecture: Architecture, document: Document) -> tuple[list[Cron], Document]:
    """The crons, and the document that they stand in."""
    if isinstance(architecture.crons, list):
        crons = architecture.crons
    else:
        document = read_named(architecture.crons, document, "crons", kind=ArchitectureError)
        crons = validate(document, _CronFile, ArchitectureError).crons
    taken: set[str] = set()
    for index, cron in enumerate(crons):
        if cron.name in taken:
            message = f"another cron is named {cron.name!r}; give this one a name of its own"
            raise document.error(ArchitectureError, message, ("crons", index, "name"))
        taken.add(cron.name)
    return crons, document


def _entries(
    architecture: Architecture, document: Document, crons: list[Cron], cron_document: Document
) -> list[_Entry]:
    """Components that name a cron take its schedule and model; a cron that none names is one itself."""
    by_name = {cron.name: cron for cron in crons}
    entries = [_Entry(c, document, ("components", n)) for n, c in enumerate(architecture.components)]
    named = {component.cron for component in architecture.components}
    for index, cron in enumerate(crons):
        if cron.name not in named:
            entries.append(_Entry(Component(name=cron.name, cron=cron.name), cron_document, ("crons", index)))
    for entry in entries:
        if entry.component.cron is not None and entry.component.cron not in by_name:
            near = did_you_mean(entry.component.cron, sorted(by_name))
            raise entry.wrong(f"there is no cron {entry.component.cron!r}{near}", "cron")
    return [replace(e, component=_complete(e.component, by_name, architecture)) for e in entries]


def _complete(component: Component, crons: dict[str, Cron], architecture: Architecture) -> Component:
    """The component with what its cron and the file's defaults say filled in; its own words win."""
    cron, defaults = crons.get(component.cron) if component.cron else None, architecture.defaults
    if cron:
        component = _filled(component, cron, FROM_CRON)
    uses = component.session or component.tokens or component.calibrate
    if defaults and not uses:
        component = component.model_copy(update={"tokens": defaults.profile})
    component = _with_session(component)
    if architecture.growth and component.growth is None:
        component = component.model_copy(update={"growth": architecture.growth})
    return _filled(component, defaults, _fitting(component)) if defaults else component


def _with_session(component: Component) -> Component:
    """A session stands in `tokens`, wherever it was written."""
    if component.session is None:
        return component
    profile = TokenProfile.model_construct({"session"}, session=component.session)
    return component.model_copy(update={"tokens": profile, "session": None})


def _fitting(component: Component) -> Iterable[str]:
    """The policies that a component takes from the file's defaults: a session has a cache of its own."""
    unfit = {*(NOT_OF_SESSIONS if _is_session(component) else ()), *(("batch_with",) if component.interactive else ())}
    return [name for name in POLICIES if name not in unfit]


def _filled(component: Component, source: Cron | Defaults, keys: Iterable[str]) -> Component:
    """What the source says of those keys, where the component (or a source before) says nothing."""
    said = {key: getattr(source, key) for key in keys if key not in component.model_fields_set}
    return component.model_copy(update={key: value for key, value in said.items() if value is not None})


def _check(entry: _Entry, taken: set[str], spawned: frozenset[str]) -> None:
    """What only shows once the crons and defaults are in. Raises ArchitectureError."""
    component = entry.component
    if component.name in taken:
        raise entry.wrong("another component has this name; names distinguish the rows of a result", "name")
    if component.schedule is not None and component.runs_per_day is not None:
        raise entry.wrong("say when it runs: either schedule (a cron expression) or runs_per_day, not both")
    if component.schedule is None and component.runs_per_day is None and component.name not in spawned:
        raise entry.wrong(
            "say when it runs: either schedule (a cron expression) or runs_per_day; or let another component spawn it"
        )
    if (component.tokens is None) == (component.calibrate is None):
        raise entry.wrong("say what a run uses: either tokens or calibrate, or a session")
    if _is_session(component):
        for policy in sorted(component.stated & NOT_OF_SESSIONS):
            raise entry.wrong(f"a session cannot state {policy}: {NO_USE[policy]}", policy)


def _is_session(component: Component) -> bool:
    """Whether a run is a session, as stated or as logged."""
    tokens = component.tokens
    return bool(tokens and (tokens.session or (tokens.from_usage and tokens.from_usage.by == "session")))


def _check_spawns(entries: list[_Entry]) -> None:
    """Every spawned component is there, and none spawns itself, directly or not. Raises ArchitectureError."""
    by_name = {entry.component.name: entry for entry in entries}
    for entry in entries:
        for n, spawn in enumerate(entry.component.spawns):
            if spawn.component not in by_name:
                near = did_you_mean(spawn.component, sorted(by_name))
                raise entry.document.error(
                    ArchitectureError,
                    f"{entry.component.name!r}: there is no component {spawn.component!r} to spawn{near}",
                    (*entry.path, "spawns", n, "component"),
                )
    found = circle({name: entry.component for name, entry in by_name.items()})
    if found:
        raise by_name[found[0]].wrong(f"spawns go in a circle: {' -> '.join(found)}; take one of them out", "spawns")


def _check_plans(architecture: Architecture, document: Document) -> None:
    """A plan moves components and tasks that exist. Raises ArchitectureError."""
    components = {component.name for component in architecture.components}
    tasks = {component.task for component in architecture.components}
    tasks |= {*architecture.model_routing, FALLBACK}
    for name, plan in architecture.plans.items():
        for kind, key, moved, known in (
            ("component", "components", plan.components, components),
            ("task", "model_routing", plan.model_routing, tasks),
        ):
            for what in moved:
                if what not in known:
                    message = f"there is no {kind} {what!r}{did_you_mean(what, sorted(known))}"
                    raise document.error(ArchitectureError, message, ("plans", name, key, what))


def _check_policies(entry: _Entry, routing: dict[str, str]) -> None:
    """Policies name keys of the routing, or models in full. Raises ArchitectureError."""
    for where, key in entry.component.model_keys.items():
        if key not in routing and "/" not in key:
            near = did_you_mean(key, sorted(routing))
            message = f"the routing has no key {key!r}{near}; or write a model in full, as provider/model"
            raise entry.wrong(message, *where.split("."))


def _check_chances(entry: _Entry) -> None:
    """Freshness is compared with a schedule or a Poisson rate; others need a hit rate. Raises ArchitectureError."""
    component = entry.component
    if component.schedule is not None or isinstance(component.runs_per_day, Poisson | LogRate | None):
        return
    if component.fresh_for and component.fresh_for.hit_rate is None:
        message = "with runs_per_day a ttl gives no hit rate unless runs are poisson; state a hit_rate"
        raise entry.wrong(message, "fresh_for")
