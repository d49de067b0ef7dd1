"""Nothing named is ignored: what a load is asked for is read, or refused in one line."""

from __future__ import annotations

import os
import socket
import threading
from errno import EACCES
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.errors import UsageLogError
from costsim.reports.loaded import lines as lines_of
from costsim.usage import listing
from costsim.usage.load import load
from costsim.usage.store import open_store

LOG = next((Path(__file__).parent.parent / "data" / "usage" / "claude-code").glob("*.jsonl"))
COUNT = "SELECT count(*) FROM usage_event"


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> int:
    with open_store(tmp_path_factory.mktemp("calls") / "costsim.duckdb") as store:
        return load(store, [LOG]).total("added")


@pytest.mark.slow
def test_a_pipe_is_read_as_the_standard_input_is(store: duckdb.DuckDBPyConnection, tmp_path: Path, calls: int) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(LOG.read_bytes()))
    writer.start()
    report = load(store, [pipe])
    writer.join()
    assert report.total("added") == calls
    assert report.files[0].path.startswith("stdin ")


@pytest.mark.slow
def test_process_substitution_is_read(store: duckdb.DuckDBPyConnection, calls: int) -> None:
    end, start = os.pipe()  # as bash does for <(cat log): /dev/fd/63

    def write() -> None:
        os.write(start, LOG.read_bytes())
        os.close(start)

    writer = threading.Thread(target=write)
    writer.start()
    assert load(store, [f"/dev/fd/{end}"]).total("added") == calls
    writer.join()
    os.close(end)


