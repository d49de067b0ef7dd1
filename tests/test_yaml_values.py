"""Values of YAML that do not exist: one line with the file, the line, the key and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Run
from costsim.documents import read_document
from costsim.errors import InputError

NO_DAY = "is no day or time that exists; write a day as YYYY-MM-DD"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2026-02-30", NO_DAY),
        ("2026-13-01", NO_DAY),
        ("0000-00-00", NO_DAY),
        ("2026-01-01T00:00:00+25:00", NO_DAY),
        ("2026-01-01 25:00:00", NO_DAY),
        ("!!timestamp x", NO_DAY),
        ('!!int "x"', "'x' is not what its tag !!int says; take the tag out"),
        ("!!float x", "'x' is not what its tag !!float says; take the tag out"),
        ("!!bool x", "'x' is not what its tag !!bool says; take the tag out"),
    ],
)
def test_a_value_that_does_not_exist_is_named_with_its_key(tmp_path: Path, value: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(f"name: a\nparts:\n- x: 1\n- {{x: 1, expires: {value}}}\n")
    with pytest.raises(InputError) as caught:
        read_document(tmp_path / "a.yaml")
    assert "a.yaml:4 parts[1].expires: " in str(caught.value)
    assert said in str(caught.value)


def test_a_key_that_is_no_day_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("days:\n  2026-02-30: 1\n")
    with pytest.raises(InputError, match=rf"a.yaml:2 days.2026-02-30: '2026-02-30' {NO_DAY}"):
        read_document(tmp_path / "a.yaml")


@pytest.mark.parametrize("value", ["&a [*a]", "&a {b: *a}", "&a [1, [*a]]"])
def test_what_holds_itself_is_named_with_its_line(tmp_path: Path, value: str) -> None:
    (tmp_path / "a.yaml").write_text(f"name: a\nx: {value}\n")
    with pytest.raises(InputError, match="line 2 holds itself; write out what is meant"):
        read_document(tmp_path / "a.yaml")


def test_a_value_of_set_that_does_not_exist_is_named(costsim: Run, tmp_path: Path) -> None:
    (tmp_path / "architecture.yaml").write_text(
        "components: [{name: a, model: gpt-4o, runs_per_day: 5, tokens: {input: 5, output: 1}}]\n"
    )
    done = costsim("run", "--trials", "10", "--set", "components.a.start=2026-02-30")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"--set 'components.a.start=2026-02-30': '2026-02-30' {NO_DAY}" in done.err
