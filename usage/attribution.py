"""Who made a call: rules that give logged calls their component, agent and task.

    attribution:
      - match: {session: "nightly-*", model: "*haiku*"}     # all must match; globs
        component: nightly-scan
        agent: cio
        task: monitoring
      - match: {file: "*/projects/website/*"}
        component: website

The first rule that matches wins; what none matches stays `unattributed`, with its agent and task as logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..documents import did_you_mean, read_document, validate
from ..errors import UsageLogError
from .tags import TAG, tag_value

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIELDS = {
    "source": "usage_event.source",
    "provider": "usage_event.provider",
    "model": "usage_event.model",
    "session": "usage_event.session",
    "agent": "usage_event.logged_agent",
    "task": "usage_event.logged_task",
    "processing": "usage_event.processing",
    "status": "usage_event.status",
    "file": "load.path",
}
UNATTRIBUTED = "unattributed"


class Rule(BaseModel):
    """One rule: what the fields must match (globs, case as written), and what it says of the call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: dict[str, str] = Field(min_length=1)
    component: str = Field(min_length=1, max_length=200)
    agent: str | None = None
    task: str | None = None

    @field_validator("match", mode="before")
    @classmethod
    def _known_fields(cls, match: object) -> object:
        for name in match if isinstance(match, dict) else ():
            if name not in FIELDS and not str(name).startswith(TAG):
                known = [*FIELDS, f"{TAG}NAME"]
                raise ValueError(f"calls have no field {name!r}{did_you_mean(str(name), known)}")
        return match


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
    component = _case(conditions, [f"$component_{n}" for n in range(len(rules))], f"'{UNATTRIBUTED}'")
    agent = _case(conditions, [f"coalesce($agent_{n}, logged_agent)" for n in range(len(rules))], "logged_agent")
    task = _case(conditions, [f"coalesce($task_{n}, logged_task)" for n in range(len(rules))], "logged_task")
    for number, rule in enumerate(rules):
        values |= {f"component_{number}": rule.component, f"agent_{number}": rule.agent, f"task_{number}": rule.task}
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
        field = FIELDS.get(name)
        if field is None:
            field = tag_value(name)
        parts.append(f"coalesce({field}, '') GLOB $pattern_{number}_{place}")
    return " AND ".join(parts)


def _case(conditions: list[str], results: list[str], otherwise: str) -> str:
    pairs = zip(conditions, results, strict=True)
    whens = "".join(f" WHEN {condition} THEN {result}" for condition, result in pairs)
    return f"CASE{whens} ELSE {otherwise} END" if conditions else otherwise
