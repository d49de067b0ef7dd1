"""Model names in code: found where a program would use them, and nowhere else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from costsim.analysis import lint as package
from costsim.analysis.findings import Finding
from costsim.analysis.lint import exit_code, lint
from costsim.analysis.lint.hardcoded import keys_of, lint_code
from costsim.analysis.routing.routing import shipped_routing
from costsim.errors import InputError

EXAMPLES = Path(package.__file__).parents[2] / "examples" / "c-suite"


def scan(tmp_path: Path, name: str, text: str) -> list[Finding]:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return lint_code(file, shipped_routing())


def models(found: list[Finding]) -> list[str]:
    return [finding.message.split("'")[1] for finding in found]


@pytest.mark.parametrize(
    ("name", "line", "model"),
    [
        ("a.py", 'client.create(model="claude-haiku-4-5")', "claude-haiku-4-5"),
        ("a.py", "MODELS = ['openai/gpt-4o', x]", "openai/gpt-4o"),
        ("a.py", 'cmd = "spawn --model claude-opus-4-6 --task x"', "claude-opus-4-6"),
        ("a.py", """body = '{"model": "gemini-2.5-pro"}'""", "gemini-2.5-pro"),
        ("a.py", 'model = "o3"', "o3"),
        ("a.py", "agent = Agent('openai:gpt-4o')", "openai:gpt-4o"),
        ("a.ts", "const m = { model: `gpt-4.1-mini` };", "gpt-4.1-mini"),
        ("a.js", "call('kimi-coding/kimi-for-coding'); // cheap", "kimi-coding/kimi-for-coding"),
        ("a.go", 'Model: "anthropic/claude-sonnet-4-6",', "anthropic/claude-sonnet-4-6"),
        (
            "A.java",
            '.modelId("us.anthropic.claude-sonnet-4-5-20250929-v1:0")',
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("a.rb", "model: 'mistral-large-latest'", "mistral-large-latest"),
        ("a.rs", 'let m: &\'static str = "deepseek-chat";', "deepseek-chat"),
        ("a.json", '{"model": "grok-4"}', "grok-4"),
        ("a.sh", "sessions_spawn arxiv-scanner --model claude-haiku-4-5 ...", "claude-haiku-4-5"),
        ("a.sh", "MODEL=openrouter/anthropic/claude-opus-4-6", "openrouter/anthropic/claude-opus-4-6"),
        ("Dockerfile", "ENV LLM=gpt-4o", "gpt-4o"),
        ("a.yaml", 'model: "anthropic/claude-haiku-4-5" # 48x/day', "anthropic/claude-haiku-4-5"),
        ("a.yaml", "  - claude-3-5-sonnet-latest", "claude-3-5-sonnet-latest"),
        ("a.toml", 'model = "qwen3-coder-plus"', "qwen3-coder-plus"),
        (".env", "LLM=o4-mini", "o4-mini"),
    ],
)
def test_a_model_name_in_use_is_found(tmp_path: Path, name: str, line: str, model: str) -> None:
    [finding] = scan(tmp_path, name, f"\n{line}\n")
    assert models([finding]) == [model]
    assert finding.line == 2
    assert finding.column is not None
    assert line[finding.column - 1 :].startswith(model)
    assert finding.end_column == finding.column + len(model)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.py", "# claude-haiku-4-5 would do here"),
        ("a.py", 'x = 1  # model "gpt-4o"'),
        ("a.py", '"""Runs on claude-haiku-4-5."""'),
        ("a.py", 'print("gpt-4o is too high for this")'),
        ("a.py", "gpt_4o = route('code_generation')"),
        ("a.py", 'url = "https://example.com/docs/claude-opus-4-6/intro"'),
        ("a.py", 'open("fixtures/gpt-4o.json")'),
        ("a.py", 'open("gpt-4o.json")'),
        ("a.py", 'tool = "claude-code"'),
        ("a.py", 'name = "o3"'),
        ("a.py", 'call("gpt-4o")  # costsim: ignore'),
        ("a.ts", "// model: 'gpt-4o'"),
        ("a.ts", " * uses 'gpt-4o'"),
        ("a.ts", "import x from '@google/gemini-2.5-pro-sdk';"),
        ("a.go", 'import "google/gemini"'),
        ("a.sh", "# MODEL=gpt-4o"),
        ("a.sh", "MODEL=$(costsim route code_generation)"),
        ("a.sh", 'echo "gpt-4o is expensive"'),
        ("a.yaml", "description: what gpt-4o costs"),
        ("a.json", '{"name": "command-runner", "id": "o1"}'),
        ("a.md", "model: claude-haiku-4-5"),
        ("package-lock.json", '{"model": "gpt-4o"}'),
        ("app.min.js", 'x={model:"gpt-4o"}'),
    ],
)
def test_what_only_looks_like_one_is_not(tmp_path: Path, name: str, line: str) -> None:
    (tmp_path / name).write_text(f"{line}\n")
    assert models(lint_code(tmp_path, shipped_routing())) == []


def test_the_routing_keys_to_use_instead_are_named(tmp_path: Path) -> None:
    [finding] = scan(tmp_path, "a.py", 'run(model="claude-haiku-4-5")')
    assert finding.keys == ("monitoring", "curation", "classification")
    assert finding.fix == "look up model_routing.monitoring or model_routing.curation or model_routing.classification"


def test_the_fallback_is_named_only_where_no_task_has_the_model() -> None:
    assert keys_of(shipped_routing())("claude-sonnet-4-5")[-1] == "fallback"
    assert keys_of(shipped_routing())("anthropic/claude-opus-4-6") == ("strategic_decision",)


def test_a_provider_may_stand_before_a_slash_or_a_colon() -> None:
    for name in ("gpt-4o", "openai/gpt-4o", "openai:gpt-4o", "openrouter/openai/gpt-4o"):
        assert keys_of(shipped_routing())(name) == ("image_analysis",)


def test_a_model_that_the_routing_does_not_have_is_said_so(tmp_path: Path) -> None:
    [finding] = scan(tmp_path, "a.py", 'run(model="gpt-5")')
    assert finding.message == "'gpt-5' is hard-coded, and the routing does not name it"
    assert finding.keys == ()


def test_a_dated_name_is_known_by_the_price_book(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('run(model="claude-haiku-4-5-20251001")')
    [finding] = lint(tmp_path, start=date(2026, 11, 1))
    assert finding.keys == ("monitoring", "curation", "classification")
    assert exit_code([finding]) == 1


def test_a_name_that_has_no_usual_shape_is_found_if_the_routing_has_it(tmp_path: Path) -> None:
    from dataclasses import replace

    config = replace(shipped_routing(), model_routing={"guard": "in-house/guard-9b", "fallback": "in-house/big"})
    (tmp_path / "a.py").write_text('run("guard-9b", "in-house/guard-9b", "big")')
    assert models(lint_code(tmp_path, config)) == ["guard-9b", "in-house/guard-9b"]


def test_the_articles_crons_are_the_only_finding_among_the_example_files() -> None:
    found = [entry for entry in lint(EXAMPLES, start=date(2026, 11, 1)) if entry.rule == "hardcoded-model"]
    assert {finding.file.name for finding in found if finding.file} == {"crons.yaml"}
    assert len(found) == 3


def test_installed_generated_and_foreign_files_are_not_read(tmp_path: Path) -> None:
    code = 'run(model="gpt-4o")\n'
    skipped = ["node_modules/a/i.py", ".git/h.py", "venv/x.py", "env/lib/x.py", "dist/x.py", "deep/build/x.py"]
    for name in [*skipped, "src/ok.py"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(code)
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / "src" / "binary.py").write_bytes(b'\0model="gpt-4o"')
    (tmp_path / "src" / "huge.py").write_text(code + "#" * 1024 * 1024)
    (tmp_path / "src" / "linked.py").symlink_to(tmp_path / "src" / "ok.py")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = lint_code(tmp_path, shipped_routing())
    assert [finding.file for finding in found] == [tmp_path / "src" / "ok.py"]


def test_globs_exclude_folders_and_files(tmp_path: Path) -> None:
    for name in ("tests/a.py", "src/a.py", "src/fixture_b.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('run(model="gpt-4o")')
    found = lint_code(tmp_path, shipped_routing(), exclude=["tests", "fixture_*"])
    assert [finding.file for finding in found] == [tmp_path / "src" / "a.py"]


def test_a_prompt_in_a_docstring_is_not_code_but_the_line_after_it_is(tmp_path: Path) -> None:
    text = '"""Like\nmodel="gpt-4o"\n"""\nrun(model="gpt-4o")\n'
    assert [finding.line for finding in scan(tmp_path, "a.py", text)] == [4]


def test_python_that_does_not_parse_is_still_read(tmp_path: Path) -> None:
    assert models(scan(tmp_path, "a.py", 'print "hi"\nrun(model="gpt-4o"\n')) == ["gpt-4o"]


def test_a_minified_line_takes_no_time(tmp_path: Path) -> None:
    hostile = ["'\"`" * 200_000, "claude-" * 100_000, "gpt-4" * 100_000 + "/", "\\'" * 300_000]
    assert scan(tmp_path, "a.js", "\n".join(hostile) + "\nm('gpt-4o')") == []  # over 1 MiB
    for line in hostile:
        assert models(scan(tmp_path, "b.js", f"{line[:900_000]}\nm('gpt-4o')")) == ["gpt-4o"]
        assert models(scan(tmp_path, "c.js", f"{line[:4_900]}\nm('gpt-4o')"))[-1] == "gpt-4o"


def test_text_that_is_not_utf8_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b's = "\xff\xfe"\nrun(model="gpt-4o")\n')
    assert models(lint_code(tmp_path, shipped_routing())) == ["gpt-4o"]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        lint_code(tmp_path / "nowhere", shipped_routing())
