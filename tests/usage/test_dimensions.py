"""Who a call belongs to: what readers find of users, teams, projects, repositories, branches and tags, and rules on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.errors import UsageLogError
from costsim.usage.attribution import read_attribution
from costsim.usage.load import load
from costsim.usage.readers import READERS
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.tags import KNOWN
from emptied import open_store


@pytest.fixture
def store() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(Path(":memory:")) as store:
        yield store


def lines(file: Path, *records: dict[str, Any]) -> Path:
    file.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return file


def only(store: duckdb.DuckDBPyConnection, *columns: str) -> tuple[Any, ...]:
    (row,) = store.execute(f"SELECT {', '.join(columns)} FROM usage_event").fetchall()
    return tuple(row)


def answer(number: int, **more: Any) -> dict[str, Any]:
    """A line of Claude Code."""
    usage = {"input_tokens": 10, "output_tokens": number}
    message = {"id": f"msg_{number:020}", "model": "claude-haiku-4-5", "usage": usage}
    return {"type": "assistant", "sessionId": "s1", "uuid": str(number), "timestamp": "2026-10-05T10:00:00Z",
            "message": message, **more}  # fmt: skip


def test_claude_code_says_the_folder_and_the_branch(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(store, [lines(tmp_path / "a.jsonl", answer(1, cwd="/home/ann/work/site/", gitBranch="release/2"))])
    found = only(store, "session", "project", "branch", '"user"', "tags ->> '$.cwd'")
    assert found == ("s1", "site", "release/2", None, "/home/ann/work/site/")


@pytest.mark.slow
def test_codex_says_folder_repository_and_branch(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    usage = {"input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 1, "total_tokens": 11}
    git = {"branch": "main", "repository_url": "git@github.com:acme/site.git", "commit_hash": "c0ffee"}
    head = {"id": "s1", "cwd": "C:\\work\\site", "git": git, "model_provider": "openai"}
    count = {"type": "token_count", "info": {"total_token_usage": usage, "last_token_usage": usage}}
    at = "2026-10-05T10:00:00Z"
    load(store, [lines(tmp_path / "rollout.jsonl", {"timestamp": at, "type": "session_meta", "payload": head},
                       {"timestamp": at, "type": "turn_context", "payload": {"model": "gpt-5"}},
                       {"timestamp": at, "type": "event_msg", "payload": count})])  # fmt: skip
    assert only(store, "session", "project", "repository", "branch") == ("s1", "site", "acme/site", "main")


def test_litellm_says_team_user_key_and_labels(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    row = {"request_id": "r1", "startTime": "2026-10-05T10:00:00Z", "call_type": "acompletion", "model": "gpt-4o",
           "custom_llm_provider": "openai", "prompt_tokens": 10, "completion_tokens": 1, "spend": 0.1, "team_id": "t-1",
           "user": "ann", "request_tags": ["env:prod", "beta"],
           "metadata": {"user_api_key_team_alias": "growth", "user_api_key_alias": "site-key"}}  # fmt: skip
    load(store, [lines(tmp_path / "spend.jsonl", row)])
    tags = json.loads(only(store, "tags")[0])
    assert only(store, '"user"', "team") == ("ann", "growth")
    assert {name: tags[name] for name in ("team_id", "key_alias", "env", "beta")} == {
        "team_id": "t-1", "key_alias": "site-key", "env": "prod", "beta": "true",
    }  # fmt: skip


def attribute_list(**values: str) -> list[dict[str, Any]]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in values.items()]


@pytest.mark.slow
@pytest.mark.parametrize("otlp", [True, False])
def test_spans_say_their_attributes_and_their_resources(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, otlp: bool
) -> None:
    resource = {"service.name": "desk", "team.id": "growth", "deployment.environment": "prod"}
    own = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai",
           "user.email": "ann@x.test", "vcs.ref.head.name": "main", "feature": "search",
           "gen_ai.input.messages": "a secret"}  # fmt: skip
    usage = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 1}
    span: dict[str, Any] = {
        "traceId": "a" * 32,
        "spanId": "b" * 16,
        "name": "chat",
        "startTimeUnixNano": "1790000000000000000",
    }
    if otlp:
        counts = [{"key": name, "value": {"intValue": str(value)}} for name, value in usage.items()]
        span["attributes"] = attribute_list(**own) + counts
        owner = {"attributes": attribute_list(**resource)}
        record = {"resourceSpans": [{"resource": owner, "scopeSpans": [{"scope": {"name": "x"}, "spans": [span]}]}]}
    else:
        record = span | {"attributes": own | usage, "resource": {"attributes": resource}}
    load(store, [lines(tmp_path / "spans.jsonl", record)])
    assert only(store, '"user"', "team", "branch") == ("ann@x.test", "growth", "main")
    tags = json.loads(only(store, "tags")[0])
    assert (tags["deployment.environment"], tags["feature"], tags["service"]) == ("prod", "search", "desk")
    assert "secret" not in json.dumps(tags)


@pytest.mark.slow
def test_langfuse_says_user_session_and_labels(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    observation = {"id": "o1", "type": "GENERATION", "traceId": "t1", "startTime": "2026-10-05T10:00:00Z",
                   "model": "gpt-4o", "usageDetails": {"input": 10, "output": 1}}  # fmt: skip
    trace = {"id": "t1", "name": "desk", "sessionId": "s1", "userId": "ann", "tags": ["team:growth", "beta"]}
    (tmp_path / "trace.json").write_text(json.dumps({"trace": trace, "observations": [observation]}), "utf-8")
    load(store, [tmp_path / "trace.json"])
    assert only(store, "session", '"user"', "team", "tags ->> '$.beta'") == ("s1", "ann", "growth", "true")


TABLE = "at,tokens,who,part,env,crew\n2026-10-05T10:00:00Z,10,ann,intake,prod,growth\n"


def test_a_table_of_ones_own_says_component_agent_task_dimensions_and_tags(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "calls.csv").write_text(TABLE, "utf-8")
    mapping = parse_mapping(
        "ts=at,input=tokens,model=:gpt-4o,component=part,agent=:desk,task=:triage,user=who,tags.env=env,tags.team=crew,"
        "tags.area=:emea"
    )
    load(store, [tmp_path / "calls.csv"], mapping=mapping)
    assert only(store, "component", "agent", "task", '"user"') == ("intake", "desk", "triage", "ann")
    assert json.loads(only(store, "tags")[0]) == {"env": "prod", "team": "growth", "area": "emea"}


@pytest.mark.parametrize("text", ["ts=at,input=tokens,tags.=env", "ts=at,input=tokens,componant=part"])
def test_a_table_has_no_fields_that_calls_have_not(text: str) -> None:
    with pytest.raises(UsageLogError, match="calls have no field"):
        parse_mapping(text)


def rules(tmp_path: Path, text: str) -> Any:
    (tmp_path / "rules.yaml").write_text(text, "utf-8")
    return read_attribution(tmp_path / "rules.yaml")


@pytest.mark.slow
def test_one_rule_gives_every_project_its_component(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folders = ["/work/Site", "/work/api/", None]
    calls = [answer(n, **({"cwd": folder} if folder else {})) for n, folder in enumerate(folders, 1)]
    given = rules(
        tmp_path,
        'attribution:\n  - {component: "code-{tags.cwd|basename}", agent: "{branch}"}\n'
        '  - {match: {source: "claude*"}, component: "{project|lower}-x"}\n',
    )
    load(store, [lines(tmp_path / "a.jsonl", *calls)], attribution=given)
    found = store.execute("SELECT component, agent FROM usage_event ORDER BY output").fetchall()
    # no branch: the agent stays as logged; no folder: no rule for it applies
    assert found == [("code-Site", "main"), ("code-api", "main"), ("unattributed", "main")]


def test_rules_go_before_the_component_that_a_source_says(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text(TABLE + TABLE.splitlines()[1].replace("intake", "billing") + "\n", "utf-8")
    given = rules(tmp_path, "attribution: [{match: {component: intake, user: ann}, component: front}]")
    mapping = parse_mapping("ts=at,input=tokens,component=part,user=who")
    load(store, [tmp_path / "calls.csv"], mapping=mapping, attribution=given)
    assert store.execute("SELECT component FROM usage_event ORDER BY 1").fetchall() == [("billing",), ("front",)]


@pytest.mark.parametrize(
    ("component", "message"),
    [("{cwd}", "calls have no field 'cwd'"), ("{tags.cwd|dirname}", "there is no filter 'dirname'; known: basename")],
)
def test_a_placeholder_that_means_nothing_is_one_line(tmp_path: Path, component: str, message: str) -> None:
    with pytest.raises(UsageLogError, match=message):
        rules(tmp_path, f'attribution: [{{match: {{model: "*"}}, component: "{component}"}}]')


def test_a_reader_that_names_all_tags_itself_has_none_that_says_a_dimension() -> None:
    known = {"cwd", *(name for names in KNOWN.values() for name in names)}
    named = {reader.name: set(re.findall(r"'(\w+)',", reader.sql)) for reader in READERS if reader.own_tags}
    assert named
    assert {name: tags & known for name, tags in named.items() if tags & known} == {}
