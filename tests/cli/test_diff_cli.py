"""`costsim diff` as people and CI run it: on files, and on revisions of a real git repository."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from costsim.analysis.compare.results import ArchitectureDifference

GOLDEN = Path(__file__).parents[1] / "golden"
FLEET = """\
model_routing: {fallback: anthropic/claude-haiku-4-5}
book: article-2026
components:
  - name: monitor
    schedule: "*/30 * * * *"
    tokens: {input: 4000, output: 200}
  - name: brief
    schedule: "0 8 * * *"
    model: anthropic/claude-opus-4-6
    tokens: {input: 9000, output: 1500}
"""
CHEAPER = FLEET.replace("*/30", "0").replace("opus-4-6", "sonnet-4-6")
FORMATS = ("table", "json", "markdown", "github", "junit", "sarif", "gitlab")


def git(folder: Path, *arguments: str) -> None:
    who = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b.c",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b.c",
    }
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env={**os.environ, **who})


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    base, head = tmp_path / "base.yaml", tmp_path / "head.yaml"
    base.write_text(FLEET)
    head.write_text(CHEAPER)
    return base, head


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three commits: without the file, with it (routing in a file of its own), and with another routing."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "README.md").write_text("x")
    (tmp_path / "fleet").mkdir()
    routing = tmp_path / "fleet" / "routing.json"
    for number, model in enumerate((None, "claude-haiku-4-5", "claude-sonnet-4-6")):
        if model:
            text = FLEET.replace("model_routing: {fallback: anthropic/claude-haiku-4-5}", "routing: routing.json")
            (tmp_path / "fleet" / "architecture.yaml").write_text(text)
            routing.write_text(json.dumps({"model_routing": {"fallback": f"anthropic/{model}"}}))
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", str(number))
        git(tmp_path, "tag", f"v{number}")
    return tmp_path


@pytest.mark.parametrize("format", FORMATS)
def test_outputs_are_as_agreed(costsim: Any, files: tuple[Path, Path], format: str) -> None:
    """COSTSIM_GOLDEN=1 writes the files anew: read the diff."""
    done = costsim("diff", "base.yaml", "head.yaml", "--start", "2026-06-01", "--format", format)
    assert (done.code, done.err) == (0, "")
    golden = GOLDEN / f"diff.{format}.txt"
    if os.environ.get("COSTSIM_GOLDEN"):
        golden.write_text(done.out)
    assert done.out == golden.read_text()


def test_pipes_of_a_shell_are_files(costsim: Any) -> None:
    """`costsim diff <(…) <(…)`"""
    ends = [os.pipe() for _ in range(2)]
    for (_, into), text in zip(ends, (FLEET, CHEAPER), strict=True):
        os.write(into, text.encode())
        os.close(into)
    done = costsim("diff", *(f"/dev/fd/{out}" for out, _ in ends), "--start", "2026-06-01")
    for out, _ in ends:
        os.close(out)
    assert (done.code, done.err) == (0, "")


def test_the_json_keeps_its_schema(costsim: Any, files: tuple[Path, Path]) -> None:
    done = costsim("diff", *files, "--format", "json")
    jsonschema.validate(json.loads(done.out), ArchitectureDifference.model_json_schema(mode="serialization"))


def test_revisions_are_compared_with_all_that_the_file_names(costsim: Any, repository: Path) -> None:
    there = ("--file", "fleet/architecture.yaml", "--start", "2026-06-01", "--format", "json")
    found = json.loads(costsim("diff", "v1..v2", *there).out)
    # monitor: 4,000 and 200 tokens, 48 x 30 runs; Haiku at $0.80/$4, Sonnet at $3/$15: $0.004 and $0.015 a run
    assert found["difference_usd"] == "15.84"
    assert [row["component"] for row in found["components"]] == ["monitor"]
    assert found["components"][0]["causes"][0]["cause"] == "model"
    both = json.loads(costsim("diff", "v1", "v2", *there).out)
    assert both["components"] == found["components"]


def test_what_was_not_there_yet_is_added(costsim: Any, repository: Path) -> None:
    done = costsim("diff", "v0..v1", "--file", "fleet/architecture.yaml", "--format", "json")
    assert {row["change"] for row in json.loads(done.out)["components"]} == {"added"}


def test_a_revision_is_compared_with_the_working_folder(costsim: Any, repository: Path) -> None:
    file = repository / "fleet" / "architecture.yaml"
    file.write_text(file.read_text().replace("*/30", "0"))
    done = costsim("diff", "HEAD", "--file", "fleet/architecture.yaml", "--format", "json")
    assert [row["causes"][0]["cause"] for row in json.loads(done.out)["components"]] == ["schedule"]
    assert file.read_text().count("0 * * * *") == 1  # untouched


def test_an_increase_beyond_the_limit_is_exit_code_one(costsim: Any, files: tuple[Path, Path]) -> None:
    base, head = files
    assert costsim("diff", head, base, "--max-increase", "1%").code == 1
    assert costsim("diff", base, head, "--max-increase", "0").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing",), "this is no git repository"),
        (("base.yaml", "head.yaml", "--max-increase", "much"), "'much' is neither USD nor percent"),
        (("base.yaml", "head.yaml", "--plan", "gone"), "there is no plan 'gone'"),
        (("a..b", "head.yaml"), "names both revisions"),
    ],
)
def test_bad_input_is_one_line(
    costsim: Any, files: tuple[Path, Path], arguments: tuple[str, ...], message: str
) -> None:
    done = costsim("diff", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("revision", ["--upload-pack=x", "--output=here", "nope", "v1^{tree}", "HEAD; touch here"])
def test_no_revision_is_taken_for_an_option(costsim: Any, repository: Path, revision: str) -> None:
    done = costsim("diff", "--file", "fleet/architecture.yaml", "--", revision)
    assert done.code == 2
    assert "neither a file nor a revision" in done.err
    assert not (repository / "here").exists()