def test_a_pipe_that_is_named_twice_is_refused_at_once(tmp_path: Path) -> None:
    """Whatever its second name is: nobody would write to it again, and the load would wait."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for second in ("pipe", "link"):
        with pytest.raises(UsageLogError, match=f"the pipe .*{second} is named twice, and can be read once"):
            listing.find_files([tmp_path / "pipe", tmp_path / second], tmp_path)
    with pytest.raises(UsageLogError, match=r"the standard input \(-\) is named twice"):
        listing.find_files(["-", "-"], tmp_path)


@pytest.mark.parametrize("closed", [False, True], ids=["as the command has it", "as Python has it"])
def test_an_input_that_is_closed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: bool) -> None:
    with os.fdopen(os.open(os.devnull, os.O_WRONLY), "r") as stream:
        monkeypatch.setattr("sys.stdin", None if closed else stream)
        with pytest.raises(UsageLogError, match=r"the standard input \(-\) is closed"):
            listing.find_files(["-"], tmp_path)


def test_the_same_through_two_pipes_counts_once(tmp_path: Path, calls: int) -> None:
    """As a file that is named twice; beside the file itself, and beside a pipe with something else, too."""
    pipes = [tmp_path / f"pipe{number}" for number in range(4)]
    other = LOG.read_bytes().splitlines(keepends=True)
    contents = [LOG.read_bytes()] * 3 + [b"".join(other[:-1])]

    def load_all(paths: list[Path]) -> tuple[int, int]:
        for pipe in pipes:
            os.mkfifo(pipe)
        writers = [
            threading.Thread(target=pipe.write_bytes, args=(content,))
            for pipe, content in zip(pipes, contents, strict=True)
        ]
        for writer in writers:
            writer.start()
        with open_store(tmp_path / "costsim.duckdb") as store:
            report = load(store, paths)
            for writer in writers:
                writer.join()
            for pipe in pipes:
                pipe.unlink()
            assert store.execute(COUNT).fetchone() == (calls,)
        return len(report.files), report.total("added")

    assert load_all([*pipes, LOG]) == (3, calls)
    assert load_all([LOG, *pipes]) == (3, 0)


def test_an_error_about_a_pipe_names_no_copy_of_it(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("a,b\n1,2\n"))
    writer.start()
    with pytest.raises(UsageLogError, match="stdin: this is no log that costsim knows"):
        load(store, [pipe])
    writer.join()


def test_a_pipe_that_nobody_writes_to_is_not_waited_for_without_end(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(listing, "WAIT_SECONDS", 0.1)
    with pytest.raises(UsageLogError, match="nothing came through this pipe"):
        load(store, [tmp_path / "pipe"])


@pytest.mark.parametrize("target", ["nowhere", "link"], ids=["dangling", "loop"])
def test_a_link_that_leads_nowhere_is_refused(store: duckdb.DuckDBPyConnection, tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / target)
    with pytest.raises(UsageLogError, match="link: this link leads nowhere, or round in a circle"):
        load(store, [tmp_path / "link"])


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "socket"])
def test_a_device_or_socket_is_refused(store: duckdb.DuckDBPyConnection, tmp_path: Path, path: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(UsageLogError, match="a device or a socket"):
            load(store, [tmp_path / path])  # an absolute path stands for itself


def test_an_empty_folder_that_is_named_is_refused(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "logs" / "a").mkdir(parents=True)
    with pytest.raises(UsageLogError, match="logs: there is no file in this folder"):
        load(store, [tmp_path / "logs"])
    (tmp_path / "logs" / "a" / "x.png").write_bytes(b"\x89PNG")
    assert list(load(store, [tmp_path / "logs"]).passed_over.values()) == ["an image"]  # named, so not silent
    (tmp_path / "logs" / "b").mkdir()
    assert load(store, [str(tmp_path / "logs" / "*")]).passed_over  # one of several that a glob matches may be empty


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="there is no /proc here")
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/proc/self/mem", "cannot be read"),
        ("/proc/self/maps", "its system makes"),
        ("/proc/version", "its system makes"),
    ],
)
def test_a_file_that_the_system_makes_is_no_empty_one(
    store: duckdb.DuckDBPyConnection, path: str, message: str
) -> None:
    with pytest.raises(UsageLogError, match=message):
        load(store, [path])


@pytest.mark.parametrize("folder", ["/proc", "/proc/self", "/sys"])
def test_a_folder_that_the_system_makes_is_refused(store: duckdb.DuckDBPyConnection, folder: str) -> None:
    with pytest.raises(UsageLogError, match="no folder on a disk"):
        load(store, [folder])


def test_a_name_with_a_line_break_is_shown_on_one_line(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a\n5 calls.jsonl").write_text('{"n": 1}\n')
    assert [*load(store, [tmp_path / "logs"]).passed_over] == [rf"{tmp_path}/logs/a\x0a5 calls.jsonl"]


def test_an_empty_file_is_named_as_empty(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").touch()
    assert load(store, [tmp_path / "x.jsonl"]).passed_over == {str(tmp_path / "x.jsonl"): "empty"}


@pytest.mark.slow
def test_a_name_that_is_no_utf8_is_read_and_shown_with_its_bytes(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, calls: int
) -> None:
    (tmp_path / "logs").mkdir()
    name = os.fsdecode(os.fsencode(tmp_path / "logs") + b"/caf\xe9.jsonl")
    Path(name).write_bytes(LOG.read_bytes())
    Path(os.fsdecode(os.fsencode(tmp_path / "logs") + b"/\xff.png")).write_bytes(b"\x89PNG")
    report = load(store, [tmp_path / "logs"])
    assert report.total("added") == calls
    assert report.files[0].path.endswith(r"caf\xe9.jsonl")
    "\n".join(lines_of(report)).encode()  # can be printed
    assert load(store, [name]).files[0].unchanged


@pytest.mark.slow
def test_a_glob_reads_the_folders_it_matches_and_names_what_is_no_file(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, calls: int
) -> None:
    (tmp_path / "logs" / "a").mkdir(parents=True)
    (tmp_path / "logs" / "a" / "x.jsonl").write_bytes(LOG.read_bytes())
    (tmp_path / "logs" / "gone").symlink_to("nowhere")
    report = load(store, [str(tmp_path / "logs" / "*")])
    assert report.total("added") == calls
    assert report.passed_over == {str(tmp_path / "logs" / "gone"): "no regular file"}


def test_a_glob_that_matches_nothing_but_empty_folders_is_refused(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageLogError, match=r"emp\*: there is no file in what this matches"):
        load(store, [str(tmp_path / "emp*")])


@pytest.mark.parametrize("name", ["x.jsonl", "*.jsonl"])
def test_a_folder_that_cannot_be_entered_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As it is for users other than root, whom no folder keeps out."""
    (tmp_path / "closed").mkdir(mode=0)
    really = os.stat

    def stat(path: str | Path, *args: Any, **more: Any) -> os.stat_result:
        if "closed/" in str(path):
            raise PermissionError(EACCES, "Permission denied", str(path))
        return really(path, *args, **more)

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "access", lambda path, mode: "closed" not in str(path))
    with pytest.raises(UsageLogError, match="cannot be read: Permission denied"):
        listing.find_files([tmp_path / "closed" / name], tmp_path)
