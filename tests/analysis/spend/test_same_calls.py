"""One spend, several sources: a call counts once across sources, and a bill is not added to its calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.query import Query
from costsim.analysis.spend.spend import Spend, spend
from costsim.errors import UsageLogError
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.roles import parse_roles
from costsim.usage.store import open_store
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples
from witnessed import TrueCall, claude_log, cost_page, litellm_log, span_rows, truth, usage_page, written

pytestmark = pytest.mark.slow

BOOK = open_book()
TRUTH = truth(days=2, per_day=6)
FORMATS = {"log": claude_log, "gateway": litellm_log, "spans": span_rows}


def usd_of(calls: Sequence[TrueCall]) -> Decimal:
    return sum((call.usd for call in calls), Decimal(0))


def spent(store: duckdb.DuckDBPyConnection, **query: Any) -> Spend:
    return spend(store, BOOK, Query(("source",), **query))


def by_source(found: Spend) -> dict[str, Decimal]:
    return {row.keys[0]: row.computed_usd for row in found.rows}


PARTS = st.lists(
    st.tuples(st.sampled_from(sorted(FORMATS)), st.sets(st.integers(0, len(TRUTH) - 1), min_size=1)),
    min_size=1,
    max_size=6,
)


@given(PARTS)
@settings(max_examples=examples(4, 12), deadline=None)
def test_any_split_and_repeat_of_one_truth_among_formats_is_the_truth(parts: list[tuple[str, set[int]]]) -> None:
    """Each call that some part holds counts once, whichever sources have it and in whatever order they are loaded."""
    stated = {number for _, numbers in parts for number in numbers}
    with TemporaryDirectory() as folder, open_store(Path(":memory:")) as store:
        for place, (name, numbers) in enumerate(parts):
            calls = [TRUTH[number] for number in sorted(numbers)]
            load(store, written(Path(folder), **{f"{name}{place}": FORMATS[name](calls)}))
            if place % 2:
                spent(store)  # what is settled in between changes nothing
        found = spent(store)
    assert found.total.computed_usd == usd_of([TRUTH[number] for number in stated])
    assert found.total.calls == len(stated)
    assert found.sources.overlaps == ()


def test_a_reader_settles_in_memory_what_a_killed_load_did_not(tmp_path: Path) -> None:
    """Two sources of the same calls are in the store, and nothing says yet that they are the same."""
    file = tmp_path / "costsim.duckdb"
    with open_store(file) as store:
        load(store, written(tmp_path, log=claude_log(TRUTH), gateway=litellm_log(TRUTH), bill=usage_page(TRUTH)))
    before = file.read_bytes()
    with open_store(file, read_only=True) as store:
        found = spent(store)
        assert found.total.computed_usd == usd_of(TRUTH)
        assert spent(store).total == found.total
    assert file.read_bytes() == before
    with open_store(file) as store:
        assert spent(store).rows == found.rows


def test_days_settled_apart_are_settled_alike(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few calls at once, a call near midnight among them that a gateway has on the next day."""
    monkeypatch.setattr("costsim.analysis.spend.same_calls.AT_ONCE", 3)
    late = [replace(call, ts=call.ts + timedelta(hours=1)) for call in TRUTH]
    load(store, written(tmp_path, log=claude_log(TRUTH), gateway=litellm_log(late), spans=span_rows(TRUTH)))
    found = spent(store)
    assert by_source(found) == {"claude-code": usd_of(TRUTH)}
    assert found.sources.overlaps == ()


