"""Damaged logs of every format: never a traceback, never a lost neighbour, never a negative count."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from costsim.errors import CostsimError
from costsim.usage.load import load
from costsim.usage.readers import READERS
from emptied import open_store

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent.parent / "data" / "usage"
FORMATS = {reader.name for reader in READERS}
LINES = sorted(DATA.glob("*/*.jsonl"))
DOCUMENTS = [file for file in sorted(DATA.glob("*/*")) if file.suffix in (".json", ".csv", ".prom")]
DATABASES = sorted(DATA.glob("*/*.db"))

COUNTS = """
SELECT coalesce(least(min(input), min(cache_read), min(cache_write_5m), min(cache_write_1h), min(output),
    min(web_search), min(request)), 0), coalesce(min(recorded_usd) FILTER (WHERE source NOT IN (SELECT unnest($bills))), 0)
FROM usage_event
"""
REFUSED = "SELECT DISTINCT path FROM reject JOIN load USING (file_id) WHERE entries = 0 ORDER BY path"
BILLS = [reader.name for reader in READERS if reader.role == "bill"]  # they have credits


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def mutations(text: str, dice: random.Random) -> Iterator[str]:
    """What disks, editors and other programs do to a text."""
    cut = dice.randrange(len(text))
    yield text[:cut]
    yield text[:cut] + dice.choice('{}[]":,;\\\x00é\n') + text[cut + 1 :]
    yield text.replace("tokens", dice.choice(["token", "tokens_"]), 1)
    for sign in (":1", ": 1", ",1"):
        number = dice.choice(["-1", "1e400", "null", '"1"', "NaN", "1.5", "9" * 25, "true", "[]", "{}"])
        yield text.replace(sign, sign[:-1] + number, 1)


def check(store: duckdb.DuckDBPyConnection) -> set[str]:
    """The calls of a store, none of them below nothing."""
    least = store.execute(COUNTS, {"bills": BILLS}).fetchone()
    assert least is not None
    assert min(least) >= 0
    return {row[0] for row in store.execute("SELECT event_id FROM usage_event").fetchall()}


def test_every_format_is_fuzzed() -> None:
    assert {file.parent.name for file in (*LINES, *DOCUMENTS, *DATABASES)} == FORMATS - {
        "rollup"
    }  # costsim's own Parquet


@pytest.mark.parametrize("log", LINES, ids=name_of)
def test_a_mangled_line_costs_no_other_line_and_no_traceback(tmp_path: Path, log: Path) -> None:
    dice = random.Random(7)
    lines = log.read_text().splitlines()[:60]
    good = tmp_path / "good.jsonl"
    good.write_text("\n".join(lines))
    with open_store(tmp_path / "good.duckdb") as store:
        load(store, [good], format=log.parent.name)
        known = check(store)
    bad = [mutation.replace("\n", " ") for line in dice.choices(lines, k=5) for mutation in mutations(line, dice)]
    file = tmp_path / "mangled.jsonl"
    file.write_text("\n".join(lines + bad))
    with open_store(tmp_path / "mangled.duckdb") as store:
        report = load(store, [file], format=log.parent.name)
        assert known <= check(store)
        assert store.execute("SELECT count(*) FROM reject").fetchone() == (report.total("rejected"),)


@pytest.mark.parametrize("log", DOCUMENTS, ids=name_of)
def test_a_mangled_document_is_read_or_refused_in_one_line(tmp_path: Path, log: Path) -> None:
    folder, dice = tmp_path / "logs", random.Random(7)
    folder.mkdir()
    for number, mangled in enumerate(mutations(log.read_text(), dice)):
        (folder / f"{number}{log.suffix}").write_text(mangled)
    check_folder(folder, log)


def check_folder(folder: Path, log: Path) -> None:
    """All mutations in a folder, where what cannot be read is a reject; and the first refused one by its name."""
    with open_store(folder / "costsim.duckdb") as store:
        report = load(store, [folder], format=log.parent.name)
        check(store)
        refused = [*report.passed_over, *(path for (path,) in store.execute(REFUSED).fetchall())]
        reasons = [
            *report.passed_over.values(),
            *(why for (why,) in store.execute("SELECT reason FROM reject").fetchall()),
        ]
        for file in refused[:1]:
            try:
                load(store, [file], format=log.parent.name)
            except CostsimError as error:
                reasons.append(str(error))
        check(store)
    assert [reason for reason in reasons if "\n" in reason] == []


@pytest.mark.parametrize("log", DATABASES, ids=name_of)
def test_a_mangled_database_is_read_or_refused_in_one_line(tmp_path: Path, log: Path) -> None:
    dice = random.Random(7)
    content = log.read_bytes()
    for number in range(12):
        place = dice.randrange(len(content))
        cut = number % 3 == 0
        file = tmp_path / f"{number}.db"
        file.write_bytes(content[:place] if cut else content[:place] + dice.randbytes(40) + content[place + 40 :])
    check_folder(tmp_path, log)
