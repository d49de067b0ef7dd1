"""The house keeps its order: no circle between files, no import upward, no class name twice; see ARCHITECTURE.md."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import costsim
import pytest

ROOT = Path(costsim.__file__).parent
PARTS = {
    "usage": 1,
    "pricing": 1,
    "analysis": 2,
    "reports": 3,
    "store": 4,
    "api": 4,
    "__init__": 5,
    "cli": 6,
    "__main__": 6,
}
"""How high a part stands; other modules of the root (errors, money, months, …) are its ground, 0."""


@cache
def modules() -> dict[str, Path]:
    """Every module by its name below costsim: `analysis.spend.ledger`; a room by the room's name."""
    files = [file for file in ROOT.rglob("*.py") if file.relative_to(ROOT).parts[0] not in ("tests", "build", ".venv")]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text("utf-8"))


@cache
def imports(name: str) -> tuple[tuple[int, str], ...]:
    """What a module imports of costsim, with the line; in functions and for types too."""
    return tuple(_imports(name))


def _imports(name: str) -> Iterator[tuple[int, str]]:
    package = name.split(".") if modules()[name].name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                target = ".".join([*base, alias.name])
                target = target if target in modules() else ".".join(base) or "__init__"
                if target != name:
                    yield node.lineno, target


def rank(name: str) -> int:
    return PARTS.get(name.partition(".")[0], 0)


def parts() -> list[str]:
    """Every module but the package itself, which hands out names of all parts."""
    return sorted(name for name in modules() if name != "__init__")


def test_the_walk_sees_the_code() -> None:
    assert "analysis.spend.ledger" in {target for _, target in imports("store")}
    assert len(parts()) > 150


@pytest.mark.slow
def test_no_import_goes_upward() -> None:
    upward = [f"{name}:{line} imports {to}" for name in parts() for line, to in imports(name) if rank(to) > rank(name)]
    assert upward == []


@pytest.mark.slow
def test_pricing_and_usage_know_nothing_of_each_other_but_prices() -> None:
    assert [f"{name}:{line}" for name in parts() for line, to in imports(name)
            if name.startswith("pricing") and to.startswith("usage")] == []  # fmt: skip


@pytest.mark.slow
def test_no_circle_between_files() -> None:
    graph = {name: {to for _, to in imports(name) if to in modules()} for name in parts()}
    assert circles(graph) == []


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """What is left when files that import nothing left, or that nothing left imports, are taken away again and again."""
    left = {name: targets & {*graph} for name, targets in graph.items()}
    while True:
        imported = {to for targets in left.values() for to in targets}
        kept = {name: targets for name, targets in left.items() if targets and name in imported}
        if len(kept) == len(left):
            return [[name, *sorted(targets)] for name, targets in sorted(left.items())]
        left = {name: targets & {*kept} for name, targets in kept.items()}


@pytest.mark.parametrize(
    ("graph", "found"),
    [({"a": {"b"}, "b": {"c"}, "c": set()}, 0), ({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()}, 2)],
)
def test_a_circle_is_found(graph: dict[str, set[str]], found: int) -> None:
    assert len(circles(graph)) == found


def test_no_class_name_stands_twice() -> None:
    places = defaultdict(list)
    for name in parts():
        for node in parsed(name).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_module_is_over_350_lines() -> None:
    lengths = {name: len(modules()[name].read_text("utf-8").splitlines()) for name in parts()}
    assert {name: lines for name, lines in lengths.items() if lines > 350} == {}


def listed() -> dict[str, object]:
    tool = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["tool"]
    return dict(tool["setuptools"])


def test_every_room_is_packed_in_the_wheel() -> None:
    rooms = {"costsim", *(f"costsim.{name}" for name, file in modules().items() if file.name == "__init__.py")}
    assert {*listed()["packages"]} == rooms - {"costsim.__init__"}  # type: ignore[misc]


def test_all_that_is_not_code_is_packed_in_the_wheel() -> None:
    globs: dict[str, list[str]] = listed()["package-data"]  # type: ignore[assignment]
    packed = {
        found
        for package, patterns in globs.items()
        for pattern in patterns
        for found in ROOT.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    rooms = {file.parent for file in modules().values()} | {ROOT / "examples"}
    data = [file for room in rooms if room != ROOT for file in room.rglob("*") if file.is_file()]
    stray = [file for file in data if file.suffix not in (".py", ".pyc") and file not in packed]
    assert stray == []


def test_the_version_stands_in_one_place_and_newest_in_the_changelog() -> None:
    folder = Path(__file__).parent.parent
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" not in project
    assert "version" in project["dynamic"]
    assert listed()["dynamic"] == {"version": {"attr": "costsim.version.__version__"}}
    newest = next(line for line in (folder / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("## "))
    assert newest.removeprefix("## ").partition(",")[0] == costsim.__version__


def test_the_architecture_document_names_every_room() -> None:
    text = (Path(__file__).parent.parent / "ARCHITECTURE.md").read_text("utf-8")
    rooms = [file.parent.relative_to(ROOT).as_posix() for file in modules().values() if file.name == "__init__.py"]
    assert [room for room in rooms if room != "." and f"`{room}/`" not in text] == []
