"""`costsim load` without a path: the logs of the coding agents of this machine's user, where each agent keeps them."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from costsim.reports.known_logs import lines, size
from costsim.usage.known_logs import KnownLogs, known_logs

if TYPE_CHECKING:
    from conftest import Run

DATA = Path(__file__).parent.parent / "data" / "usage"
CLAUDE = DATA / "claude-code" / "claude_alpha_chat.jsonl"
CLINE = ".config/Code/User/globalStorage/saoudrizwan.claude-dev/tasks/1"
CODEBUFF = ".config/manicode/projects/app/chats/2026-10-05T10-00-00.000Z"
ID = "5f0c1d2e-0000-4000-8000-00000000cc01"

# where an agent keeps its log by default, and a sample of it
DEFAULTS: dict[str, tuple[str, str]] = {
    "Claude Code": (".claude/projects/-srv-app/s.jsonl", "claude-code/claude_alpha_chat.jsonl"),
    "Codex": (".codex/sessions/2026/10/01/rollout-1.jsonl", "codex/codex_alpha.jsonl"),
    "Gemini CLI": (".gemini/tmp/hash/chats/session-1.jsonl", "gemini-cli/session-2026-04-23.jsonl"),
    "Qwen Code": (".qwen/projects/app/chats/1.jsonl", "qwen-code/chat.jsonl"),
    "Copilot CLI": (".copilot/session-state/1/events.jsonl", "copilot/events.jsonl"),
    "OpenCode": (".local/share/opencode/opencode.db", "opencode/opencode.db"),
    "Amp": (".local/share/amp/threads/T-1.json", "amp/T-current.json"),
    "Crush": ("app/.crush/crush.db", "crush/crush.db"),
    "Goose": (".local/share/goose/sessions/sessions.db", "goose/sessions.db"),
    "Kimi CLI": (".kimi/sessions/a/b/wire.jsonl", "kimi-cli/wire.jsonl"),
    "Kimi Code": (".kimi-code/sessions/wd/s/agents/main/wire.jsonl", "kimi-code/wire.jsonl"),
    "pi": (".pi/agent/sessions/app/1.jsonl", "openclaw/before-compaction.usage-only.jsonl"),
    "Mistral Vibe": (".vibe/logs/session/session_20261005_100000_a1b2c3d4/meta.json", "vibe/meta.json"),
    "Hermes Agent": (".hermes/state.db", "hermes/state.db"),
    "Forge": (".forge/.forge.db", "forge/forge.db"),
    "Mux": (".mux/sessions/a1b2c3d4e5/chat.jsonl", "mux/chat.jsonl"),
    "Zed": (".local/share/zed/threads/threads.db", "zed/threads.db"),
    "DeepSeek Harness": (".dsh/sessions/-srv-app/session-1/session.jsonl", "dsh/session.jsonl"),
    "OpenHands": (".openhands/conversations/5f0c/base_state.json", "openhands/base_state.json"),
    "ZCode": (".zcode/cli/db/db.sqlite", "zcode/zcode.db"),
    "Junie": (".junie/sessions/session-261005-100000-aaaa/events.jsonl", "junie/events.jsonl"),
    "Shelley": (".config/shelley/shelley.db", "shelley/shelley.db"),
    "Piebald": (".local/share/piebald/app.db", "piebald/app.db"),
    "Devin": (".local/share/devin/cli/transcripts/s.json", "atif/trajectory.json"),
    "jcode": (".jcode/sessions/session_fox_1791194400000_00000000000000aa.json", "jcode/session_fox.json"),
    "Command Code": (f".commandcode/projects/srv-app/{ID}.jsonl", "command-code/session.jsonl"),
    "Codebuff": (f"{CODEBUFF}/chat-messages.json", "codebuff/chat-messages.json"),
    "Grok Build": (".grok/sessions/%2Fsrv%2Fapp/019f/updates.jsonl", "grok/updates.jsonl"),
    "gptme": (".local/share/gptme/logs/2026-10-05-hello/conversation.jsonl", "gptme/conversation.jsonl"),
    "LLM": (".config/io.datasette.llm/logs.db", "llm/logs.db"),
    "Droid": (".factory/sessions/app/1.settings.json", "droid/session-1.settings.json"),
    "Cline": (f"{CLINE}/ui_messages.json", "cline/ui_messages.json"),
}

# a variable that moves it, and where its file is then
MOVED = {
    "Claude Code": ("CLAUDE_CONFIG_DIR", "projects/a/s.jsonl"),
    "Codex": ("CODEX_HOME", "sessions/2026/r.jsonl"),
    "OpenCode": ("XDG_DATA_HOME", "opencode/opencode.db"),
    "Amp": ("XDG_DATA_HOME", "amp/threads/T.json"),
    "Copilot CLI": ("COPILOT_HOME", "session-state/1/events.jsonl"),
    "Droid": ("FACTORY_DIR", "sessions/a/1.settings.json"),
    "Mistral Vibe": ("VIBE_HOME", "logs/session/s/agents/task_1/meta.json"),
    "Hermes Agent": ("HERMES_HOME", "profiles/work/state.db"),
    "Mux": ("MUX_ROOT", "sessions/a/chat-archive.jsonl"),
    "Codebuff": ("CODEBUFF_DATA_DIR", "projects/app/chats/2026-10-05T10-00-00.000Z/chat-messages.json"),
    "jcode": ("JCODE_HOME", "sessions/session_fox_1_aa.journal.jsonl"),
    "ZCode": ("ZCODE_SESSION_DB", "db.sqlite"),
    "DeepSeek Harness": ("DSH_HOME", "sessions/-srv-app/session-1/session.v4.jsonl"),
    "Kimi Code": ("KIMI_CODE_HOME", "sessions/w/s/agents/main/wire.jsonl"),
    "Goose": ("GOOSE_PATH_ROOT", "data/sessions/sessions.db"),
    "pi": ("PI_CODING_AGENT_DIR", "sessions/app/1.jsonl"),
}


def put(file: Path, sample: str | Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(DATA / sample, file)
    return file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a log of every agent."""
    for path, sample in DEFAULTS.values():
        put(tmp_path / "home" / path, sample)
    listed(tmp_path / "home" / ".local" / "share" / "crush", tmp_path / "home" / "app" / ".crush")
    return tmp_path / "home"


