"""Where the coding agents of this machine's user keep their logs, and which are there.

Each agent's own environment variables say where, as its documentation or its code has them; else its default. Only
regular files in these folders are listed; a link is followed to where it stays in its folder, never out of it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

EDITORS = ("Code", "Code - Insiders", "Code - OSS", "VSCodium", "Cursor", "Windsurf")
SERVERS = (".vscode-server", ".vscode-server-insiders", ".cursor-server", ".windsurf-server")
TASKS = ("tasks/*/ui_messages.json",)


@dataclass(frozen=True)
class Place:
    """Where an agent keeps its logs: folders, and what the files in them are called (`*` stands for any characters).

    `roots` are a variable's value or a default, with what follows it: `$CODEX_HOME|~/.codex` and so on; of several, the
    first whose variable is set, else all. Before them, `projects:` says that a list there, projects.json, names the
    folders, and `editors:` that each editor has such a folder. `repeats` names an agent whose logs can hold the same
    calls.
    """

    agent: str
    roots: tuple[str, ...]
    files: tuple[str, ...]
    repeats: str = ""


def _editor(agent: str, extension: str) -> Place:
    """Tasks of an extension in every editor's global storage."""
    return Place(agent, (f"editors:globalStorage/{extension}",), TASKS)


MAC = "~/Library/Application Support"

