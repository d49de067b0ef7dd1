"""A cache is a model's own: what moving single calls of a session writes again, and moving the session whole does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

import duckdb
import pytest
from costsim.analysis.replay.replay import replay
from costsim.analysis.replay.reroute import Reroute, reroute_to_model
from costsim.analysis.replay.results import Replay
from costsim.pricing.book import open_book
from costsim.usage.store import open_store
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from turns import DAY, GPT, HAIKU, OPUS, THREE_TURNS, Call, fill

BOOK = open_book()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(tmp_path_factory.mktemp("sessions") / "costsim.duckdb") as connection:
        yield connection


def routed(**models: str) -> Reroute:
    """Tasks by their names on these models; the others stay where they ran."""
    return Reroute("routed", "tasks on other models", lambda _component, task: models.get(task))


def replayed(store: duckdb.DuckDBPyConnection, calls: Sequence[Call], reroute: Reroute) -> Replay:
    fill(store, calls)
    return replay(store, BOOK, reroute, as_logged=True)


# By hand


@pytest.mark.slow
def test_one_call_moved_writes_the_prefix_again_there_and_what_was_missed_on_the_way_back(
    store: duckdb.DuckDBPyConnection,
) -> None:
    found = replayed(store, THREE_TURNS, routed(summary=HAIKU))
    # Opus: 0.1 x 6.25 + 0.001 x 25 = 0.65; 0.1 x 0.50 + 0.01 x 6.25 + 0.025 = 0.1375; 0.055 + 0.0625 + 0.025 = 0.1425
    assert found.total.spent_usd == Decimal("0.93")
    # Turn 2 on Haiku: 0.1 x 0.10 + 0.01 x 1.25 + 0.001 x 5 = 0.0275, and its 100,000 are no read but a write:
    # 0.1 x (1.25 - 0.10) = 0.115. Turn 3 finds turn 1's 100,000 on Opus; the 10,000 of turn 2 it writes:
    # 0.01 x (6.25 - 0.50) = 0.0575
    assert found.total.switch_usd == Decimal("0.1725")
    assert found.total.replayed_usd == Decimal("0.65") + Decimal("0.1425") + Decimal("0.2")
    assert found.total.difference_usd == Decimal("0.0625")  # without cache effects it seemed to save 0.11
    # Whole, the session stays on Opus, which has most of its tokens
    assert found.total.whole_sessions_usd == Decimal("0.93")
    # 0.115 a switch, 0.1375 - 0.0275 = 0.11 saved a turn
    assert found.total.pays_from_turns == 2
    rows = {row.name: (row.replayed_usd, row.switch_usd, row.whole_sessions_usd) for row in found.tasks}
    assert rows == {
        "coding": (Decimal("0.85"), Decimal("0.0575"), Decimal("0.7925")),
        "summary": (Decimal("0.1425"), Decimal("0.115"), Decimal("0.1375")),
    }
    assert [(m.to, m.switches, m.again_tokens, m.pays_from_turns) for m in found.moves] == [
        (HAIKU, 1, 100_000, 2),
        (OPUS, 1, 10_000, None),
    ]
    assert (found.cache_effects, found.calls_without_session) == ("counted", 0)


@pytest.mark.slow
def test_a_session_moved_whole_writes_only_what_its_log_writes(store: duckdb.DuckDBPyConnection) -> None:
    found = replayed(store, THREE_TURNS, reroute_to_model(HAIKU))
    # Haiku: 0.125 + 0.005 = 0.13 with the one cold write at the start; 0.0275; 0.011 + 0.0125 + 0.005 = 0.0285
    assert found.total.replayed_usd == found.total.whole_sessions_usd == Decimal("0.186")
    assert found.total.switch_usd == 0
    # a mean call's prefix: 0.21 x (1.25 - 0.10) / 3 = 0.0805; (0.93 - 0.186) / 3 = 0.248 saved a turn
    assert found.total.pays_from_turns == 1
    assert [(m.switches, m.pays_from_turns) for m in found.moves] == [(0, 1)]


def test_two_tasks_to_one_model_are_no_switch(store: duckdb.DuckDBPyConnection) -> None:
    found = replayed(store, THREE_TURNS, routed(summary=HAIKU, coding=HAIKU))
    assert (found.total.switch_usd, found.total.replayed_usd) == (Decimal(0), Decimal("0.186"))


def test_a_switch_to_a_more_expensive_model_never_pays(store: duckdb.DuckDBPyConnection) -> None:
    calls = [call._replace(model=HAIKU) for call in THREE_TURNS]
    found = replayed(store, calls, routed(summary=OPUS))
    assert found.total.pays_from_turns == "never"
    assert [m.pays_from_turns for m in found.moves] == [None, "never"]
    # 0.1 x (6.25 - 0.50) there, and 0.01 x (1.25 - 0.10) on the way back
    assert found.total.switch_usd == Decimal("0.575") + Decimal("0.0115")


def test_a_model_without_a_price_of_writes_charges_its_input_price(store: duckdb.DuckDBPyConnection) -> None:
    found = replayed(store, THREE_TURNS, routed(summary=GPT))
    by_model = {move.to: move.switch_usd for move in found.moves}
    assert by_model == {GPT: Decimal("0.125"), OPUS: Decimal("0.0575")}  # 0.1 x (2.50 - 1.25)


def test_one_hour_writes_are_written_again_as_such_and_stay_warm_for_an_hour(store: duckdb.DuckDBPyConnection) -> None:
    calls = [call._replace(long=True, at=call.at * 25) for call in THREE_TURNS]  # 25 minutes apart
    found = replayed(store, calls, routed(summary=HAIKU))
    assert {m.to: m.switch_usd for m in found.moves} == {
        HAIKU: Decimal("0.19"),  # 0.1 x (2 - 0.10)
        OPUS: Decimal("0.095"),  # 0.01 x (10 - 0.50)
    }


def test_a_cache_that_the_moved_call_kept_warm_is_cold_on_the_way_back(store: duckdb.DuckDBPyConnection) -> None:
    calls = [call._replace(at=call.at * 4) for call in THREE_TURNS]  # turns at 0, 4 and 8 minutes; ttl 5 minutes
    found = replayed(store, calls, routed(summary=HAIKU))
    assert {m.to: m.again_tokens for m in found.moves} == {HAIKU: 100_000, OPUS: 110_000}


def test_beyond_the_ttl_the_cache_is_cold_on_either_model(store: duckdb.DuckDBPyConnection) -> None:
    """The log itself shows it: turn 2 reads nothing. So there is nothing to write again."""
    calls = (Call(0, write=100_000), Call(600, "summary", write=110_000))
    found = replayed(store, calls, routed(summary=HAIKU))
    assert (found.total.switch_usd, found.total.replayed_usd) == (Decimal(0), Decimal("0.625") + Decimal("0.1375"))


def test_a_subagent_with_a_prompt_of_its_own_breaks_no_cache(store: duckdb.DuckDBPyConnection) -> None:
    calls = (
        Call(0, write=100_000),
        Call(10, "search", write=20_000),
        Call(20, "search", read=20_000, write=1_000),
        Call(30, read=100_000, write=5_000),
    )
    found = replayed(store, calls, routed(search=HAIKU))
    assert found.total.switch_usd == 0
    assert found.total.replayed_usd < found.total.spent_usd


def test_automatic_caches_hold_the_whole_prompt(store: duckdb.DuckDBPyConnection) -> None:
    calls = (
        Call(0, input=100_000, model=GPT),
        Call(60, "summary", read=100_000, input=10_000, model=GPT),
        Call(120, read=110_000, input=10_000, model=GPT),
    )
    found = replayed(store, calls, routed(summary=HAIKU))
    assert {m.to: m.again_tokens for m in found.moves} == {HAIKU: 100_000, GPT: 10_000}
    # on Haiku at its 5-minute price: 0.1 x (1.25 - 0.10); on GPT-4o 0.01 x (2.50 - 1.25)
    assert found.total.switch_usd == Decimal("0.115") + Decimal("0.0125")


@pytest.mark.slow
def test_calls_without_a_session_are_named_and_without_cache_effects(store: duckdb.DuckDBPyConnection) -> None:
    found = replayed(store, [call._replace(session=None) for call in THREE_TURNS], routed(summary=HAIKU))
    assert (found.cache_effects, found.calls_without_session) == ("not counted", 3)
    assert found.total.switch_usd == 0
    assert "test has no session ids: its figures are without cache effects" in found.notes
    other = [call._replace(session=None, source="other") for call in THREE_TURNS[:1]]
    found = replayed(store, [*THREE_TURNS, *other], routed(summary=HAIKU))
    assert (found.cache_effects, found.calls_without_session) == ("partly counted", 1)
    assert [note for note in found.notes if "session" in note] == [
        "other has no session ids: its figures are without cache effects"
    ]


@pytest.mark.slow
def test_days_add_up_across_midnight(store: duckdb.DuckDBPyConnection) -> None:
    night = int(timedelta(hours=15).total_seconds())  # DAY begins at 9:00
    calls = [call._replace(at=call.at + night - 30) for call in THREE_TURNS]
    whole = replayed(store, calls, routed(summary=HAIKU))
    days = [
        replay(store, BOOK, routed(summary=HAIKU), since=day, until=day, as_logged=True).total
        for day in (date(2026, 10, 5), date(2026, 10, 6))
    ]
    assert [day.switch_usd for day in days] == [0, whole.total.switch_usd]
    assert sum(day.replayed_usd for day in days) == whole.total.replayed_usd


# Against a walk through the events


def walked(calls: Sequence[Call], models: dict[str, str]) -> tuple[Fraction, Fraction, Fraction]:
    """Spent, replayed call by call, and by whole sessions: event by event."""
    spent = by_call = whole = Fraction(0)
    for name in sorted({call.session or "" for call in calls}):
        session = _Session(sorted((call for call in calls if call.session == name), key=lambda call: call.at))
        sent = [models.get(call.task, call.model) for call in session.calls]
        home = session.home(sent)
        for number, (call, to) in enumerate(zip(session.calls, sent, strict=True)):
            earlier = list(zip(session.calls[:number], sent[:number], strict=True))
            logged = session.warm(call, [one for one, _ in earlier if one.model == call.model])
            there = session.warm(call, [one for one, model in earlier if model == to])
            spent += _usd(call.tokens, call.model)
            by_call += _usd(session.written_again(call, max(0, logged - there)), to)
            whole += _usd(call.tokens, home or call.model)
    return spent, by_call, whole


class _Session:
    """A session's calls in order, and what its log says of its cache."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self.long = any(call.long and call.write for call in calls)
        self.explicit = any(call.write for call in calls)
        self.ttl = 300 if self.explicit and not self.long else 3600

    def home(self, sent: Sequence[str]) -> str | None:
        """The model that has most of its tokens; None where no call moves."""
        if all(call.model == to for call, to in zip(self.calls, sent, strict=True)):
            return None
        tokens = dict.fromkeys(sent, 0)
        for call, to in zip(self.calls, sent, strict=True):
            tokens[to] += call.read + call.write + call.output + call.input
        return min(tokens, key=lambda model: (-tokens[model], model))

    def warm(self, call: Call, earlier: Sequence[Call]) -> int:
        fresh = [one for one in earlier if call.at - one.at <= self.ttl]
        prefixes = [one.read + one.write + (0 if self.explicit else one.input) for one in fresh]
        return min(call.read, max(prefixes, default=0))

    def written_again(self, call: Call, again: int) -> dict[str, int]:
        long = call.long if call.write else self.long
        written = "cache_write_1h" if long else "cache_write_5m"
        moved = call.tokens
        return moved | {"cache_read": moved["cache_read"] - again, written: moved[written] + again}


