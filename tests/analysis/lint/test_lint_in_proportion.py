"""Code is linted in time in proportion to its size, however its lines and the routing's names are made.

Each text took from a quarter of a minute to for ever. The bounds are of processor time, and generous.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from time import process_time

import pytest
from costsim.analysis.lint import cards, components
from costsim.analysis.lint.hardcoded import lint_code
from costsim.analysis.lint.source import code_lines
from costsim.analysis.routing.routing import RoutingConfig, read_routing, shipped_routing

SECONDS = 3


def routing(tmp_path: Path, *models: str) -> RoutingConfig:
    file = tmp_path / "routing.json"
    of = {f"task_{n}": model for n, model in enumerate(models)}
    file.write_text(json.dumps({"model_routing": {"fallback": "acme/tiny-1", **of}}))
    return read_routing(file)


def seconds(file: Path, config: RoutingConfig) -> float:
    start = process_time()
    lint_code(file, config)
    return process_time() - start


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "x = '' " + "#'' " * 1200,  # marks of comments within literals, each asked of each: 15 s in 1 MB
        "x = 'gpt-4o" + "\\" * 60,  # backslashes without a closing quote: in as many ways as Fibonacci's 60th number
        "'" + "openai:" * 700 + "gpt-'",  # providers of nothing
        "model" * 500 + " = 'o1'" + ", 'o1'" * 400,  # short values behind a long word
        "'gpt-4o', " * 480,  # names, each looked up in all literals of the line
    ],
    ids=["comments", "backslashes", "providers", "short-values", "names"],
)
def test_a_long_line_takes_time_in_proportion_to_its_length(tmp_path: Path, line: str) -> None:
    file = tmp_path / "a.py"
    file.write_text(f"{line}\n" * 40)  # 200 KB
    assert seconds(file, shipped_routing()) < SECONDS


@pytest.mark.slow
def test_the_routings_models_are_looked_up_and_not_each_tried(tmp_path: Path) -> None:
    config = routing(tmp_path, *(f"acme/fast-{n}" for n in range(10_000)))
    file = tmp_path / "a.py"
    file.write_text("".join(f"call('acme/fast-{n}', 'acme/slow-{n}')\n" for n in range(5_000)))
    start = process_time()
    found = lint_code(file, config)
    assert process_time() - start < 3 * SECONDS
    assert [finding.keys for finding in found] == [(f"task_{n}",) for n in range(5_000)]


def test_a_family_is_looked_for_once_among_the_routings_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(model: str, family: str) -> bool:
        asked.append(family)
        return False

    monkeypatch.setattr(cards, "is_of", counted)
    own = cards.of_family([f"acme/fast-{n}" for n in range(100)])
    assert [own("opus") for _ in range(50)] == [None] * 50
    assert asked == ["opus"] * 100


def test_a_task_that_the_routing_lacks_is_compared_with_its_first_thousand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(components, "MAX_COMPARED", 1)
    config = routing(tmp_path, "acme/fast-1", "acme/fast-2")
    asked = [
        components.AssignedComponent("a", "cto", task, "acme/fast-1", Decimal(1), lambda _: None)
        for task in ("task_00", "tusk_1")
    ]
    found = components.lint_components(asked, config)
    assert [finding.message.partition("decides")[2] for finding in found] == [
        "; did you mean 'task_0'?",
        "; did you mean 'task_0'?",  # task_1 is nearer, and not among them
    ]


def test_of_very_many_keys_a_fix_names_ten(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("call('acme/fast-1')\n")
    (finding,) = lint_code(file, routing(tmp_path, *["acme/fast-1"] * 12))
    assert finding.fix.endswith("model_routing.task_9 or 2 more")
    assert len(finding.keys) == 12


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("call('acme/fast-1')", "acme/fast-1"),
        ("call('acme/fast-10')", "acme/fast-10"),  # the longest that stands there
        ("call('acme/fast-100')", ""),
        ("call('ACME/Fast-1')", "ACME/Fast-1"),
        ("call('other/fast-1')", ""),
        ("call('acme/fast-1:free')", "acme/fast-1:free"),
        ("call('acme/fast-1', 'fast-10')", "acme/fast-1 fast-10"),
    ],
)
def test_a_routings_own_model_is_found_whole(tmp_path: Path, line: str, name: str) -> None:
    file = tmp_path / "a.py"
    file.write_text(line)
    found = lint_code(file, routing(tmp_path, "acme/fast-1", "acme/fast-10", "acme/fast-1:free"))
    assert " ".join(finding.message.split("'")[1] for finding in found) == name


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (r"x = 'a\' # b' # c", r"x = 'a\' # b'"),  # an escaped quote does not end a literal
        (r"x = r'C:\' # c", r"x = r'C:\'"),  # but where no other does
        (r"x = r'C:\', r'D:\' # c", r"x = r'C:\', r'D:\'"),
        ("x = '#' # c '#'", "x = '#'"),
    ],
)
def test_a_comment_begins_outside_of_literals(line: str, code: str) -> None:
    assert [read.text for read in code_lines(line, "py")] == [code]