PLACES: tuple[Place, ...] = (
    Place("Claude Code", ("$CLAUDE_CONFIG_DIR/projects|~/.claude/projects|$XDG_CONFIG_HOME/claude/projects",),
          ("*.jsonl",)),
    Place("Codex", ("$CODEX_HOME|~/.codex",), ("sessions/*.jsonl", "archived_sessions/*.jsonl")),
    Place("Gemini CLI", ("$GEMINI_DATA_DIR|$GEMINI_CLI_HOME/.gemini/tmp|~/.gemini/tmp",), ("*/chats/*.json*",)),
    Place("Qwen Code", ("$QWEN_DATA_DIR|$QWEN_HOME|~/.qwen",),
          ("projects/*/chats/*.jsonl", "projects/*/subagents/*/agent-*.jsonl")),
    Place("Copilot CLI", ("$COPILOT_HOME|~/.copilot",),
          ("session-state/*/events.jsonl", "session-state/*.jsonl", "session-store.db")),
    Place("Copilot (OpenTelemetry)", ("$COPILOT_OTEL_FILE_EXPORTER_PATH", "$COPILOT_HOME/otel|~/.copilot/otel"),
          ("*.jsonl",), repeats="Copilot CLI"),
    Place("Copilot Chat (VS Code)", ("editors:globalStorage/github.copilot-chat",), ("agent-traces.db",)),
    Place("OpenCode", ("$OPENCODE_DATA_DIR|$XDG_DATA_HOME/opencode",), ("opencode*.db", "storage/message/*.json")),
    Place("Kilo CLI", ("$KILO_DATA_DIR|$XDG_DATA_HOME/kilo",), ("kilo*.db",)),
    Place("Crush", ("projects:$CRUSH_GLOBAL_DATA|$XDG_DATA_HOME/crush",), ("crush.db",)),
    Place("Amp", ("$AMP_DATA_DIR|$XDG_DATA_HOME/amp",), ("threads/*.json",)),
    Place("Goose", ("$GOOSE_PATH_ROOT/data/sessions|$XDG_DATA_HOME/goose/sessions|$XDG_DATA_HOME/Block/goose/sessions"
                    f"|{MAC}/Block/goose/sessions|{MAC}/goose/sessions",), ("sessions.db",)),
    Place("Kimi CLI", ("$KIMI_SHARE_DIR|$KIMI_DATA_DIR|~/.kimi",), ("sessions/*/wire.jsonl",)),
    Place("Kimi Code", ("$KIMI_CODE_HOME|~/.kimi-code"
                        f"|{MAC}/kimi-desktop/daimon-share/daimon/runtime/kimi-code/home",),
          ("sessions/*/wire.jsonl",)),
    Place("pi", ("$PI_CODING_AGENT_DIR|$PI_AGENT_DIR|~/.pi/agent",), ("sessions/*.jsonl", "*.jsonl")),
    Place("oh-my-pi", ("$OMP_CODING_AGENT_DIR|~/.omp/agent",), ("sessions/*.jsonl",)),
    Place("OpenClaw", ("$OPENCLAW_STATE_DIR|$OPENCLAW_DIR|~/.openclaw", "~/.clawdbot", "~/.moltbot"),
          ("agents/*/sessions/*.jsonl*",)),
    Place("Mistral Vibe", ("$VIBE_HOME/logs/session|~/.vibe/logs/session",), ("*/meta.json", "session_*.json")),
    Place("Zed", (f"$XDG_DATA_HOME/zed/threads|{MAC}/Zed/threads",), ("threads.db",)),
    Place("Hermes Agent", ("$HERMES_HOME|~/.hermes",), ("state.db", "profiles/*/state.db")),
    Place("Forge", ("$FORGE_CONFIG|~/.forge|~/forge",), (".forge.db",)),
    Place("Mux", ("$XUM_ROOT|$MUX_ROOT|~/.xum|~/.mux|~/.cmux",),
          tuple(f"sessions/*/{name}.jsonl" for name in ("chat", "chat-archive", "headless-usage"))),
    Place("DeepSeek Harness", ("$DSH_HOME|~/.dsh",), ("sessions/*/session.jsonl*", "sessions/*/session.v*.jsonl*")),
    Place("CC Switch", ("~/.cc-switch",), ("cc-switch.db",), repeats="Claude Code"),
    Place("OpenHands", ("$OPENHANDS_CONVERSATIONS_DIR|~/.openhands/conversations",), ("*/base_state.json",)),
    Place("ZCode", ("$ZCODE_SESSION_DB_PATH|$ZCODE_SESSION_DB|~/.zcode/cli/db",), ("db.sqlite",)),
    Place("Junie", ("~/.junie/sessions",), ("*/events.jsonl",)),
    Place("Shelley", ("$SHELLEY_DB|~/.config/shelley",), ("shelley.db",)),
    Place("Piebald", (f"$XDG_DATA_HOME/piebald|{MAC}/piebald",), ("app.db",)),
    Place("Devin", ("$XDG_DATA_HOME/devin/cli",), ("transcripts/*.json",)),
    Place("jcode", ("$JCODE_HOME|~/.jcode",), ("sessions/session_*.json", "sessions/*.journal.jsonl")),
    Place("Command Code", ("~/.commandcode/projects",), (f"*/{'-'.join('?' * n for n in (8, 4, 4, 4, 12))}.jsonl",)),
    Place("Codebuff", ("$CODEBUFF_DATA_DIR|~/.config/manicode|~/.config/manicode-dev|~/.config/manicode-staging",),
          ("projects/*/chats/*/chat-messages.json",)),
    Place("Grok Build", ("$GROK_HOME|~/.grok",), ("sessions/*/updates.jsonl",)),
    Place("gptme", ("$GPTME_LOGS_HOME|$XDG_DATA_HOME/gptme/logs",), ("*/conversation.jsonl",)),
    Place("LLM", ("$LLM_USER_PATH|$XDG_CONFIG_HOME/io.datasette.llm"
                  f"|{MAC}/io.datasette.llm",), ("logs.db",)),
    Place("Droid", ("$DROID_SESSIONS_DIR|$FACTORY_DIR/sessions|~/.factory/sessions",), ("*.settings.json",)),
    Place("Cline", ("$CLINE_DATA_DIR|$CLINE_DIR/data|~/.cline/data",), TASKS),
    Place("Cline (CLI)", ("$CLINE_SESSION_DATA_DIR|$CLINE_DATA_DIR/sessions|$CLINE_DIR/data/sessions"
                          "|~/.cline/data/sessions",), ("*.messages.json",)),
    _editor("Cline", "saoudrizwan.claude-dev"),
    _editor("Roo Code", "rooveterinaryinc.roo-cline"),
    _editor("Kilo Code", "kilocode.kilo-code"),
)  # fmt: skip

DEFAULTS = {"XDG_CONFIG_HOME": "~/.config", "XDG_DATA_HOME": "~/.local/share"}


@dataclass(frozen=True)
class KnownLogs:
    """An agent's logs in one folder: its files, their bytes, and when the first and the last were written (UTC).

    `repeats` is another agent whose logs, found too, can hold the same calls.
    """

    agent: str
    folder: Path
    files: tuple[Path, ...]
    bytes: int
    first: datetime
    last: datetime
    repeats: str = ""