def test_the_agents_own_log_is_the_best_source(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(store, written(tmp_path, log=claude_log(TRUTH[:4]), gateway=litellm_log(TRUTH), spans=span_rows(TRUTH[2:])))
    assert by_source(spent(store)) == {"claude-code": usd_of(TRUTH[:4]), "otel": usd_of(TRUTH[4:])}


def test_logs_and_their_usage_page_are_one_spend(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(store, written(tmp_path, log=claude_log(TRUTH), page=usage_page(TRUTH), costs=cost_page(TRUTH)))
    found = spent(store)
    assert found.total.computed_usd == usd_of(TRUTH)
    assert [(part.source, part.covered_by, part.usd) for part in found.sources.not_counted] == [
        ("anthropic-costs", "claude-code", usd_of(TRUTH)), ("anthropic-usage", "claude-code", usd_of(TRUTH)),
    ]  # fmt: skip
    assert all("claude-code" in note and "not added" in note for note in found.notes[:2])


def test_loading_the_bill_first_changes_nothing(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(store, written(tmp_path, page=usage_page(TRUTH)))
    assert spent(store).total.computed_usd == usd_of(TRUTH)
    load(store, written(tmp_path, log=claude_log(TRUTH)))
    assert by_source(spent(store)) == {"claude-code": usd_of(TRUTH)}


def test_the_first_day_may_be_only_on_the_bill(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    later = [call for call in TRUTH if call.ts.date() > date(2026, 10, 5)]
    load(store, written(tmp_path, log=claude_log(later), gateway=litellm_log(later), page=usage_page(TRUTH)))
    assert spent(store).total.computed_usd == usd_of(TRUTH)


def test_days_and_models_that_only_the_bill_has_are_counted_and_named(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    first_day = [call for call in TRUTH if call.ts.date() == date(2026, 10, 5)]
    load(store, written(tmp_path, log=claude_log(first_day), page=usage_page(TRUTH)))
    found = spent(store)
    assert found.total.computed_usd == usd_of(TRUTH)
    [only] = found.sources.only_billed
    assert (only.source, only.usd, only.first) == (
        "anthropic-usage",
        usd_of(TRUTH) - usd_of(first_day),
        date(2026, 10, 6),
    )


def test_a_bill_without_tokens_costs_what_it_says(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(store, written(tmp_path, costs=cost_page(TRUTH)))
    found = spent(store)
    assert found.total.computed_usd == found.total.recorded_usd == usd_of(TRUTH)
    assert sum(row.computed_usd for row in spend(store, BOOK, Query(("class",))).rows) == usd_of(TRUTH)


def test_an_entry_that_was_cut_short_gives_way_to_the_whole_answer(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Claude Code's log may keep the first count of a stream: of one response with one prompt the larger output counts.

    A gateway that counts everything twice has another prompt, and gives way to the log as ever.
    """
    first, second, *others = TRUTH
    log = claude_log([replace(first, output=1), second, *others])
    load(store, written(tmp_path, log=log, spans=span_rows([first, replace(second, output=2)])))
    found = spent(store)
    assert found.total.computed_usd == usd_of(TRUTH)
    assert by_source(found) == {"claude-code": usd_of([second, *others]), "otel": first.usd}
    load(store, written(tmp_path, gateway=litellm_log([call.times(2) for call in TRUTH])))
    assert spent(store).total.computed_usd == usd_of(TRUTH)


def test_overlap_without_ids_is_named_with_both_amounts_and_the_option(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    own_ids = litellm_log(TRUTH).replace("msg_01Truth", "litellm-call-")
    load(store, written(tmp_path, log=claude_log(TRUTH), gateway=own_ids))
    found = spent(store)
    [overlap] = found.sources.overlaps
    assert (overlap.source, overlap.other, overlap.usd, overlap.other_usd) == (
        "claude-code", "litellm", usd_of(TRUTH), usd_of(TRUTH)
    )  # fmt: skip
    assert "--role litellm=bill" in overlap.message
    assert found.total.computed_usd == 2 * usd_of(TRUTH)
    load(store, [], roles={"litellm": "bill"})
    assert spent(store).total.computed_usd == usd_of(TRUTH)
    load(store, [], roles={"litellm": "calls"})  # they are calls of its own: both count, and nothing is named
    assert (spent(store).total.computed_usd, spent(store).sources.overlaps) == (2 * usd_of(TRUTH), ())


def test_ids_of_one_kind_that_differ_are_different_calls(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(store, written(tmp_path, log=claude_log(TRUTH[:5]), gateway=litellm_log(TRUTH[5:])))
    assert spent(store).sources.overlaps == ()


def test_an_id_that_all_calls_of_a_source_share_is_no_identity(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    constant = [replace(call, number=7, ts=call.ts + timedelta(minutes=n)) for n, call in enumerate(TRUTH)]
    load(
        store,
        written(tmp_path, log=claude_log([TRUTH[7]]), spans=span_rows(constant).replace('spanId": "', 'spanId": "1')),
    )
    assert spent(store).total.computed_usd >= TRUTH[7].usd


def test_files_can_be_loaded_as_calls_or_as_a_bill(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    files = written(tmp_path, log=claude_log(TRUTH), page=usage_page(TRUTH))
    load(store, files)
    load(store, files[1:], role="calls")
    assert spent(store).total.computed_usd == 2 * usd_of(TRUTH)
    load(store, files[1:], role="bill")
    assert spent(store).total.computed_usd == usd_of(TRUTH)


def test_a_role_is_calls_or_bill() -> None:
    assert parse_roles(["bill", "litellm=calls"]) == ("bill", {"litellm": "calls"})
    with pytest.raises(UsageLogError, match="no role"):
        parse_roles(["invoice"])
    with pytest.raises(UsageLogError, match="no source"):
        parse_roles(["lightllm=bill"])
