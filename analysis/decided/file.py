"""decisions.yaml: what was decided, an entry each, written by `costsim decide` and by people.

    decisions:
      - id: move-3f9a2c01
        decision: accepted
        date: 2026-11-02
        month: 2026-10
        what: Move orchestration from anthropic/claude-sonnet-4-6 to anthropic/claude-haiku-4-5
        promised_usd_per_month: 62
        range_usd_per_month: [55.2, 66]
        change: {task: orchestration, from: anthropic/claude-sonnet-4-6, to: anthropic/claude-haiku-4-5}
        who: Ana
        note: after the trial

Only `id`, `decision` and `date` are needed. Entries are added at the end; the last one of an id counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ...documents import Document, read_document, validate
from ...money import strip
from ...writing import one_writer, write_file
from .results import DecisionRecord, RoutingChange, Verdict

NAME = "decisions.yaml"
HEADER = "# What was decided on costsim's proposals. `costsim decide` adds entries; the last one of an id counts.\n"
PLACES = 6
"""Decimals of a promise in the file: more than people read, and no more than YAML keeps."""

Money = Annotated[Decimal, Field(ge=-(10**15), le=10**15, decimal_places=12)]
WORDS_LENGTH = 2000
Words = Annotated[str, Field(max_length=WORDS_LENGTH)]
Name = Annotated[str, Field(max_length=300)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class WrittenChange(_Written):
    """The routing change of an entry; `component` limits it to one."""

    component: Name = ""
    task: Name = ""
    from_model: Name = Field(alias="from", min_length=1)
    to_model: Name = Field(alias="to", min_length=1)

    @field_validator("to_model")
    @classmethod
    def _another(cls, to: str, info: Any) -> str:
        if to == info.data.get("from_model"):
            raise ValueError("a change goes from one model to another; these are the same")
        return to


class WrittenDecision(_Written):
    """One entry as the file has it."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
    decision: Verdict
    on: date = Field(alias="date", ge=date(2000, 1, 1), le=date(2999, 12, 31))
    month: Annotated[str, Field(pattern=r"^2\d{3}-(0[1-9]|1[0-2])$")] | None = None
    what: Words = ""
    promised_usd_per_month: Money | None = None
    range_usd_per_month: tuple[Money, Money] | None = None
    change: WrittenChange | None = None
    who: Name = ""
    note: Words = ""

    def record(self) -> DecisionRecord:
        """As the review reads it; without a month, the one before the decision was taken."""
        low, high = sorted(self.range_usd_per_month) if self.range_usd_per_month else (None, None)
        before = f"{self.on.replace(day=1) - timedelta(days=1):%Y-%m}"
        return DecisionRecord(
            id=self.id, decision=self.decision, on=self.on, month=self.month or before, what=self.what,
            promised_usd_per_month=self.promised_usd_per_month, low_usd_per_month=low, high_usd_per_month=high,
            change=RoutingChange(**self.change.model_dump()) if self.change else None, who=self.who, note=self.note,
        )  # fmt: skip


class DecisionsFile(_Written):
    """The whole file."""

    decisions: list[WrittenDecision]


def read_decisions(file: Path) -> list[DecisionRecord]:
    """The entries in the order of the file. Raises InputError with file, line and key."""
    return [entry.record() for entry in validate(read_document(file), DecisionsFile).decisions]


def standing(records: Iterable[DecisionRecord], as_of: date) -> list[DecisionRecord]:
    """The entry of each id that counts on a day, by the day it was taken: the last one until then, else the last."""
    found: dict[str, DecisionRecord] = {}
    for record in records:
        if record.on <= as_of or record.id not in found or found[record.id].on > as_of:
            found[record.id] = record
    return sorted(found.values(), key=lambda record: (record.on, record.id))


def add_decision(file: Path, record: DecisionRecord) -> None:
    """Add an entry at the end of the file (made where there is none), all or nothing; comments stay where they can.

    Several processes may add at once. Raises InputError where the file is not usable, OutputError where it cannot be
    written.
    """
    with one_writer(file.parent):
        write_file(file, _with_entry(file, record))


def _with_entry(file: Path, record: DecisionRecord) -> str:
    known: Sequence[Mapping[str, Any]] = []
    text = HEADER + "decisions:\n"
    if os.path.lexists(file):
        document = read_document(file)
        validate(document, DecisionsFile)
        known, text = document.data["decisions"], file.read_text(encoding="utf-8-sig")
    entry = as_written(record)
    validate(Document(file, {"decisions": [entry]}), DecisionsFile)  # what cannot be read again is not written
    added = text.rstrip("\n") + "\n" + _block([entry])
    return added if _holds(added, [*known, entry]) else HEADER + "decisions:\n" + _block([*known, entry])


def as_written(record: DecisionRecord) -> dict[str, Any]:
    """The entry as the file has it, without what is empty; amounts to the millionth."""
    low, high = record.low_usd_per_month, record.high_usd_per_month
    change = record.change
    entry: dict[str, Any] = {
        "id": record.id,
        "decision": record.decision,
        "date": record.on,
        "month": record.month,
        "what": record.what[:WORDS_LENGTH],
        "promised_usd_per_month": _short(record.promised_usd_per_month),
        "range_usd_per_month": None if low is None or high is None else [_short(low), _short(high)],
        "change": change
        and {
            **({"component": change.component} if change.component else {}),
            **({"task": change.task} if change.task else {}),
            "from": change.from_model,
            "to": change.to_model,
        },
        "who": record.who,
        "note": record.note,
    }
    return {key: value for key, value in entry.items() if value not in (None, "")}


def _short(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else strip(round(amount, PLACES))


def _block(entries: Sequence[Mapping[str, Any]]) -> str:
    """Entries as YAML, indented below `decisions:`."""
    from ...yaml_text import yaml_text  # PyYAML, which a review without decisions does not need

    text = yaml_text([*entries], flow=False, width=1000)
    return "".join(f"  {line}" if line.strip() else line for line in text.splitlines(keepends=True))


def _holds(text: str, entries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a text with an entry added below reads as the file with that entry and nothing else changed."""
    import yaml

    try:
        data = yaml.safe_load(text)
        expected = [DecisionsFile.model_validate({"decisions": [entry]}).decisions[0] for entry in entries]
        return DecisionsFile.model_validate(data).decisions == expected
    except (yaml.YAMLError, ValueError):
        return False