def _usd(tokens: dict[str, int], model: str) -> Fraction:
    key = BOOK.resolve(model)
    assert key
    total = Fraction(0)
    for name, count in tokens.items():
        price = BOOK.price(key, name, at=DAY.replace(tzinfo=UTC), input_tokens=0, processing="standard")
        if count and (price or name != "request"):
            assert price, (model, name)
            total += count * price.usd_per_unit
    return total


EXAMPLES = 4  # of many sessions each
TASKS = ("coding", "summary", "search")
CALLS = st.tuples(
    st.integers(0, 6_000),
    st.sampled_from(TASKS),
    st.integers(0, 90_000),
    st.sampled_from([0, 1, 20_000, 50_000]),
    st.integers(0, 5_000),
    st.integers(0, 60_000),
    st.sampled_from([False, False, True]),
    st.sampled_from([OPUS, HAIKU]),
    st.sampled_from([f"session {number}" for number in range(9)]),
).map(lambda fields: Call(*fields))
SESSIONS = st.lists(CALLS, min_size=70, max_size=100, unique_by=lambda call: call.at)
MODELS = st.dictionaries(st.sampled_from(TASKS), st.sampled_from([OPUS, HAIKU, GPT]))


def rounded(usd: Fraction) -> Fraction:
    """As results are: to 12 places."""
    return Fraction(round(usd * 10**12), 10**12)


