"""A pipe, a folder or a file without end where a reader looks for one beside its log is as one that is not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.readers import cline_models, droid, opencode_steps, qwen_chats, vibe
from costsim.usage.sqlite_log import copy_database, log_beside
from costsim.usage.unfold import beside

SESSION = "aaaaaaaa-0000"


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def without_end(path: Path) -> None:
    """1 TiB of zero bytes that take no room; what is read line by line has any size, and one line of 128 MiB."""
    path.touch()
    os.truncate(path, 2**27 if path.suffix == ".jsonl" else 2**40)


def a_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


# the log, the file beside it, and what the reader knows without that
NEIGHBOURS: dict[str, tuple[str, str, Callable[[Path], Any], Any]] = {
    "vibe": ("s/a_b/meta.json", "s/a_aaaaaaaa/meta.json", lambda file: vibe._parent(SESSION, file), {}),
    "opencode": ("message/s/m.json", "part/m/p.json", opencode_steps.steps_beside, []),
    "cline metadata": ("t/ui_messages.json", "t/task_metadata.json", cline_models.models, []),
    "cline history": ("t/ui_messages.json", "t/api_conversation_history.json", cline_models.models, []),
    "droid": ("s.settings.json", "s.jsonl", droid._messages, (None, None)),
    "qwen": ("subagents/s/a.jsonl", f"chats/{SESSION}.jsonl", lambda file: qwen_chats._responses(file, SESSION), {}),
}


@pytest.mark.parametrize("kind", [a_pipe, a_folder, without_end, a_link])
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_what_is_no_file_to_read_is_not_there(tmp_path: Path, name: str, kind: Callable[[Path], None]) -> None:
    log, neighbour, asked, without = NEIGHBOURS[name]
    for path in (tmp_path / log, tmp_path / neighbour):
        path.parent.mkdir(parents=True, exist_ok=True)
    kind(tmp_path / neighbour)
    assert asked(tmp_path / log) == without


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_a_pipe_is_no_log_of_a_database(tmp_path: Path, ending: str) -> None:
    """Also where the other log is one: the database is copied with that alone."""
    file, other = tmp_path / "a.db", {"-wal": "-journal", "-journal": "-wal"}[ending]
    file.write_bytes(b"SQLite format 3\0" + bytes(100))
    os.mkfifo(f"{file}{ending}")
    assert log_beside(str(file)) is None
    Path(f"{file}{other}").write_bytes(b"x")
    assert log_beside(str(file)) == Path(f"{file}{other}")
    copy_database(file, tmp_path / "copy.db")
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db", f"copy.db{other}"]


def test_a_file_beside_is_read_up_to_the_limit_of_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b").write_bytes(b"x" * 1024)
    monkeypatch.setenv("COSTSIM_MAX_DOCUMENT", "1KiB")
    assert beside(tmp_path / "a", "b") == tmp_path / "b"
    monkeypatch.setenv("COSTSIM_MAX_DOCUMENT", "1023")
    assert beside(tmp_path / "a", "b") is None
    assert beside(tmp_path / "a", "b", whole=False) == tmp_path / "b"  # a database, of which some is read at a time


def test_a_session_of_vibe_is_read_once_for_all_that_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """50 sessions whose ids begin alike, each asked for by another: 50 files are read, not 1,275."""
    read: list[Path] = []
    session = vibe._session

    def noted(file: Path) -> dict[str, Any]:
        read.append(file)
        return session(file)

    monkeypatch.setattr(vibe, "_session", noted)
    for n in range(50):
        file = tmp_path / f"session_{n:02}_aaaaaaaa" / "meta.json"
        file.parent.mkdir()
        file.write_text(f'{{"session_id": "aaaaaaaa-{n}", "stats": {{"steps": {n}}}}}')
    asked = tmp_path / "session_x" / "meta.json"
    assert [vibe._parent(f"aaaaaaaa-{n}", asked)["stats"]["steps"] for n in range(50)] == list(range(50))
    assert len(read) == 50
