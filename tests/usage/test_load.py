"""Loading: no call is ever counted twice, none is lost, and nothing is half in the store."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, Spend, spend
from costsim.errors import StoreError, UsageLogError
from costsim.pricing.book import open_book
from costsim.reports.loaded import lines as lines_of
from costsim.usage.attribution import Rule, attribute, read_attribution
from costsim.usage.load import LoadReport, load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.store import SCHEMA_VERSION, open_store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thorough import examples

DATA = Path(__file__).parent.parent / "data" / "usage"
SESSIONS = sorted((DATA / "claude-code").glob("p*.jsonl"))
BOOK = open_book()


def loaded(path: Path, *files: Path | str, **options: Any) -> LoadReport:
    with open_store(path) as store:
        return load(store, files, **options)


def spent(path: Path, *by: str) -> Spend:
    with open_store(path) as store:
        bring_up_to_date(store, BOOK)
        return spend(store, BOOK, Query(by))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "costsim.duckdb"


def entry(number: int = 1, output: int = 10, **usage: Any) -> dict[str, Any]:
    """A Claude Code entry; equal numbers are the same call."""
    return {
        "type": "assistant",
        "timestamp": f"2026-10-05T10:{number % 60:02}:00.000Z",
        "sessionId": "s",
        "requestId": f"req_{number}",
        "message": {
            "id": f"msg_{number}",
            "model": "claude-haiku-4-5",
            "usage": {"input_tokens": 100, "output_tokens": output} | usage,
        },
    }


def write(file: Path, *entries: dict[str, Any] | str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (line if isinstance(line, str) else json.dumps(line) for line in entries)
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


@pytest.mark.slow
def test_two_real_sessions_cost_what_ccusage_says(db: Path) -> None:
    loaded(db, *SESSIONS)
    total = spent(db).total
    assert total.tokens["input"] == 399
    assert total.tokens["cache_write_1h"] + total.tokens["cache_write_5m"] == 388_912
    assert total.tokens["cache_read"] == 15_229_475
    assert total.tokens["output"] == 38_927
    assert total.computed_usd == Decimal("11.97894430")


@pytest.mark.slow
def test_a_real_openclaw_session_costs_what_it_recorded(db: Path) -> None:
    loaded(db, DATA / "openclaw")
    total = spent(db).total
    assert total.computed_usd == Decimal("42.5959075")
    assert total.recorded_usd is not None
    assert abs(total.recorded_usd - total.computed_usd) < Decimal("1e-12")  # the log's floats
    assert total.difference is not None
    assert total.difference.explained == "none"
    assert total.calls == total.recorded_calls == 484


@pytest.mark.slow
def test_a_codex_rollout_counts_the_changes_of_its_running_total(db: Path) -> None:
    loaded(db, DATA / "codex")
    rows = {row.keys[0]: row.tokens for row in spent(db, "model").rows}
    # 1,000 input of which 250 cached, 125 output; then 2,500 of which 500 cached, 300 output
    assert (rows["openai/gpt-5.2"]["input"], rows["openai/gpt-5.2"]["cache_read"]) == (750, 250)
    assert (rows["openai/gpt-5.3-codex"]["input"], rows["openai/gpt-5.3-codex"]["output"]) == (2_000, 300)


@pytest.mark.slow
def test_a_codex_total_repeated_and_a_fork_count_nothing(db: Path, tmp_path: Path) -> None:
    lines = (DATA / "codex" / "codex_alpha.jsonl").read_text().splitlines()
    once = loaded(db, DATA / "codex").total("added")
    again = json.loads(lines[-1]) | {"timestamp": "2026-05-14T10:00:05.000Z"}
    write(tmp_path / "fork.jsonl", *lines, again)
    assert once == 2
    assert loaded(db, tmp_path / "fork.jsonl").total("added") == 0


@pytest.mark.slow
def test_a_codex_fork_that_replays_its_parent_with_new_times_counts_only_its_own_calls(
    db: Path, tmp_path: Path
) -> None:
    def stated(at: str, total: int) -> dict[str, Any]:
        usage = {"input_tokens": total, "cached_input_tokens": 0, "output_tokens": total // 10}
        info = {"total_token_usage": usage, "last_token_usage": usage | {"input_tokens": 1000, "output_tokens": 100}}
        return {"timestamp": at, "type": "event_msg", "payload": {"type": "token_count", "info": info}}

    def meta(**payload: str) -> dict[str, Any]:
        return {"timestamp": "2026-05-13T09:00:00Z", "type": "session_meta", "payload": payload}

    model = {"timestamp": "2026-05-13T09:00:00Z", "type": "turn_context", "payload": {"model": "gpt-5.2-codex"}}
    parent = [meta(id="p"), model, stated("2026-05-13T09:01:00Z", 1000), stated("2026-05-13T09:02:00Z", 2000)]
    replay = [meta(id="f", forked_from_id="p"), model, *(stated("2026-05-14T10:00:00Z", n) for n in (1000, 2000, 3000))]
    again = [
        meta(id="g", forked_from_id="f"),
        *replay,
        stated("2026-05-14T12:00:00Z", 4000),
    ]  # a fork of the fork, which replays both
    late = [
        meta(id="s"),
        model,
        stated("2026-05-15T10:00:00Z", 9000),
    ]  # a session that began elsewhere: its last call only
    for name, rows in (("f", replay), ("p", parent), ("g", again), ("s", late)):
        loaded(db, write(tmp_path / f"{name}.jsonl", *rows))
    total = spent(db).total
    assert (total.calls, total.tokens["input"], total.tokens["output"]) == (5, 5000, 500)


@pytest.mark.slow
def test_a_call_loaded_later_follows_the_rules_that_were_given_before(db: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text('attribution: [{match: {session: "s"}, component: desk}]\n')
    file = write(tmp_path / "a.jsonl", entry(1, output=1))
    loaded(db, file, attribution=read_attribution(tmp_path / "rules.yaml"))
    loaded(db, write(file, entry(1, output=1), entry(1, output=90), entry(2)))
    assert [row.keys for row in spent(db, "component").rows] == [("desk",)]


@pytest.mark.slow
def test_one_line_that_a_database_cannot_take_costs_no_other(db: Path, tmp_path: Path) -> None:
    unusual = ["\ufeff" + json.dumps(entry(1)), entry(2, input_tokens=10**30), entry(3) | {"cwd": "\ud800"}, entry(4)]
    report = loaded(db, write(tmp_path / "a.jsonl", *unusual))  # type: ignore[arg-type]
    assert (report.total("added"), report.total("rejected")) == (3, 1)


@pytest.mark.slow
def test_the_agent_of_a_session_is_its_folder(db: Path, tmp_path: Path) -> None:
    text = (DATA / "openclaw" / "before-compaction.usage-only.jsonl").read_text()
    write(tmp_path / "agents" / "main" / "sessions" / "x.jsonl", text)
    write(tmp_path / "agents" / "copy" / "sessions" / "x.jsonl", text)
    loaded(db, tmp_path / "agents")
    [row] = spent(db, "agent").rows
    assert row.calls == 484, "the same session in two folders counts once"
    assert row.keys[0] in ("copy", "main")


@pytest.mark.slow
def test_the_same_file_again_changes_nothing(db: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", entry(1), entry(2))
    assert loaded(db, file).total("added") == 2
    assert loaded(db, file).files[0].unchanged
    os.utime(file, (1, 1))  # another time, the same content
    assert loaded(db, file).files[0].unchanged


@pytest.mark.slow
def test_a_grown_file_adds_only_what_is_new(db: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", entry(1))
    loaded(db, file)
    report = loaded(db, write(file, entry(1), entry(2)))
    assert (report.total("added"), report.total("entries")) == (1, 2)
    assert spent(db).total.calls == 2


@pytest.mark.slow
def test_of_the_entries_of_a_call_the_one_with_the_largest_output_counts(db: Path, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", entry(1, output=10), entry(1, output=500))
    write(tmp_path / "b.jsonl", entry(1, output=40))
    loaded(db, tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    total = spent(db).total
    assert (total.calls, total.tokens["output"], total.tokens["input"]) == (1, 500, 100)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("usage", "writes"),
    [
        ({"cache_creation_input_tokens": 5000, "cache_creation": {}}, (5000, 0)),
        (
            {"cache_creation_input_tokens": 5000, "cache_creation": {"ephemeral_5m_input_tokens": 0}},
            (5000, 0),
        ),
        (
            {"cache_creation_input_tokens": 5000, "cache_creation": {"ephemeral_1h_input_tokens": 5000}},
            (0, 5000),
        ),
        (
            {"cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30}},
            (20, 30),
        ),
    ],
    ids=["an empty detail", "a detail of nothing", "all for an hour", "no sum"],
)
def test_cache_writes_that_are_not_distinguished_are_five_minute_ones(
    db: Path, tmp_path: Path, usage: dict[str, Any], writes: tuple[int, int]
) -> None:
    loaded(db, write(tmp_path / "a.jsonl", entry(1, **usage)))
    tokens = spent(db).total.tokens
    assert (tokens["cache_write_5m"], tokens["cache_write_1h"]) == writes


@pytest.mark.slow
def test_calls_with_empty_ids_differ_by_their_content(db: Path, tmp_path: Path) -> None:
    calls = [entry(n) for n in (1, 2)]
    for call in calls:
        call["requestId"] = call["message"]["id"] = ""
    loaded(db, write(tmp_path / "a.jsonl", *calls))
    assert spent(db).total.calls == 2


def test_a_number_that_no_database_takes_costs_only_its_line(db: Path, tmp_path: Path) -> None:
    unusual = [entry(n, input_tokens=text) for n, text in enumerate(["0012", "1_0", "\u0663"], 10)]
    report = loaded(db, write(tmp_path / "a.jsonl", entry(1), *unusual, entry(2)))
    assert (report.total("added"), report.total("rejected")) == (2, 3)


@pytest.mark.slow
def test_a_rollout_that_names_another_session_later_keeps_its_calls(db: Path, tmp_path: Path) -> None:
    def meta(name: str) -> dict[str, Any]:
        return {"timestamp": "2026-05-13T09:00:00Z", "type": "session_meta", "payload": {"id": name}}

    def total(tokens: int) -> dict[str, Any]:
        usage = {"input_tokens": tokens, "cached_input_tokens": 0, "output_tokens": 1, "total_tokens": tokens + 1}
        stated = {"type": "token_count", "info": {"total_token_usage": usage}}
        return {"timestamp": "2026-05-13T09:00:01Z", "type": "event_msg", "payload": stated}

    first = [meta("A"), total(10), total(20)]
    assert loaded(db, write(tmp_path / "rollout.jsonl", *first)).total("added") == 2
    assert loaded(db, write(tmp_path / "rollout.jsonl", *first, meta("B"), total(30))).total("added") == 1


@pytest.mark.slow
def test_rollouts_without_a_name_differ_by_their_times(db: Path, tmp_path: Path) -> None:
    usage = {"input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 1, "total_tokens": 11}
    meta = {"timestamp": "2026-05-13T09:00:00Z", "type": "session_meta", "payload": {"id": "", "forked_from_id": ""}}
    stated = {"type": "token_count", "info": {"total_token_usage": usage}}
    for second in (1, 2):
        total = {"timestamp": f"2026-05-13T09:00:0{second}Z", "type": "event_msg", "payload": stated}
        write(tmp_path / f"rollout{second}.jsonl", meta, total)
    loaded(db, tmp_path / "rollout1.jsonl", tmp_path / "rollout2.jsonl")
    assert spent(db).total.calls == 2


@pytest.mark.slow
def test_synthetic_answers_are_no_calls(db: Path, tmp_path: Path) -> None:
    made_up = entry(1)
    made_up["message"]["model"] = "<synthetic>"
    loaded(db, write(tmp_path / "a.jsonl", made_up, entry(2)))
    assert spent(db).total.calls == 1


@pytest.mark.slow
def test_a_bad_line_is_kept_with_its_file_line_and_reason(db: Path, tmp_path: Path) -> None:
    lines = [
        entry(1),
        "{torn",
        entry(2, input_tokens="many"),
        entry(3, input_tokens=-5),
        entry(4, input_tokens=10**13),
        entry(5) | {"timestamp": "yesterday"},
        "[1, 2]",
        entry(6),
    ]
    report = loaded(db, write(tmp_path / "a.jsonl", *lines))  # type: ignore[arg-type]
    with open_store(db) as store:
        rejects = store.execute("SELECT line, reason FROM reject ORDER BY line").fetchall()
    assert rejects == [
        (2, "not JSON"),
        (3, "message.usage.input_tokens is not a whole number"),
        (4, "a negative count"),
        (5, "a count over 10^12"),
        (6, "no time, or none that can be read"),
        (7, "not a JSON object"),
    ]
    assert (report.total("added"), report.total("rejected")) == (2, 6)
    assert lines_of(report)[2] == "6 lines rejected (table reject), the first:"
    assert loaded(db, tmp_path / "a.jsonl").total("rejected") == 0, "unchanged files are not read again"


def test_an_entry_of_another_kind_is_no_reject_even_where_its_fields_have_other_shapes(
    db: Path, tmp_path: Path
) -> None:
    other = {"type": "system", "sessionId": "s", "message": "hello"}
    report = loaded(db, write(tmp_path / "a.jsonl", entry(1), other, entry(2)))
    assert (report.total("added"), report.total("rejected")) == (2, 0)


@pytest.mark.slow
def test_strict_makes_a_bad_line_an_error_and_loads_nothing(db: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageLogError, match=r"a line cannot be read: .*a\.jsonl:2: not JSON"):
        loaded(db, write(tmp_path / "a.jsonl", entry(1), "{torn"), strict=True)
    assert spent(db).total.calls == 0


def test_a_packed_file_that_breaks_off_keeps_what_can_be_read_and_stops_no_other(db: Path, tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.jsonl", *(entry(n) for n in range(1, 60)))
    packed = gzip.compress(plain.read_bytes())
    (tmp_path / "logs" / "headless").mkdir(parents=True)
    (tmp_path / "logs" / "b.jsonl.gz").write_bytes(packed[: len(packed) * 2 // 3])
    (tmp_path / "logs" / "c.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfdnothing")
    write(tmp_path / "logs" / "a.jsonl", entry(60))
    report = loaded(db, tmp_path / "logs")
    kept = {file.path.rpartition("/")[2]: (file.added, file.rejected) for file in report.files}
    assert kept["a.jsonl"] == (1, 0)
    assert 0 < kept["b.jsonl.gz"][0] < 59
    assert kept["b.jsonl.gz"][1] >= 1
    assert [line.partition("/logs/")[2][:11] for line in report.unreadable] == ["c.jsonl.zst"]
    assert any("cannot be read from here on" in line for line in lines_of(report))
    with pytest.raises(UsageLogError, match=r"c\.jsonl\.zst"):
        loaded(db, tmp_path / "logs" / "c.jsonl.zst")


def test_calls_without_an_id_that_differ_in_which_field_is_empty_are_two(db: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("at,who,what,n\n2026-10-05,x,,1\n2026-10-05,,x,1\n")
    mapping = parse_mapping("ts=at,agent=who,task=what,input=n,output=n")
    assert loaded(db, tmp_path / "a.csv", mapping=mapping).total("added") == 2


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_packed_files_are_read_as_they_are(db: Path, tmp_path: Path, ending: str) -> None:
    plain = write(tmp_path / "a.jsonl", entry(1), "{torn", entry(2))
    packed = tmp_path / f"a.jsonl{ending}"
    if ending == ".gz":
        packed.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        rows = duckdb.read_csv(
            str(plain), header=False, delimiter="\x01", quotechar="", escapechar="", dtype=["VARCHAR"]
        )
        rows.write_csv(str(packed), header=False, sep="\x01", quotechar="", escapechar="", compression="zstd")
    plain.unlink()
    report = loaded(db, tmp_path)
    assert (report.total("added"), report.total("rejected")) == (2, 1)


@pytest.mark.slow
def test_the_standard_input_is_a_file_too(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (json.dumps(entry(1)) + "\n").encode()
    for _ in range(2):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        loaded(db, "-")
    assert spent(db).total.calls == 1


def test_globs_and_folders_find_logs_and_skip_the_rest(db: Path, tmp_path: Path) -> None:
    write(tmp_path / "p" / "deep" / "a.jsonl", entry(1))
    write(tmp_path / "p" / "b.jsonl", entry(2))
    write(tmp_path / "p" / "settings.json", '{"theme": "dark"}')
    report = loaded(db, tmp_path / "p")
    assert (report.total("added"), list(report.passed_over.values())) == (2, ["settings"])
    assert loaded(db, str(tmp_path / "p" / "**" / "*.jsonl")).total("added") == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("notes.txt", "hello\n", "this is no log that costsim knows"), ("gone.jsonl", None, "there is no such file")],
)
def test_what_is_no_log_is_one_clear_error(
    db: Path, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    if content:
        (tmp_path / name).write_text(content)
    with pytest.raises(UsageLogError, match=message):
        loaded(db, tmp_path / name)


def test_an_unknown_format_names_the_near_one(db: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageLogError, match="did you mean 'claude-code'"):
        loaded(db, write(tmp_path / "a.jsonl", entry(1)), format="claude-cod")


entries = st.lists(
    st.builds(entry, st.integers(1, 6), st.integers(0, 50), input_tokens=st.integers(0, 1000)), min_size=1, max_size=12
)


@pytest.mark.slow
@settings(max_examples=examples(3, 6), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries, st.randoms(use_true_random=False), st.integers(1, 4))
def test_however_files_are_split_repeated_and_ordered_the_spend_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, stated: list[dict[str, Any]], dice: random.Random, parts: int
) -> None:
    folder = tmp_path_factory.mktemp("split")
    write(folder / "all" / "a.jsonl", *stated)
    loaded(folder / "one.duckdb", folder / "all")
    shuffled = stated + dice.sample(stated, dice.randint(0, len(stated)))
    dice.shuffle(shuffled)
    for n in range(parts):
        if shuffled[n::parts]:
            write(folder / "split" / f"{n}.jsonl", *shuffled[n::parts])
    files = sorted((folder / "split").iterdir())
    for file in dice.sample(files, len(files)):
        loaded(folder / "many.duckdb", file)
    assert spent(folder / "one.duckdb").total == spent(folder / "many.duckdb").total


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_store_that_a_reload_completes(db: Path, tmp_path: Path) -> None:
    for n in range(8):
        write(tmp_path / "logs" / f"{n}.jsonl", *(entry(10_000 * n + k) for k in range(4000)))
    code = (
        "import sys\nfrom pathlib import Path\nimport costsim.usage.changes as C\nimport costsim.usage.load as L\nfrom costsim.usage.store import open_store\n"
        "C.BATCH_FILES = 1\n"
        f"with open_store(Path({str(db)!r})) as store: print('open', flush=True); L.load(store, [{str(tmp_path / 'logs')!r}])"
    )
    for pause in (0.0, 0.05, 0.15, 0.4):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        with open_store(db) as store:  # it opens, and every file is in it whole or not at all
            halves = store.execute(
                "SELECT count(*) FROM (SELECT file_id FROM usage_event GROUP BY 1 HAVING count(*) <> 4000)"
            )
            assert halves.fetchone() == (0,)
    loaded(db, tmp_path / "logs")
    assert spent(db).total.calls == 32_000


@pytest.mark.slow
def test_a_second_writer_is_refused_at_once(db: Path) -> None:
    with open_store(db):
        code = (
            "from pathlib import Path\nfrom costsim.usage.store import open_store\n"
            f"with open_store(Path({str(db)!r}), wait_seconds=0.1): pass"
        )
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "another process has the store open for writing" in done.stderr
        assert time.monotonic() - began < 10


@pytest.mark.slow
def test_a_file_that_only_run_has_written_becomes_a_store(db: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(db)) as connection:
        connection.execute("CREATE TABLE projection (run VARCHAR, price_book VARCHAR)")
    with pytest.raises(StoreError, match="there are no tables here yet"), open_store(db, read_only=True):
        pass
    assert loaded(db, write(tmp_path / "a.jsonl", entry(1))).total("added") == 1


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (99, f"the store has schema 99, this costsim knows {SCHEMA_VERSION}; upgrade costsim"),
        (5, f"the store has schema 5, older than this costsim's {SCHEMA_VERSION}; load the logs again"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_store_of_another_schema_is_refused_in_one_line(
    db: Path, version: int, message: str, read_only: bool
) -> None:
    with open_store(db) as store:
        store.execute("UPDATE schema_version SET version = ?", [version])
    with pytest.raises(StoreError, match=message), open_store(db, read_only=read_only):
        pass


@pytest.mark.slow
def test_attribution_takes_the_first_rule_that_matches(db: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(
        "attribution:\n"
        '  - {match: {model: "*haiku*", file: "*/night.jsonl"}, component: night, agent: cio, task: monitoring}\n'
        '  - {match: {source: claude-code, tags.cwd: "/work/*"}, component: work}\n'
    )
    write(tmp_path / "night.jsonl", entry(1))
    write(tmp_path / "day.jsonl", entry(2) | {"cwd": "/work/site"}, entry(3))
    loaded(db, tmp_path / "night.jsonl", tmp_path / "day.jsonl", attribution=read_attribution(tmp_path / "rules.yaml"))
    rows = {row.keys for row in spent(db, "component", "agent", "task").rows}
    none = "unattributed"
    assert rows == {("night", "cio", "monitoring"), ("work", "main", none), (none, "main", none)}


@pytest.mark.slow
def test_new_rules_are_applied_to_what_is_loaded(db: Path, tmp_path: Path) -> None:
    loaded(db, write(tmp_path / "a.jsonl", entry(1)))
    assert [row.keys for row in spent(db, "component").rows] == [("unattributed",)]
    with open_store(db) as store:
        assert attribute(store, [Rule(match={"session": "s"}, component="desk")]) == 1
    assert [row.keys for row in spent(db, "component").rows] == [("desk",)]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("attribution: []\n", "attribution lists no rule"),
        ("attribution:\n  - {match: {modle: x}, component: a}\n", "calls have no field 'modle'; did you mean 'model'"),
        ("attribution:\n  - {match: {model: x}}\n", r"rules.yaml:2 attribution\[0\]"),
    ],
)
def test_bad_rules_are_one_line(tmp_path: Path, rules: str, message: str) -> None:
    (tmp_path / "rules.yaml").write_text(rules)
    with pytest.raises(UsageLogError, match=message):
        read_attribution(tmp_path / "rules.yaml")


@pytest.mark.slow
def test_costs_add_up_however_they_are_grouped(db: Path) -> None:
    loaded(db, *(DATA / name for name in ("claude-code", "codex", "openclaw")))
    total = spent(db).total
    groups: Sequence[tuple[str, ...]] = [
        ("day",),
        ("source", "model"),
        ("provider", "class"),
        ("agent", "task", "month"),
    ]
    for by in groups:
        rows = spent(db, *by).rows
        assert sum(row.computed_usd for row in rows) == total.computed_usd
        assert sum(row.calls for row in rows) == total.calls


def export(*users: str) -> str:
    """One line of OTLP with a span of each user: without ids, of one response, alike in all else."""

    def attribute(key: str, value: str | int) -> dict[str, object]:
        return {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}

    stated: dict[str, str | int] = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.response.id": "r",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10,
    }  # fmt: skip
    spans = [
        {
            "name": "chat",
            "startTimeUnixNano": "1790000000000000000",
            "attributes": [attribute(key, value) for key, value in {**stated, "user.id": user}.items()],
        }
        for user in users
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})


def test_which_of_entries_that_are_alike_in_all_but_an_attribute_counts_hangs_on_no_order(tmp_path: Path) -> None:
    """Threads read the entries of a file in any order: the same counts in each run, whatever number its file has."""
    kept = set()
    for number, users in enumerate((("ann", "bob", "cy"), ("cy", "bob", "ann"), ("bob", "ann", "cy"))):
        file = write(tmp_path / f"{number}" / "a.jsonl", export(*users))
        with open_store(tmp_path / f"{number}.duckdb") as store:
            store.execute("SELECT nextval('file_number') FROM range(?)", [number])
            load(store, [file], format="otel")
            kept |= set(store.execute("SELECT user FROM usage_event").fetchall())
    assert len(kept) == 1


@pytest.mark.parametrize("order", [(False, True), (True, False)])
def test_which_of_entries_that_differ_in_whose_they_are_counts_hangs_not_on_when_they_were_loaded(
    tmp_path: Path, order: tuple[bool, ...]
) -> None:
    """One message of Claude Code as the main agent's and as a subagent's: in one load, or in two as the file grows."""
    lines = [
        json.dumps({
            "type": "assistant", "timestamp": "2026-10-05T10:00:00Z", "sessionId": "s", "isSidechain": aside,
            "message": {"id": "m0", "model": "claude-haiku-4-5", "usage": {"input_tokens": 5, "output_tokens": 10}},
        }) + "\n"
        for aside in order
    ]  # fmt: skip
    file, kept = tmp_path / "log.jsonl", set()
    for loads in (["".join(lines)], lines):
        file.write_text("")
        with open_store(Path(":memory:")) as store:
            for more in loads:
                file.write_text(file.read_text() + more)
                load(store, [file])
            kept |= set(store.execute("SELECT agent FROM usage_event").fetchall())
    assert len(kept) == 1
