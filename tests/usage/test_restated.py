"""What a file that is read again says of a call takes the place of what it said before, be it less."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.store import open_store

DATA = Path(__file__).parents[1] / "data" / "usage"
NAMED = "ts=day,id=id,input={},output=out,model=model"
ROWS = "SELECT event_id, model, input, output, recorded_usd, session, component, tags FROM usage_event ORDER BY ALL"


def at_rest(file: Path, text: str, day: int) -> Path:
    file.write_text(text)
    os.utime(file, (1_767_225_600 + 86_400 * day,) * 2)
    return file


def table(*rows: str) -> str:
    return "".join(f"{row}\n" for row in ("id,day,total,inp,out,model,desk", *rows))


def test_counts_of_a_wrong_mapping_are_replaced(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """The total of 900 taken for the input of 500; and a column that names the component, mapped later."""
    file = at_rest(tmp_path / "t.csv", table("a,2026-10-05T10:00:00Z,900,500,400,gpt-4o,legal"), 1)
    for mapping, input, component in (
        (NAMED.format("total"), 900, "unattributed"),
        (NAMED.format("inp"), 500, "unattributed"),
        (NAMED.format("inp") + ",component=desk", 500, "legal"),
    ):
        load(store, [file], mapping=parse_mapping(mapping))
        assert store.execute("SELECT input, component FROM usage_event").fetchall() == [(input, component)]


def cost_9(document: list[dict[str, Any]]) -> None:
    for one in document:
        if one.get("totalCost"):
            one["totalCost"] = 9.0
            one["costDetails"]["total"] = 9.0


def no_model(document: list[dict[str, Any]]) -> None:
    for one in document:
        one["model"] = None


def more_output(document: dict[str, Any]) -> None:
    for message in document["messages"]:
        if "metrics" in message:
            message["metrics"]["outputTokens"] += 1_000


def no_figures_yet(document: dict[str, Any]) -> None:
    for event in document["usageEvents"]:
        event.pop("tokenUsage", None)


def halve(value: Any) -> None:
    """Each count of tokens in JSON is half as much."""
    for key, of in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(of, dict | list):
            halve(of)
        elif isinstance(of, int) and "tokens" in str(key):
            value[key] = of // 2


def more_used(document: dict[str, Any]) -> None:
    for day in document["data"]:
        day |= {name: 2 * day[name] for name in ("usage", "prompt_tokens", "completion_tokens")}


def still_answered(document: dict[str, Any]) -> None:
    document["messages"][1]["usage"] |= {"outputTokens": 0, "inputTokens": 3}


def no_time_yet(document: dict[str, Any]) -> None:
    document["messages"][1]["usage"] |= {"timestamp": None, "model": None}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sample", "before"),
    [
        ("cursor-events/events.json", no_figures_yet),
        ("langsmith/langsmith_py_wrap_openai_.json", halve),
        ("openrouter-days/activity.json", more_used),
        ("amp/T-current.json", still_answered),
        ("amp/T-current.json", no_time_yet),
        ("langfuse/observations.json", cost_9),
        ("langfuse/observations.json", no_model),
        ("cline-session/1791194400000_ab12c.messages.json", more_output),
    ],
    ids=[
        "figures that come later",
        "figures of a run corrected",
        "a day corrected by its gateway",
        "an answer under way",
        "a time filled in",
        "a cost computed again",
        "a model filled in",
        "an output corrected",
    ],
)
def test_the_last_state_of_a_document_counts(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, sample: str, before: Any
) -> None:
    text = (DATA / sample).read_text()
    document = json.loads(text)
    before(document)
    file = tmp_path / Path(sample).name
    load(store, [at_rest(file, json.dumps(document), 1)])
    earlier = store.execute(ROWS).fetchall()
    load(store, [at_rest(file, text, 2)])
    with open_store(tmp_path / "clean.duckdb") as clean:
        load(clean, [file])
        assert earlier != store.execute(ROWS).fetchall() == clean.execute(ROWS).fetchall()


def thread(*used: tuple[int, str], id: str = "T-1", named: bool = True) -> str:
    """An Amp thread: of each message its output and the second of its time."""
    usage = {"model": "claude-opus-4-6", "inputTokens": 10, "cacheReadInputTokens": 900, "cacheCreationInputTokens": 0}
    messages = [
        {"role": "assistant", "usage": {**usage, "outputTokens": output, "timestamp": f"2026-01-19T11:42:{second}Z"}}
        | ({"messageId": number} if named else {})
        for number, (output, second) in enumerate(used)
    ]
    asked = {"role": "user", "messageId": 99}
    return json.dumps({"id": id, "created": 1_768_822_930_652, "messages": [asked, *messages]})


def outputs(store: duckdb.DuckDBPyConnection, folder: Path, *threads: str) -> list[int]:
    """After the states of T-1.json, loaded one after the other."""
    for day, text in enumerate(threads):
        load(store, [at_rest(folder / "T-1.json", text, day)])
    return [output for (output,) in store.execute("SELECT output FROM usage_event ORDER BY 1").fetchall()]


def test_a_message_that_goes_on_is_one_call_in_its_thread(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    first, second = (8, "10"), (70, "20")
    assert outputs(store, tmp_path, thread(first, (1, "19")), thread(first, second), thread(first, second)) == [8, 70]
    at_rest(tmp_path / "fork.json", thread(first, second, (5, "30"), id="T-2"), 1)  # has both under another thread
    load(store, [tmp_path])
    assert store.execute("SELECT output FROM usage_event ORDER BY 1").fetchall() == [(5,), (8,), (70,)]


def test_a_message_without_an_id_that_was_deleted_was_billed(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Its number is another message's now, of another time; that of the same time has grown."""
    first, grown, third = (8, "10"), (70, "20"), (5, "30")
    states = thread(first, (1, "20"), named=False), thread(first, grown, third, named=False)
    assert outputs(store, tmp_path, *states, thread(grown, third, named=False)) == [5, 8, 70]


def test_a_call_that_a_file_states_as_less_may_be_more_elsewhere(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """400 here and 300 in a copy; once it is 200 here, the copy's 300 counts, when the files are loaded again."""
    row, mapping = "a,2026-10-05T10:00:00Z,0,500,{},gpt-4o,legal", parse_mapping(NAMED.format("inp"))
    file = at_rest(tmp_path / "a.csv", table(row.format(400)), 1)
    at_rest(tmp_path / "b.csv", table(row.format(300)), 1)
    seen = []
    for output, day in ((400, 1), (200, 2), (200, 2)):
        at_rest(file, table(row.format(output)), day)
        load(store, [tmp_path], mapping=mapping)
        seen += store.execute("SELECT output FROM usage_event").fetchall()
    assert seen == [(400,), (200,), (300,)]


def test_a_request_of_cursor_is_known_by_its_time(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Of two users at one millisecond: one's request had no figures yet in the first export, the other's goes on."""
    head = "Date,User,Model,Max Mode,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,Cost"
    row = "2026-10-05T10:00:00.000Z,{},auto,No,0,{},0,{},Included"
    for day, (first, second) in enumerate((((0, 0), (7, 5)), ((20, 3), (7, 6)), ((20, 3), (7, 6)))):
        rows = [head, row.format("a@b.c", *first), row.format("d@e.f", *second)]
        load(store, [at_rest(tmp_path / "usage.csv", "\n".join(rows) + "\n", day)])
    assert store.execute("SELECT input, output FROM usage_event ORDER BY 1").fetchall() == [(7, 6), (20, 3)]
