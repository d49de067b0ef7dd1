"""Files are written whole or not at all; links, devices and pipes stay what they are."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import duckdb
import pytest
from costsim import writing
from costsim.errors import OutputError
from costsim.usage.output_files import failing_as_output
from costsim.writing import ENDING, one_writer, replacing, write_file


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    real, link = tmp_path / "shared" / "decisions.yaml", tmp_path / "decisions.yaml"
    real.write_text("old")
    link.symlink_to(real)
    write_file(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_who_may_read_a_file_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "plan.html"
    file.write_text("old")
    file.chmod(0o600)
    write_file(file, "new")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write_file(pipe, "report")
    reader.join(5)
    assert got == ["report"]
    assert pipe.is_fifo()


def test_a_full_device_is_an_error_and_stays_a_device() -> None:
    full = Path("/dev/full")
    if not full.is_char_device():
        pytest.skip("there is no /dev/full here")
    with pytest.raises(OutputError, match="No space left"):
        write_file(full, "x")
    assert full.is_char_device()


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_file(tmp_path, "x")


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """200 additions of one by four writers are 200, whoever reads between."""
    file = tmp_path / "count"
    file.write_text("0")

    def add() -> None:
        for _ in range(50):
            with one_writer(tmp_path):
                write_file(file, str(int(file.read_text()) + 1))

    writers = [threading.Thread(target=add) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert file.read_text() == "200"


def test_a_folder_that_another_process_holds_is_waited_for_so_long_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl", reason="folders are not locked here")
    monkeypatch.setattr(writing, "WAIT_SECONDS", 0.1)
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(OutputError, match="another process is writing there; wait"), one_writer(tmp_path):
        pass
    os.close(handle)
    with one_writer(tmp_path):
        pass


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path) -> None:
    file, left = tmp_path / "plan.html", tmp_path / f".plan.html.abcd1234{ENDING}"
    others = [tmp_path / ".plan.html.backup", tmp_path / f".other.html.abcd1234{ENDING}"]
    for part in (left, *others):
        part.write_text("half")
    with replacing(file) as begun:
        begun.write_text("of one that is still writing")
        write_file(file, "whole")
        assert begun.exists()
    assert not left.exists()
    assert all(other.exists() for other in others)
    assert file.read_text() == "of one that is still writing"


def test_a_name_as_long_as_names_may_be_is_written(tmp_path: Path) -> None:
    file = tmp_path / ("é" * 120 + ".html")  # 245 of 255 bytes
    write_file(file, "whole")
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("head", [b"12345678DUCK" + b"0" * 5000, b"SQLite format 3\0" + b"0" * 100])
def test_no_result_takes_the_place_of_a_database(tmp_path: Path, head: bytes) -> None:
    store = tmp_path / "costsim.duckdb"
    store.write_bytes(head)
    (tmp_path / "link.csv").symlink_to(store)
    for name in ("costsim.duckdb", "link.csv"):
        with pytest.raises(OutputError, match="there is a database, which no result replaces"):
            write_file(tmp_path / name, "a,b")
    assert store.read_bytes() == head
    assert sorted(file.name for file in tmp_path.iterdir()) == ["costsim.duckdb", "link.csv"]


def fail(file: Path, error: Exception) -> None:
    with failing_as_output(file):
        raise error


def test_of_a_full_disk_duckdb_says_no_more_than_that(tmp_path: Path) -> None:
    said = 'IO Error: Async write failed: {"exception_message":"No space left on device","errno":"28"}'
    with pytest.raises(OutputError, match=r"x\.csv: cannot be written: No space left on device$"):
        fail(tmp_path / "x.csv", duckdb.IOException(said))
