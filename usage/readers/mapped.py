"""Logs of one's own: CSV, JSON lines or Parquet whose columns a mapping names.

    costsim load trace.csv --map ts=TIMESTAMP,input=ContextTokens,output=GeneratedTokens,model=:openai/gpt-4o

Beside counts and prices, calls have a component, an agent, a task, a session, a user, a team, a project, a repository,
a branch, and tags: `tags.env=ENVIRONMENT`.

A value that begins with a colon is a constant. A mapping file (YAML, JSON, TOML) says the same and more:

    columns: {ts: TIMESTAMP, input: ContextTokens, output: GeneratedTokens}
    constants: {model: openai/gpt-4o, provider: openai}
    input_includes_cached: false
    recorded_unit: usd            # or cents
    time_unit: iso                # or epoch
    role: calls                   # or bill: what the provider charged; a bill needs recorded_usd only

Without an id column, a row's content and how often its file has repeated it name the call: equal rows of one file
are different calls, the same file under another name is not counted again. A file that starts anew under its old name
(a rotated log) adds to what it had before; so a row edited in place counts beside its old version.
"""

from __future__ import annotations

import re
from os.path import isfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...documents import did_you_mean, read_document, validate
from ...errors import UsageLogError
from ...tokens import CACHE_CLASSES, MEDIA_CLASSES, PRICED_AS, TOKEN_CLASSES
from ..processing import processing
from ..reader import DIMENSIONS, MAPPED, Reader, Role, identifier, text
from ..tags import TAG
from .restated import ROW_OF_A_TABLE

OF_CALL = ("id", "response_id", "ts", "model", "provider", "component", "agent", "task", "session", *DIMENSIONS)
TEXTS = (*OF_CALL, "processing", "status", "recorded_usd")
NAMES = (*TOKEN_CLASSES, *TEXTS)
DECLARED = ("input_includes_cached", "includes_media", "recorded_unit", "time_unit", "role")


class Mapping(BaseModel):
    """Which column holds what; names are those of `usage_event`, `id` the call's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, str] = Field(min_length=1)
    constants: dict[str, str] = {}
    input_includes_cached: bool = False
    includes_media: bool = False
    recorded_unit: Literal["usd", "cents"] = "usd"
    time_unit: Literal["iso", "epoch"] = "iso"
    role: Role = "calls"

    @model_validator(mode="after")
    def _known_names(self) -> Mapping:
        for name in (*self.columns, *self.constants):
            if name not in NAMES and not (name.startswith(TAG) and name != TAG):
                raise ValueError(f"calls have no field {name!r}{did_you_mean(name, [*NAMES, f'{TAG}NAME'])}")
        for name in {*self.constants} & {*TOKEN_CLASSES}:
            if not re.fullmatch(r"[0-9]{1,12}", self.constants[name]):
                raise ValueError(f"{name} is a count; {self.constants[name]!r} is not a whole number")
        if "ts" not in self.columns:
            raise ValueError("say which column holds the time: ts=COLUMN")
        if not set(self.columns) & set(TOKEN_CLASSES) and not (self.role == "bill" and "recorded_usd" in self.columns):
            raise ValueError(f"map at least one count: {', '.join(TOKEN_CLASSES)}")
        return self

    def within(self, name: str) -> list[str]:
        """The classes that are counted within another one's column, as far as they have columns of their own."""
        parts = [part for part in MEDIA_CLASSES if self.includes_media and PRICED_AS[part][0] == name]
        if name == "input" and self.input_includes_cached:
            parts += [part for part in CACHE_CLASSES if not (self.includes_media and part in MEDIA_CLASSES)]
        return [part for part in parts if part in self.columns]


def parse_mapping(text: str) -> Mapping:
    """`ts=TIME,input=TOKENS,model=:constant`, or the path of a mapping file. Raises UsageLogError."""
    if "=" not in text or isfile(text):
        return validate(read_document(Path(text), UsageLogError), Mapping, UsageLogError)
    pairs = [part.partition("=") for part in text.split(",")]
    columns = {name.strip(): value.strip() for name, _, value in pairs if not value.strip().startswith(":")}
    constants = {name.strip(): value.strip()[1:] for name, _, value in pairs if value.strip().startswith(":")}
    declared = {name: columns.pop(name) for name in DECLARED if name in columns}
    try:
        return Mapping.model_validate({"columns": columns, "constants": constants, **declared})
    except ValueError as error:
        from pydantic import ValidationError

        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise UsageLogError(said.removeprefix("Value error, "), key="--map") from None


def mapped_reader(mapping: Mapping) -> Reader:
    """The reader that a mapping means. A file without one of its columns raises UsageLogError as it is loaded."""
    values = {name: _value(name, mapping) for name in mapping.columns}
    values |= {name: f"$constant_{number}::VARCHAR" for number, name in enumerate(mapping.constants)}
    tags = {name: sql for name, sql in values.items() if name.startswith(TAG)}
    selected = [f"{sql} AS {_target(name)}" for name, sql in values.items() if name not in tags]
    pairs = ", ".join(f"{text(name.removeprefix(TAG))}, {sql}" for name, sql in tags.items())
    selected += [f"json_object({pairs}) AS tags"] if tags else []
    return Reader(
        name=MAPPED,
        origin="own table",
        doc="costsim load --map",
        columns={name: "HUGEINT" if name in TOKEN_CLASSES else "VARCHAR" for name in mapping.columns},
        sql=f"SELECT file_id, line, {', '.join(selected)} FROM record",  # noqa: S608 (names are ours, constants bound)
        recognises=lambda _: False,
        input_includes_cached=mapping.input_includes_cached,
        ordered=True,
        needs=tuple(mapping.columns.values()),
        parameters={f"constant_{number}": value for number, value in enumerate(mapping.constants.values())},
        keys=mapping.columns,
        counted=tuple(mapping.columns.values()),
        role=mapping.role,
        replaced=() if "id" in mapping.columns or "id" in mapping.constants else (ROW_OF_A_TABLE,),
        unique_by="the id column, else the row's content and its count in the file",
        sample="real: Azure's public trace of code completion, 2023-11",
    )


def _target(name: str) -> str:
    return identifier("event_id" if name == "id" else name)


def _value(name: str, mapping: Mapping) -> str:
    quoted = identifier(name)
    match name:
        case "id":
            return f"'mapped:' || nullif({quoted}, '')"
        case "ts":
            return f"utc_epoch({quoted})" if mapping.time_unit == "epoch" else f"utc({quoted})"
        case "processing" | "status":
            text = f"nullif(trim({quoted}), '')"
            return processing(text) if name == "processing" else text
        case "recorded_usd" if mapping.recorded_unit == "cents":
            exact = f"(TRY_CAST({quoted} AS DECIMAL(30, 12)) * DECIMAL '0.01')::VARCHAR"
            return f"coalesce({exact}, 'cents: ' || {quoted})"  # no amount: a reject that shows it
        case _:
            return quoted + "".join(f" - coalesce({identifier(part)}, 0)" for part in mapping.within(name))
