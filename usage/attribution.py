"""Who made a call: rules that give logged calls their component, agent and task.

    attribution:
      - match: {session: "nightly-*", model: "*haiku*"}     # all must match; globs
        component: nightly-scan
        agent: cio
        task: monitoring
      - match: {source: claude-code}
        component: "{tags.cwd|basename}"                    # one rule for all projects: a field's value

The first rule that matches wins; what none matches has the component that its source says, else it stays
`unattributed`, with its agent and task as logged. A value in braces is that of the call's field, `|basename` its last
part and `|lower` its lower case; where the call has no such field, a rule for its component does not apply.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..documents import did_you_mean, read_document, validate
from ..errors import UsageLogError
from .reader import DIMENSIONS, text
from .tags import TAG, tag_value

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIELDS = {
    "source": "usage_event.source",
    "component": "usage_event.logged_component",
    "provider": "usage_event.provider",
    "model": "usage_event.model",
    "session": "usage_event.session",
    **{name: f'usage_event."{name}"' for name in DIMENSIONS},
    "agent": "usage_event.logged_agent",
    "task": "usage_event.logged_task",
    "processing": "usage_event.processing",
    "status": "usage_event.status",
    "file": "load.path",
}
UNATTRIBUTED = "unattributed"
FILTERS = {
    "": "{}",
    "basename": r"regexp_extract(rtrim({}, '/\\'), '[^/\\\\]*$')",
    "lower": "lower({})",
}
PLACEHOLDER = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")


class Rule(BaseModel):
    """One rule: what the fields must match (globs, case as written), and what it says of the call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: dict[str, str] = Field(default={}, description="globs; without any, all calls match")
    component: str = Field(min_length=1, max_length=200)
    agent: str | None = Field(default=None, min_length=1)
    task: str | None = Field(default=None, min_length=1)

    @field_validator("match", mode="before")
    @classmethod
    def _known_fields(cls, match: object) -> object:
        for name in match if isinstance(match, dict) else ():
            if name not in FIELDS and not str(name).startswith(TAG):
                raise _no_field(str(name))
        return match

    @field_validator("component", "agent", "task")
    @classmethod
    def _known_placeholders(cls, value: str | None) -> str | None:
        for name, filter in PLACEHOLDER.findall(value or ""):
            if name not in FIELDS and not name.startswith(TAG):
                raise _no_field(name)
            if filter not in FILTERS:
                raise ValueError(f"there is no filter {filter!r}; known: basename, lower")
        return value


def _no_field(name: str) -> ValueError:
    return ValueError(f"calls have no field {name!r}{did_you_mean(name, [*FIELDS, f'{TAG}NAME'])}")


class Attribution(BaseModel):
    """A file of rules; other keys of a larger config are not ours."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    attribution: list[Rule]

    @model_validator(mode="after")
    def _some(self) -> Attribution:
        if not self.attribution:
            raise ValueError("attribution lists no rule")
        return self


def read_attribution(file: Path) -> list[Rule]:
    """The rules of a YAML, JSON or TOML file. Raises UsageLogError with file, line and key."""
    return validate(read_document(file, UsageLogError), Attribution, UsageLogError).attribution


def kept_rules(connection: DuckDBPyConnection) -> list[Rule]:
    """The rules that were applied last: new calls follow them too."""
    row = connection.execute("SELECT rules FROM attribution").fetchone()
    return Attribution.model_validate_json(row[0]).attribution if row else []


def attribute(connection: DuckDBPyConnection, rules: Sequence[Rule]) -> int:
    """Keep the rules, and apply them to every call of the store, anew; days whose calls change are marked.

    Returns how many calls changed.
    """
    values: dict[str, object] = {}
    conditions = [_condition(rule, number, values) for number, rule in enumerate(rules)]
    component = _case(
        conditions, [_value(rule.component) for rule in rules], f"coalesce(logged_component, '{UNATTRIBUTED}')"
    )
    agent = _case(conditions, [f"coalesce({_value(rule.agent)}, logged_agent)" for rule in rules], "logged_agent")
    task = _case(conditions, [f"coalesce({_value(rule.task)}, logged_task)" for rule in rules], "logged_task")
    connection.execute("BEGIN")
    connection.execute("DELETE FROM attribution")
    kept = Attribution(attribution=list(rules)).model_dump_json()
    connection.execute("INSERT INTO attribution VALUES (?)", [kept])
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE attributed AS
        SELECT event_id, ts, {component} AS new_component, {agent} AS new_agent, {task} AS new_task
        FROM usage_event LEFT JOIN load USING (file_id)
        WHERE (component, agent, task) IS DISTINCT FROM (new_component, new_agent, new_task)
        """,  # noqa: S608 (fields are from FIELDS, values are bound)
        values,
    )
    connection.execute("INSERT OR IGNORE INTO touched_day SELECT DISTINCT ts::DATE FROM attributed")
    connection.execute("""
        UPDATE usage_event SET component = new_component, agent = new_agent, task = new_task
        FROM attributed WHERE usage_event.event_id = attributed.event_id
    """)
    connection.execute("COMMIT")
    row = connection.execute("SELECT count(*) FROM attributed").fetchone()
    return int(row[0]) if row else 0


def _condition(rule: Rule, number: int, values: dict[str, object]) -> str:
    parts = []
    for place, (name, pattern) in enumerate(rule.match.items()):
        values[f"pattern_{number}_{place}"] = pattern
        parts.append(f"coalesce({_field(name)}, '') GLOB $pattern_{number}_{place}")
    if PLACEHOLDER.search(rule.component):
        parts.append(f"{_value(rule.component)} IS NOT NULL")
    return " AND ".join(parts) or "TRUE"


def _field(name: str) -> str:
    return FIELDS.get(name) or tag_value(name)


def _value(template: str | None) -> str:
    """The SQL of a text with fields in braces; NULL where a call lacks one of them."""
    if template is None:
        return "NULL"
    parts, end = [], 0
    for found in PLACEHOLDER.finditer(template):
        parts += [text(template[end : found.start()])] * (found.start() > end)
        parts.append(f"nullif({FILTERS[found[2] or ''].format(_field(found[1]))}, '')")
        end = found.end()
    parts += [text(template[end:])] * (end < len(template))
    return f"({' || '.join(parts)})"


def _case(conditions: list[str], results: list[str], otherwise: str) -> str:
    pairs = zip(conditions, results, strict=True)
    whens = "".join(f" WHEN {condition} THEN {result}" for condition, result in pairs)
    return f"CASE{whens} ELSE {otherwise} END" if conditions else otherwise
