"""Names from files that others wrote, and words of a shell, as commands print them."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from codecs import register_error
from functools import partial
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from conftest import Run
from costsim import csv_reading
from costsim.cli.entry import main
from costsim.cli.streams import ERRORS, escaped, prepare_streams
from costsim.errors import InputError, StoreError
from costsim.shown import MAX_LINE
from costsim.usage.store import open_store

HOSTILE = "evil\x1b]52;c;ZXZpbA==\x07\n::stop-commands::x"


def harmless(text: str) -> bool:
    """No control character but line ends, and no line that a CI takes for a command."""
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text) and not re.search(r"^\s*(::|##\[)", text, re.M)


def test_names_of_a_routing_reach_no_terminal_as_commands(costsim: Run, tmp_path: Path) -> None:
    routing = {HOSTILE: f"anthropic/{HOSTILE}", "fallback": f"openai/{HOSTILE}"}
    (tmp_path / "routing.json").write_text(json.dumps({"model_routing": routing}))
    for words in (["other"], [HOSTILE], [HOSTILE, "--explain"], [HOSTILE + "s"]):
        done = costsim("route", *words, "--config", "routing.json")
        assert done.code == 0, done.err
        assert harmless(done.out)
        assert harmless(done.err)
        assert done.out.count("\n") == 1 or "--explain" in words


def test_a_line_of_a_table_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("date,EUR\n2026-01-01," + "1" * 200 + "\n")
    monkeypatch.setattr(csv_reading, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="a line is longer"):
        list(csv_reading.read_csv(file)[1])


def test_a_table_of_many_columns_is_read_in_one_pass(tmp_path: Path) -> None:
    """20,000 names compared with one another would be 400 million comparisons, several seconds."""
    file = tmp_path / "wide.csv"
    file.write_text(",".join(f"c{n}" for n in range(20_000)) + ",c7\n")
    with pytest.raises(InputError, match="'c7' stands twice"):
        csv_reading.read_csv(file)


def test_a_word_that_is_no_text_reaches_no_file(costsim: Run, tmp_path: Path) -> None:
    word = os.fsdecode(b"x\xff")
    for words in (["spend", "--where", f"agent={word}"], ["rollup", word, "--print-sql"], ["init", "--out", word],
                  ["decide", "x", "--accept", "--who", word], ["load", "--db", f"{word}.duckdb"], ["spend", f"--out={word}.csv"]):  # fmt: skip
        done = costsim(*words)
        assert (done.code, done.err.count("\n"), "is not UTF-8 text" in done.err) == (2, 1, True), done.err
    assert not list(tmp_path.iterdir())


def test_a_store_of_such_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not UTF-8"), open_store(tmp_path / os.fsdecode(b"x\xff.duckdb")):
        pass


FORGED_NAME = "gpt-x\nEverything is within the budgets\r\n0 calls"
FORGED = FORGED_NAME + "\nx" * 3_000
FORGED_FLEET = {
    "name": FORGED_NAME,
    "components": [
        {"name": FORGED_NAME, "agent": FORGED_NAME, "model": "anthropic/claude-haiku-4-5", "runs_per_day": 1,
         "tokens": {"input": 1, "output": 1}, "note": FORGED},
    ],
    "claims": [{"says": FORGED_NAME, "stated": {"low": 0, "high": 1}, "daily_usd": {"of": "total", "plan": "routed"}}],
    "budgets": [{"name": FORGED_NAME, "usd": "0.000001", "period": "day", "owner": FORGED, "note": FORGED}],
}  # fmt: skip


@pytest.mark.slow
def test_no_name_begins_a_line_of_its_own(costsim: Run, tmp_path: Path) -> None:
    """A name with line ends in it would print lines that costsim never said, and thousands of them."""
    message = {"id": "m", "model": FORGED, "usage": {"input_tokens": 5, "output_tokens": 10}}
    entry = {"type": "assistant", "timestamp": "2026-10-05T10:00:00Z", "sessionId": FORGED, "uuid": "u", "cwd": FORGED,
             "message": message}  # fmt: skip
    (tmp_path / "a.jsonl").write_text(json.dumps(entry))
    (tmp_path / "fleet.json").write_text(json.dumps(FORGED_FLEET))
    of_logs = (["load", "a.jsonl"], ["spend", "--by", "model,project"], ["report", "--month", "2026-10"],
               ["reconcile", "--month", "2026-10"], ["replay", "--model", "openai/gpt-5"], ["profile"])  # fmt: skip
    for words in (*of_logs, ["run", "fleet.json", "--trials", "50"], ["check", "fleet.json", "--trials", "50"]):
        done = costsim(*words)
        lines = [*done.out.splitlines(), *done.err.splitlines()]
        assert lines
        assert len(lines) < 200, words
        assert not [line for line in lines if line.strip(" │┃").startswith("Everything")], words


@pytest.mark.slow
@pytest.mark.parametrize("command", ["##[error]x", "##vso[task.setvariable variable=x]y", "##teamcity[x]"])
def test_an_error_is_no_command_of_a_ci(costsim: Run, command: str) -> None:
    """Runners act on these anywhere in a line, on standard error too."""
    for words in (["check", command], ["spend", "--by", command], [command], ["chart", command], ["load", command]):
        done = costsim(*words)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert not re.search(r"##(\[|vso|teamcity)", done.err), done.err


LONG = "z" * 300 + "/" + "y" * 20_000


@pytest.mark.parametrize(
    "words",
    [["load", "x.csv", "--map", f"ts={LONG}"], ["run", "--book", LONG], ["diff", LONG], ["diff", f"{LONG}..{LONG}"],
     ["check", LONG], ["spend", "--by", LONG], ["spend", "--tz", LONG], [LONG], ["prices", "show", LONG]],
)  # fmt: skip
def test_an_error_has_a_bounded_length(costsim: Run, words: list[str]) -> None:
    done = costsim(*words)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert len(done.err) < MAX_LINE + 20


@pytest.mark.slow
def test_thousands_of_models_without_a_price_are_named_in_a_short_sentence(costsim: Run, tmp_path: Path) -> None:
    """1,000 calls, each on a model of its own of 500 characters: ten are named, 990 are counted."""
    calls = [{"ts": "2026-10-01T00:00:00Z", "m": f"{n:04}" + "x" * 496, "i": 1} for n in range(1000)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
    assert costsim("load", "log.jsonl", "--map", "ts=ts,model=m,input=i").code == 0
    done = costsim("spend", "--by", "day")
    assert done.code == 2
    assert " and 990 more; their tokens are in no cost. Check the name with `costsim prices list`" in done.err
    assert len(done.err) < MAX_LINE


@pytest.mark.slow
def test_a_mapping_longer_than_a_file_name_is_read(costsim: Run, tmp_path: Path) -> None:
    """A path may have 255 bytes between two slashes; a mapping of thirty columns has more."""
    columns = {name: f"the_column_of_the_{name}" for name in ("ts", "model", "input", "output", "component", "agent",
               "task", "session", "user", "team", "project", "repository", "branch")}  # fmt: skip
    given = {"ts": "2026-10-01T00:00:00Z", "model": "anthropic/claude-haiku-4-5", "input": 1_000_000, "output": 0}
    row = {column: given.get(name, "x") for name, column in columns.items()}
    (tmp_path / "log.jsonl").write_text(json.dumps(row) + "\n")
    mapping = ",".join(f"{name}={column}" for name, column in columns.items())
    assert len(mapping) > 255
    assert costsim("load", "log.jsonl", "--map", mapping).code == 0
    assert "$1" in costsim("spend").out  # a million tokens at $1 per million


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_letters_that_an_encoding_lacks_are_printed_as_json_writes_them(
    sessions: Run, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    for words in (["spend", "--where", "agent=Ω*"], ["spend", "--format", "json"], ["check", "Ω.yaml"]):
        raw = [BytesIO(), BytesIO()]
        streams = [TextIOWrapper(buffer, encoding) for buffer in raw]
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["costsim", *words])
            patched.setattr(sys, "stdout", streams[0])
            patched.setattr(sys, "stderr", streams[1])
            with pytest.raises(SystemExit) as stopped:
                main()
        for stream in streams:
            stream.flush()
        out, err = (buffer.getvalue().decode(encoding) for buffer in raw)
        assert stopped.value.code == (2 if words[0] == "check" else 0), err
        assert (r"\u03a9" in out + err) == any("Ω" in word for word in words)
        assert json.loads(out) if "json" in words else True


def test_beyond_the_basic_plane_two_units_stand_for_a_character() -> None:
    r"""As in JSON: U+1F469 is \ud83d\udc69; half of such a pair, which no UTF-8 text holds, is written alone."""
    register_error(ERRORS, escaped)
    assert json.loads('{"a": "\U0001f469"}'.encode("ascii", ERRORS)) == {"a": "\U0001f469"}
    assert "\udc80".encode("utf-8", ERRORS) == rb"\udc80"


def test_a_closed_stream_is_no_place_for_the_next_file() -> None:
    """A process whose three streams are closed: after that no file that it opens is one of them; reading and printing fail."""
    child = os.fork()
    if not child:
        status = 1
        try:
            for number in range(3):
                os.close(number)
            for name in ("stdin", "stdout", "stderr"):
                setattr(sys, name, None)
            prepare_streams()
            opened = os.open(os.devnull, os.O_RDONLY)
            print("to nobody", file=sys.stderr, flush=True)
            failed = []
            for use in (sys.stdin.read, partial(print, "a result", flush=True)):
                try:
                    use()
                except OSError as error:
                    failed.append(error.errno)
            status = 0 if opened > 2 and failed == [errno.EBADF] * 2 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has such a device")
def test_an_error_that_cannot_be_printed_is_known_by_its_code(costsim: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 would say that a budget is breached."""
    with Path("/dev/full").open("w") as full, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", full)
        patched.setattr(sys, "argv", ["costsim", "check", "no.yaml"])
        with pytest.raises(SystemExit) as stopped:
            main()
    assert stopped.value.code == 2


@pytest.mark.slow
def test_thousands_of_unknown_levels_are_counted_after_the_first(costsim: Run, tmp_path: Path) -> None:
    """3,000 calls, each processed in a way of its own: twenty are named."""
    calls = [
        {"ts": "2026-10-01T00:00:00Z", "m": "anthropic/claude-haiku-4-5", "i": 1, "p": f"x{n}"} for n in range(3000)
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
    loaded = costsim("load", "log.jsonl", "--map", "ts=ts,model=m,input=i,processing=p")
    assert "and 2,980 more (table sign)" in loaded.out
    for words in (["spend"], ["spend", "--format", "markdown"]):
        done = costsim(*words)
        assert done.code == 0
        assert "and 2,980 more" in done.out
        assert done.out.count("\n") < 60
    assert costsim("spend", "--top", str(10**20)).code == 2
