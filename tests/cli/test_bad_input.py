"""Bad input gets one clear line that says what, where and how to fix it; exit code 2; nothing half-written."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from costsim.cli.entry import main

if TYPE_CHECKING:
    from conftest import Run

HEAD = "model_routing: {fallback: anthropic/claude-haiku-4-5}\ncomponents:\n  - name: a\n"
TOKENS = "    tokens: {input: 5, output: 1}\n"
DAILY = "    runs_per_day: 5\n"

BAD_FILES = {
    "empty": (b"", "the file is empty"),
    "not YAML": (b"components:\n  - name: [x\n", "architecture.yaml:3: this is not YAML"),
    "not a mapping": (b"- a\n", "must be a mapping"),
    "a tag on another value": (b"name: !!bool x\n", "name: "),
    "a tag on nothing": (b'name: !!int ""\n', "name: "),
    "a timestamp that is none": (b"name: !!timestamp x\n", "name: "),
    "a number too long to print": (b"name: 0x" + b"f" * 20_000 + b"\n", "it is a number of 80,000 bits"),
    "a key twice": (b"name: a\nname: b\n", "'name' stands twice, again in line 2"),
    "unknown key": (
        (HEAD + "    schedul: x\n" + DAILY + TOKENS).encode(),
        "architecture.yaml:4 components[0].schedul: unknown key 'schedul'; did you mean 'schedule'?",
    ),
    "unknown key in a union": (
        (HEAD + DAILY + "    tokens: {input: {low: 1, hihg: 5}}\n").encode(),
        "architecture.yaml:5 components[0].tokens.input.hihg: unknown key 'hihg'; did you mean 'high'?",
    ),
    "bad cron": (
        (HEAD + '    schedule: "*/75 * * * *"\n' + TOKENS).encode(),
        'architecture.yaml:4 components[0].schedule: "*/75 * * * *" is not a cron expression: '
        "minute step 75 is past 59",
    ),
    "negative tokens": (
        (HEAD + DAILY + "    tokens: {input: -5, output: 1}\n").encode(),
        "architecture.yaml:5 components[0].tokens.input: this should be greater than or equal to 0",
    ),
    "not a number": (
        (HEAD + "    runs_per_day: .nan\n" + TOKENS).encode(),
        "components[0].runs_per_day: this should be a finite number",
    ),
    "a trillion runs per day": (
        (HEAD + "    runs_per_day: 1000000000000\n" + TOKENS).encode(),
        "1000000000000 runs per day is more than the 100,000,000 that costsim takes",
    ),
    "dates reversed": (
        (HEAD + DAILY + "    start: 2026-05-05\n    end: 2026-05-01\n" + TOKENS).encode(),
        "components[0]: end 2026-05-01 is before start 2026-05-05",
    ),
    "unknown time zone": (
        ("timezone: Mars/Olympus\n" + HEAD + DAILY + TOKENS).encode(),
        "is not a time zone",
    ),
    "no tokens": ((HEAD + DAILY).encode(), "say what a run uses: either tokens or calibrate"),
    "two schedules": (
        (HEAD + DAILY + '    schedule: "0 7 * * *"\n' + TOKENS).encode(),
        "either schedule (a cron expression) or runs_per_day, not both",
    ),
    "unknown cron": ((HEAD + "    cron: nightly\n" + TOKENS).encode(), "there is no cron 'nightly'"),
    "missing log": (
        (HEAD + DAILY + "    tokens: {from_usage: {file: gone.csv, columns: {input: n}}}\n").encode(),
        "gone.csv: there is no such file",
    ),
    "missing overlay": (
        ("prices: gone.yaml\n" + HEAD + DAILY + TOKENS).encode(),
        "architecture.yaml:1 prices: there is no file 'gone.yaml' beside the architecture",
    ),
    "not UTF-8": (b"name: \xff\xfe\n", "byte 6 is not UTF-8 text"),
    "python object": (b'!!python/object/apply:os.system ["echo hi"]\n', "this is not YAML"),
    "endless alias": (b"a: &a [*a]\n", "holds itself"),
    "unknown plan of a claim": (
        (HEAD + DAILY + TOKENS + "claims: [{says: x, stated: 1, plan_ratio: {plan: naiv, to: routed}}]\n").encode(),
        "there is no plan 'naiv'; did you mean 'naive'?",
    ),
}


def assert_one_line(err: str) -> None:
    assert err.startswith("costsim: ")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_architecture_is_one_line_and_exit_code_2(costsim: Run, tmp_path: Path, case: str) -> None:
    content, message = BAD_FILES[case]
    (tmp_path / "architecture.yaml").write_bytes(content)
    outcome = costsim("run", "architecture.yaml", "--report", "plan.html", "--db", "c.duckdb")
    assert outcome.code == 2
    assert message in outcome.err
    assert_one_line(outcome.err)
    assert outcome.out == ""
    assert [file.name for file in tmp_path.iterdir()] == ["architecture.yaml"], "nothing half-written"


def test_an_alias_bomb_is_refused_before_it_unfolds(costsim: Run, tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]  # 9^9 = 387 million
    (tmp_path / "bomb.yaml").write_text("\n".join(lines))
    outcome = costsim("run", "bomb.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    assert "unfolds into more than 1,000,000 values" in outcome.err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"components": [}', "a.json:1: this is not JSON"),
        ("a.toml", "a = \n", "a.toml: this is not TOML"),
        ("a.json", "[" * 100_000, "a.json: the file is nested too deeply"),
    ],
)
def test_bad_json_and_toml(costsim: Run, tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    outcome = costsim("run", name)
    assert outcome.code == 2
    assert message in outcome.err
    assert_one_line(outcome.err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.yaml"], "gone.yaml: there is no such file"),
        (["."], ".: this is a folder, not a file"),
        (["--days", "0"], "days must be from 1 to 1,096"),
        (["--trials", "0"], "trials must be from 1 to"),
        (["--seed", "-1"], "seed must be from 0 to"),
        (["--start", "2026-13-01"], "'2026-13-01' is not a date"),
        (["--book", "nope"], "'nope' is not a price book"),
        (["--report", "gone/plan.html"], "gone/plan.html: cannot be written: No such file or directory"),
        (["--db", "gone/c.duckdb"], "gone/c.duckdb: "),
    ],
)
def test_bad_options_are_one_line(costsim: Run, arguments: list[str], message: str) -> None:
    outcome = (
        costsim("run", *arguments, "--trials", "10") if "--trials" not in arguments else costsim("run", *arguments)
    )
    assert outcome.code == 2
    assert message in outcome.err
    assert_one_line(outcome.err)


def test_a_file_that_is_no_store_is_left_alone(costsim: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("precious")
    outcome = costsim("run", "--trials", "10", "--db", "notes.txt")
    assert outcome.code == 2
    assert_one_line(outcome.err)
    assert (tmp_path / "notes.txt").read_text() == "precious"


SECRETS = {
    "a shadow": "root:$6$hash:19000:0:99999:7:::\n",
    "a netrc": "machine api.test login ana password hunter2\n",
    "a password": "hunter2\n",
    "columns": "name,hunter2\nmark,hunter2\n",
    "JSON": '{"ana": "hunter2", "hunter2": 1}\n',
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", ["secret", "secret.jsonl"])
@pytest.mark.parametrize("command", [["outcomes"], ["evaluate"], ["load", "--map", "ts=a,input=b"]], ids=lambda c: c[0])
def test_no_text_of_a_file_of_another_kind_is_in_an_error(
    costsim: Run, tmp_path: Path, command: list[str], name: str, secret: str
) -> None:
    if command[0] == "load" and secret in ("columns", "JSON"):
        return  # the columns of a table, which --map asks for, are listed
    (tmp_path / name).write_text(SECRETS[secret])
    outcome = costsim(*command, name)
    assert outcome.code == 2
    assert "hunter2" not in outcome.err + outcome.out
    assert "hash" not in outcome.err + outcome.out
    assert_one_line(outcome.err)


@pytest.mark.parametrize(
    "command",
    [["outcomes", "secret"], ["evaluate", "secret"], ["load", "secret", "--map", "ts=a,input=b"]],
    ids=lambda command: command[0],
)
def test_a_file_of_another_kind_is_not_printed(costsim: Run, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "secret").write_text("root:$6$hash:19000:0:99999:7:::\n")
    outcome = costsim(*command)
    assert outcome.code == 2
    assert "$6$" not in outcome.err
    assert_one_line(outcome.err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["outcomes", "loop"], "loop: the file cannot be read: Too many levels of symbolic links"),
        (["load", "log.jsonl", "--db", ":memory:"], "--db :memory: would be gone when the command ends; name a file"),
        (["load", "log.jsonl", "--db", "a.duckdb", "--db=b.duckdb"], "--db is given twice, and takes one value"),
        (["spend", "--month", "2026-10", "--month", "2026-09"], "--month is given twice, and takes one value"),
        (["run", "--out", "a.csv", "-o", "b.csv"], "-o is given twice, and takes one value; give it once"),
        (["prices", "show", "x", "--out", "a.json", "--out", "b.json"], "--out is given twice"),
        (["run", "--db", ":memory:"], "--db :memory: would be gone when the command ends; name a file"),
        (["spend", "--db", "pipe"], "pipe: this is no regular file; name a file for the store"),
        (["load", "log.jsonl", "--db", "pipe"], "pipe: this is no regular file; name a file for the store"),
        (["chart", "plans", "--db", "gone.duckdb"], "--db: not read for a chart of a projection"),
        (["chart", "days", "--db", "gone.duckdb"], "gone.duckdb: there is no store here"),
        (["chart", "nosuch"], "there is no chart 'nosuch'; known: bridge, days,"),
    ],
)
def test_nothing_named_hangs_or_is_ignored(costsim: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "log.jsonl").write_text("{}\n")
    outcome = costsim(*arguments)
    assert (outcome.code, message in outcome.err) == (2, True), outcome
    assert_one_line(outcome.err)


def test_terminal_escapes_in_names_do_not_reach_the_terminal(costsim: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text('model_routing: {}\ncomponents: [{name: a, cron: "\\e[2J\\nx"}]\n')
    outcome = costsim("run", "a.yaml")
    assert outcome.code == 2
    assert "\x1b" not in outcome.err
    assert_one_line(outcome.err)


def test_debug_shows_the_traceback(costsim: Run) -> None:
    with pytest.raises(Exception, match="there is no such file"):
        costsim("--debug", "run", "gone.yaml")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("spend --format xml", "'xml' is not one of 'table', 'json'"),
        ("run --days abc", "'--days': this is not a whole number; costsim run --help says more"),
        ("diff", "Missing argument 'base'; costsim diff --help says more"),
        ("nope", "No such command 'nope'; costsim --help says more"),
        ("recommend --min-success 95", "this should be less than or equal to 1"),
        ("route --context-tokens lots", "argument --context-tokens: invalid int value: 'lots'"),
    ],
)
def test_words_that_a_command_does_not_take_are_one_line_too(costsim: Run, command: str, message: str) -> None:
    outcome = costsim(*command.split())
    assert outcome.code == 2
    assert message in outcome.err
    assert_one_line(outcome.err)


@pytest.mark.parametrize(
    "command", ["spend", "export -o x.csv", "replay --model m", "report", "outcomes", "check --usage"]
)
def test_a_command_that_reads_a_store_makes_none(costsim: Run, tmp_path: Path, command: str) -> None:
    outcome = costsim(*command.split(), "--db", "nope.duckdb")
    assert outcome.code == 2
    assert_one_line(outcome.err)
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_costsim_is_no_breach_and_no_bad_input(costsim: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costsim.analysis.architecture.load.load_architecture", lambda *_: 1 / 0)
    outcome = costsim("run")
    assert outcome.code == 3
    assert "a fault in costsim itself" in outcome.err
    assert_one_line(outcome.err)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("report --out review.csv", "review.csv: the ending names no format"),
        ("report --out review.html --format pdf", "review.html: --format pdf does not go with the ending .html"),
        ("export --output focus.txt", "focus.txt: an export ends in .csv or .parquet"),
        ("spend --by ,", "--by names nothing to group by: ','"),
        ("run --save observed.yaml", "--save: read only with --from-usage"),
        ("run --out architecture.yaml", "architecture.yaml: this command writes no .yaml file; it writes table"),
        ("run --format json --out a.yml", "a.yml: --format json does not go with the ending .yml"),
        ("run --set name=a --set name=b", "--set 'name=b': name is set twice, and has one value; set it once"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(costsim: Run, tmp_path: Path, command: str, message: str) -> None:
    outcome = costsim(*command.split())
    assert outcome.code == 2
    assert message in outcome.err
    assert_one_line(outcome.err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "--today", "9999-12-31"], "out of bounds"),
        (["check", "--month", "9999-12"], "out of bounds"),
        (["report", "--today", "0001-01-01"], "out of bounds"),
        (["check", "--usage", "--month", "0001-01"], "out of bounds"),
        (["check", "--usage", "--month", "2199-12"], "a forecast looks 1,096 days ahead at most"),
        (["profile", "--month", "9999-12"], "out of bounds"),
    ],
)
def test_a_day_at_the_end_of_the_calendar_is_no_fault(costsim: Run, words: list[str], message: str) -> None:
    costsim("init")
    Path("calls.csv").write_text("ts,model,input,output\n2026-10-01T00:00:00Z,gpt-5,1,1\n")
    costsim("load", "calls.csv", "--map", "ts=ts,model=model,input=input,output=output")
    done = costsim(*words)
    assert done.code == 2
    assert message in done.err


@pytest.mark.parametrize(
    ("path", "message"),
    [("x.py", "no text that can be read"), ("/dev/zero", "a device"), ("/proc/self/mem", "no text that can be read")],
)
def test_lint_reads_what_is_named_or_refuses_it(costsim: Run, tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "x.py").write_bytes(b"a\0b")
    done = costsim("lint", path)
    assert (done.code, message in done.err) == (2, True), done
    assert_one_line(done.err)


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "right/Europe/Berlin", "posix/Europe/Berlin"])
def test_a_zone_of_the_machine_is_no_time_zone(sessions: Run, tmp_path: Path, zone: str) -> None:
    """Python reads these from /usr/share/zoneinfo, DuckDB knows none of them, and leap seconds move midnight."""
    (tmp_path / "zone.yaml").write_text(f"timezone: {zone}\ncomponents: []\n")
    for words in (["spend", "--tz", zone], ["check", "zone.yaml"]):
        outcome = sessions(*words)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert "time zone" in outcome.err


@pytest.mark.parametrize(
    "words", [["load", "x"], ["diff", "a", "b"], ["demo"], ["spend"], ["run", "a.yaml"], ["init"], ["lint"], ["decide"]]
)
def test_a_working_folder_that_was_removed_is_one_line(costsim: Run, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    try:
        outcome = costsim(*words)
    finally:
        os.chdir(tmp_path)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1), outcome.err


def test_an_error_of_the_system_that_nobody_expects_is_a_fault_in_one_line(
    costsim: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1 would say that a budget is breached, a traceback is more than a line."""
    monkeypatch.setattr("costsim.cli.start.write_starter", Mock(side_effect=OSError(errno.EDEADLK, "Deadlock")))
    outcome = costsim("init")
    assert (outcome.code, outcome.err.count("\n")) == (3, 1)


