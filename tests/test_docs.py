"""docs/: generated pages are up to date, the cookbook's outputs are true, the site builds strictly."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import costsim as package
import pytest
from costsim.analysis.architecture.model import Architecture

from documents import PAGES, ROOT, commands, write_files

if TYPE_CHECKING:
    from conftest import Run

OLD_WORDS = re.compile(r"\b(dear|dearest|told|mend|strayed|held against|an odd day|odd days)\b", re.IGNORECASE)
RECIPES = commands(PAGES["docs/cookbook.md"])
SNIPPET = """```python
from datetime import date
from pathlib import Path

import costsim

fleet = costsim.read_architecture(Path("architecture.yaml"))
projection = costsim.project(fleet, costsim.Settings(date(2026, 12, 1)))
print(projection.plan("routed").expected_usd_per_day, projection.savings[0].percent)

with costsim.open_store(Path("python.duckdb")) as store:
    store.load(["logs"])
    spend = store.spend(by=("model",))
print(spend.total.computed_usd, spend.unpriced_models)
```"""


def held_to(page: str, text: str) -> None:
    """COSTSIM_GOLDEN=1 writes the page anew."""
    if os.environ.get("COSTSIM_GOLDEN"):
        (ROOT / page).write_text(text, "utf-8")
    assert (ROOT / page).read_text("utf-8") == text


def cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def kind(schema: dict[str, Any]) -> str:
    """A key's type in words: `a list of Component`, `number or Range`."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if alternatives := schema.get("anyOf", schema.get("oneOf")):
        kinds = [kind(part) for part in alternatives if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"a list of {kind(schema.get('items', {}))}"
    if schema.get("type") == "object":
        return (
            f"a mapping to {kind(schema['additionalProperties'])}"
            if schema.get("additionalProperties")
            else "a mapping"
        )
    names = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    of_type = names.get(schema.get("type", ""), schema.get("type", "any"))
    return str({"path": "a file", "date": "a day"}.get(schema.get("format", ""), of_type))


def keys(schema: dict[str, Any]) -> list[str]:
    rows = ["| key | what it is | |", "| --- | --- | --- |"]
    for name, part in schema.get("properties", {}).items():
        needed = "needed. " if name in schema.get("required", ()) else ""
        rows.append(f"| `{name}` | {cell(kind(part))} | {needed}{cell(part.get('description', ''))} |")
    return rows


def architecture_page() -> str:
    schema = Architecture.model_json_schema()
    lines = [
        "# The architecture file", "",
        "Made from the schema that `costsim schema` prints: do not edit it. YAML, JSON or TOML; unknown keys are errors.",
        "A first example is in [getting started](architect.md).", "", *keys(schema),
    ]  # fmt: skip
    for name, part in sorted(schema["$defs"].items()):
        said = " ".join(part.get("description", "").split())
        lines += [
            "",
            f"## {name}",
            *(["", said] if said else []),
            *(["", *keys(part)] if part.get("properties") else []),
        ]
        if "enum" in part:
            lines += ["", f"One of {kind(part)}."]
    return "\n".join(lines) + "\n"


def member(name: str, value: Any) -> list[str]:
    """A heading, the signature where it is called, the docstring."""
    lines = ["", f"## {name}"]
    if inspect.isfunction(value):
        lines += ["", "```text", f"{name}{inspect.signature(value)}", "```"]
    return [*lines, "", inspect.cleandoc(value.__doc__ or "")]


def python_page() -> str:
    lines = [
        "# The Python API", "",
        "Made from the docstrings: do not edit it. These names are public; all else is private to the package. Every error",
        "that is raised on purpose is a `CostsimError`, one line for its reader.", "", SNIPPET,
    ]  # fmt: skip
    for name in package.__all__:
        value = getattr(package, name)
        lines += member(name, value)
        if name == "Store":
            for method, function in inspect.getmembers(value, inspect.isfunction):
                lines += member(f"Store.{method}", function) if not method.startswith("_") else []
    return "\n".join(lines) + "\n"


def test_the_architecture_page_is_that_of_the_schema() -> None:
    held_to("docs/architecture.md", architecture_page())


def test_the_python_page_is_that_of_the_docstrings() -> None:
    held_to("docs/python.md", python_page())


def test_the_cookbook_has_ten_questions() -> None:
    assert len(RECIPES) == PAGES["docs/cookbook.md"].count("\n## ") == 10


@pytest.mark.slow
@pytest.mark.parametrize("command", RECIPES)
def test_a_recipe_prints_what_the_cookbook_shows(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    write_files(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    _, name, *_ = arguments = shlex.split(command)
    if name in ("spend", "replay"):
        assert costsim("load", "logs", "--attribution", "attribution.yaml").code == 0
    if "new-fleet" in command:
        assert costsim("init", "--out", "new-fleet").code == 0
    outcome = costsim(*arguments[1:])
    assert outcome.code == 0, outcome.err
    printed = "\n".join(line.rstrip() for line in outcome.out.strip("\n").splitlines())
    page = ROOT / "docs" / "cookbook.md"
    block = re.compile(rf"(?s)(```console\n\$ {re.escape(command)}\n)(.*?)(\n?```)")
    if os.environ.get("COSTSIM_GOLDEN"):
        text = block.sub(lambda found: f"{found[1]}{printed}\n```", page.read_text("utf-8"))
        page.write_text(text, "utf-8")
    found = block.search(page.read_text("utf-8"))
    assert found
    assert unhashed(found[2].strip("\n")) == unhashed(printed)


def unhashed(text: str) -> str:
    """Without the hashes of price stacks: another release of the price list has another."""
    return re.sub(r"\b[0-9a-f]{12}\b", "HASH", text)


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/formats.md"])
def test_the_docs_use_plain_words(page: str) -> None:
    assert OLD_WORDS.findall(PAGES[page]) == []


@pytest.mark.skipif(not importlib.util.find_spec("material"), reason="the docs extra is not installed")
def test_the_site_builds_strictly_and_asks_no_other_host(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--config-file",
        str(ROOT / "mkdocs.yml"),
    ]
    done = subprocess.run([*command, "--site-dir", str(tmp_path / "site")], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = [page.read_text("utf-8") for page in (tmp_path / "site").rglob("*.html")]
    assert len(pages) > len(PAGES) - 2
    loaded = re.compile(
        r"<(?:script|img|iframe)[^>]+src=\"(?:https?:)?//|<link[^>]+rel=\"stylesheet\"[^>]+href=\"(?:https?:)?//"
    )
    assert [page for page in pages if loaded.search(page)] == []