def listed(folder: Path, *projects: object) -> None:
    """Crush's list of the folders with data."""
    folder.mkdir(parents=True, exist_ok=True)
    named = [{"path": "/", "data_dir": str(project)} for project in projects]
    (folder / "projects.json").write_text(json.dumps({"projects": named}))


def test_every_agents_log_is_found_where_the_agent_keeps_it(home: Path) -> None:
    found = {logs.agent: logs for logs in known_logs({}, home)}
    assert {agent: logs.files for agent, logs in found.items()} == {
        agent: (home / path,) for agent, (path, _) in DEFAULTS.items()
    }
    assert found["Amp"].bytes == (DATA / "amp" / "T-current.json").stat().st_size


@pytest.mark.parametrize("agent", MOVED)
def test_an_agents_own_variable_moves_its_logs(home: Path, tmp_path: Path, agent: str) -> None:
    variable, path = MOVED[agent]
    file = put(tmp_path / "elsewhere" / path, DEFAULTS[agent][1])
    found = [logs for logs in known_logs({variable: str(tmp_path / "elsewhere")}, home) if logs.agent == agent]
    assert [logs.files for logs in found] == [(file,)]


def test_a_link_out_of_a_folder_is_not_followed_and_one_within_counts_once(tmp_path: Path) -> None:
    file = put(tmp_path / ".claude/projects/a/s.jsonl", CLAUDE)
    outside = put(tmp_path / "private" / "notes.jsonl", CLAUDE)
    file.with_name("out.jsonl").symlink_to(outside)
    (tmp_path / ".claude/projects/folder").symlink_to(outside.parent)
    file.with_name("gone.jsonl").symlink_to(tmp_path / "nothing")
    [found] = known_logs({}, tmp_path)
    assert found.files == (file,)


def test_what_may_repeat_another_agents_calls_is_named_and_left(tmp_path: Path) -> None:
    put(tmp_path / ".copilot/session-state/1/events.jsonl", "copilot/events.jsonl")
    put(tmp_path / ".copilot/otel/spans.jsonl", "otel/copilot.jsonl")
    found = known_logs({}, tmp_path)
    assert [(logs.agent, logs.repeats) for logs in found] == [
        ("Copilot CLI", ""), ("Copilot (OpenTelemetry)", "Copilot CLI"),
    ]  # fmt: skip
    assert lines(found, tmp_path)[-1].startswith("Copilot (OpenTelemetry) may repeat calls of Copilot CLI")


def test_crush_lists_its_projects_where_its_variable_says(tmp_path: Path) -> None:
    file = put(tmp_path / "elsewhere" / "crush.db", "crush/crush.db")
    listed(tmp_path / "data", file.parent, file.parent, tmp_path / "gone", "relative")
    found = known_logs({"CRUSH_GLOBAL_DATA": str(tmp_path / "data")}, tmp_path / "home")
    assert [(logs.agent, logs.files) for logs in found] == [("Crush", (file,))]


@pytest.mark.parametrize("text", ["", "[]", '{"projects": 1}', '{"projects": [1, {"data_dir": null}]}'])
def test_a_list_of_projects_that_is_none_names_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "projects.json").write_text(text)
    assert known_logs({"CRUSH_GLOBAL_DATA": str(tmp_path)}, tmp_path / "home") == []


def test_sizes_and_days_stand_in_the_table() -> None:
    first, last = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 10, 5, tzinfo=UTC)
    logs = KnownLogs("Codex", Path("/home/a/.codex"), (Path("/home/a/.codex/1"),) * 1_200, 3_400_000, first, last)
    assert lines([logs], Path("/home/a")) == [
        "agent  files    size  first       last        folder",
        "Codex  1,200  3.4 MB  2026-03-01  2026-10-05  ~/.codex",
    ]
    assert [size(count) for count in (0, 999, 1_000, 25 * 10**8, 10**15)] == [
        "0 B", "999 B", "1.0 kB", "2.5 GB", "1000.0 TB",
    ]  # fmt: skip


@pytest.mark.slow
def test_load_lists_what_is_known_and_loads_it_with_all(
    costsim: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: home)
    for name in [name for name in os.environ if name.endswith(("_HOME", "_DIR", "_ROOT"))]:
        monkeypatch.delenv(name)
    listed = costsim("load")
    assert listed.code == 0
    assert "costsim load --all" in listed.out
    assert not Path("costsim.duckdb").exists()
    loaded = costsim("load", "--all")
    assert loaded.out.splitlines()[: len(DEFAULTS) + 1] == listed.out.splitlines()[: len(DEFAULTS) + 1]
    assert f"{len(DEFAULTS)} files read" in loaded.out


def test_all_where_nothing_is_known_is_an_error(costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "empty")
    for name in [name for name in os.environ if name.endswith(("_HOME", "_DIR", "_ROOT"))]:
        monkeypatch.delenv(name)
    outcome = costsim("load", "--all")
    assert (outcome.code, outcome.err) == (2, "costsim: --all found nothing to load\n")
    assert costsim("load").code == 0