@pytest.mark.slow
@settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate])
@given(calls=SESSIONS, models=MODELS)
def test_the_sql_agrees_with_a_walk_through_the_events(
    store: duckdb.DuckDBPyConnection, calls: list[Call], models: dict[str, str]
) -> None:
    found = replayed(store, calls, routed(**models))
    spent, by_call, whole = map(rounded, walked(calls, models))
    assert found.total.whole_sessions_usd is not None
    assert (Fraction(found.total.spent_usd), Fraction(found.total.replayed_usd)) == (spent, by_call)
    assert Fraction(found.total.whole_sessions_usd) == whole
    assert found.total.switch_usd >= 0  # a write costs no less than a read with these models
    for rows in (found.components, found.tasks, found.days, found.moves):
        assert abs(sum(row.switch_usd for row in rows) - found.total.switch_usd) < Decimal("1e-10")
        assert abs(sum(row.replayed_usd for row in rows) - found.total.replayed_usd) < Decimal("1e-10")


@pytest.mark.slow
@settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate])
@given(calls=SESSIONS)
def test_calls_on_their_own_models_cost_what_they_cost(store: duckdb.DuckDBPyConnection, calls: list[Call]) -> None:
    """To the digit, though sessions change their models."""
    found = replayed(store, calls, Reroute("own", "own", lambda _component, _task: None))
    for row in (found.total, *found.components, *found.tasks, *found.days):
        assert row.spent_usd == row.replayed_usd == row.whole_sessions_usd
        assert row.difference_usd == row.switch_usd == 0
        assert row.pays_from_turns is None


@pytest.mark.slow
@settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate])
@given(calls=SESSIONS, model=st.sampled_from([OPUS, HAIKU, GPT]))
def test_on_one_model_moving_by_call_is_moving_whole(
    store: duckdb.DuckDBPyConnection, calls: list[Call], model: str
) -> None:
    total = replayed(store, calls, reroute_to_model(model)).total
    assert total.switch_usd == 0
    assert total.replayed_usd == total.whole_sessions_usd


@pytest.mark.slow
def test_the_turns_until_a_switch_pays_are_the_smallest_that_do(store: duckdb.DuckDBPyConnection) -> None:
    found = replayed(store, THREE_TURNS, routed(summary=HAIKU))
    (move,) = (m for m in found.moves if m.to == HAIKU)
    extra, saved = move.switch_usd, move.spent_usd - (move.replayed_usd - move.switch_usd)
    turns = move.pays_from_turns
    assert isinstance(turns, int)
    assert turns == ceil(extra / saved)
    assert (turns - 1) * saved < extra <= turns * saved