def known_logs(environ: Mapping[str, str] | None = None, home: Path | None = None) -> list[KnownLogs]:
    """The logs of known agents that are on this machine, by agent and folder; each file once."""
    where = Surroundings(os.environ if environ is None else environ, home or Path.home())
    found: list[KnownLogs] = []
    seen: set[Path] = set()
    for place in PLACES:
        for folder in where.folders(place):
            files = [file for file in _files(folder, place.files) if file not in seen]
            seen.update(files)
            if logs := _measured(place.agent, folder, files):
                repeats = place.repeats if any(one.agent == place.repeats for one in found) else ""
                found.append(replace(logs, repeats=repeats))
    return found


@dataclass(frozen=True)
class Surroundings:
    """The user's environment and home."""

    environ: Mapping[str, str]
    home: Path

    def folders(self, place: Place) -> Iterator[Path]:
        """The folders (or files) of a place that are there, each once."""
        named = (path for root in place.roots for path in self._root(root))
        yield from dict.fromkeys(path.resolve() for path in named if path.exists())

    def _root(self, root: str) -> Sequence[Path]:
        if root.startswith("editors:"):
            return [base / root.removeprefix("editors:") for base in self._editors()]
        if root.startswith("projects:"):
            listed = (base / "projects.json" for base in self._root(root.removeprefix("projects:")))
            return [folder for file in listed for folder in _projects(file)]
        choices = root.split("|")
        set_ones = [choice for choice in choices if choice.startswith("$") and self.environ.get(_variable(choice))]
        chosen = [choice for choice in set_ones if _variable(choice) not in DEFAULTS][:1]
        return [path for choice in chosen or choices for path in self._paths(choice)]

    def _paths(self, choice: str) -> Iterator[Path]:
        """A choice's paths; a variable may list several, apart by commas."""
        if not choice.startswith("$"):
            yield self._below_home(choice)
            return
        name = _variable(choice)
        rest = choice[len(name) + 1 :].lstrip("/")
        for value in (self.environ.get(name) or DEFAULTS.get(name, "")).split(","):
            if value.strip():
                yield self._below_home(value.strip()) / rest

    def _below_home(self, path: str) -> Path:
        return self.home / path[2:] if path.startswith("~/") else Path(path)

    def _editors(self) -> Iterator[Path]:
        """The user folders of editors of VS Code's kind."""
        if portable := self.environ.get("VSCODE_PORTABLE"):
            yield Path(portable) / "user-data" / "User"
        base = self._below_home(self.environ.get("XDG_CONFIG_HOME") or "~/.config")
        if sys.platform == "darwin":
            base = self.home / "Library" / "Application Support"
        elif sys.platform == "win32":
            base = Path(self.environ.get("APPDATA") or self.home / "AppData" / "Roaming")
        yield from (base / editor / "User" for editor in EDITORS)
        yield from (self.home / server / "data" / "User" for server in SERVERS)


def _projects(listed: Path) -> Iterator[Path]:
    """The folders in which the projects of a list (Crush's) keep their data."""
    try:
        found = json.loads(listed.read_bytes())
    except (OSError, ValueError, RecursionError):
        return
    projects = found.get("projects") if isinstance(found, dict) else None
    for project in projects if isinstance(projects, list) else []:
        folder = project.get("data_dir") if isinstance(project, dict) else None
        if isinstance(folder, str) and Path(folder).is_absolute():
            yield Path(folder)


def _variable(choice: str) -> str:
    return choice[1:].partition("/")[0]


def _files(folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """The files of these names below a folder; or the folder itself, where it is a file."""
    if folder.is_file():
        yield folder
        return
    for parent, _, names in os.walk(folder):  # links to folders are not followed
        for name in sorted(names):
            file = Path(parent, name)
            path = file.relative_to(folder).as_posix()
            if any(fnmatch(path, pattern) for pattern in patterns) and _within(file, folder):
                yield file


def _within(file: Path, folder: Path) -> bool:
    """Whether a file is a regular one and stays in its folder."""
    try:
        return file.is_file() and (not file.is_symlink() or file.resolve().is_relative_to(folder))
    except OSError:
        return False


def _measured(agent: str, folder: Path, files: Sequence[Path]) -> KnownLogs | None:
    stats = []
    for file in files:
        try:
            stats.append((file, file.stat()))
        except OSError:  # gone since
            continue
    stats = [(file, stat) for file, stat in stats if stat.st_size]
    if not stats:
        return None
    times = [datetime.fromtimestamp(stat.st_mtime, UTC) for _, stat in stats]
    size = sum(stat.st_size for _, stat in stats)
    return KnownLogs(agent, folder, tuple(sorted(file for file, _ in stats)), size, min(times), max(times))