@pytest.mark.parametrize("half", [r"\ud800", r"\uDFFF", r"\ud83d x", r"\udc69\ud83d"])
def test_half_a_character_in_json_is_refused_with_its_line(costsim: Run, tmp_path: Path, half: str) -> None:
    """U+1F469 is the pair \\ud83d\\udc69; half of it can be written to no file. An escaped backslash begins none."""
    for text in ('{"name": "x",\n "%s": 1}', '{"name": "x",\n "components": [{"name": "%s"}]}'):
        (tmp_path / "a.json").write_text(text % half)
        outcome = costsim("check", "a.json")
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert "a.json:2: a \\uD800 to \\uDFFF without its other half" in outcome.err
    (tmp_path / "a.json").write_text(r'{"name": "\ud83d\udc69 \\ud800", "components": []}')
    assert "other half" not in costsim("check", "a.json").err


@pytest.mark.slow
@pytest.mark.parametrize("words", [["run", "--trials", "10"], ["check"], ["prices", "list"], ["schema"], ["spend"]])
def test_an_output_that_nobody_reads_on_is_no_breach(
    sessions: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """`costsim check | head -1`: Rich and Typer would end with 1, which says that a budget is breached."""
    assert sessions("init", "--out", tmp_path).code == 0
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as nobody:
        monkeypatch.setattr("sys.stdout", nobody)
        monkeypatch.setattr("sys.argv", ["costsim", *words])
        with pytest.raises(SystemExit) as stop:
            main()
    assert stop.value.code == 141
