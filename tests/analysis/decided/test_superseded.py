"""Which later decision moves a decision's calls on: the same for every order and scope, found without comparing all."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from costsim.analysis.decided.file import standing
from costsim.analysis.decided.results import DecisionRecord, RoutingChange
from costsim.analysis.decided.superseded import superseding
from hypothesis import given
from hypothesis import strategies as st

FIRST = date(2026, 10, 1)
AS_OF = FIRST + timedelta(days=3)


def record(
    n: int, day: int, way: str, component: str = "", task: str = "", decision: str = "accepted"
) -> DecisionRecord:
    """One taken on a day, from the first letter of `way` to the second."""
    change = RoutingChange(component=component, task=task, from_model=way[0], to_model=way[1])
    given = {
        "id": f"d{n}",
        "decision": decision,
        "on": FIRST + timedelta(days=day),
        "month": "2026-09",
        "change": change,
    }
    return DecisionRecord.model_validate(given)


@pytest.mark.parametrize(
    ("earlier", "later", "superseded"),
    [
        (("", ""), ("", ""), True),
        (("x", ""), ("", ""), True),  # all of them are moved on
        (("", ""), ("x", ""), True),  # some of them are
        (("x", ""), ("", "t"), True),
        (("x", ""), ("y", ""), False),
        (("x", "t"), ("x", "u"), False),
    ],
)
def test_a_later_decision_of_an_overlapping_scope_supersedes(
    earlier: tuple[str, str], later: tuple[str, str], superseded: bool
) -> None:
    records = [record(1, 0, "ab", *earlier), record(2, 1, "bc", *later)]
    assert list(superseding(records, AS_OF)) == (["d1"] if superseded else [])


def supersedes(later: DecisionRecord, earlier: DecisionRecord) -> bool:
    """The rule, for two of them."""
    a, b = later.change, earlier.change
    assert a
    assert b
    scopes = ((a.component, b.component), (a.task, b.task))
    after = later.decision == "accepted" and later.on <= AS_OF and (later.on, later.id) > (earlier.on, earlier.id)
    return after and a.from_model == b.to_model and all(x == y or not x or not y for x, y in scopes)


NAMED = st.sampled_from(["", "x", "y"])
RECORDS = st.lists(
    st.builds(
        record,
        st.integers(0, 20),
        st.integers(0, 5),
        st.sampled_from(["ab", "ba", "bc", "ca"]),
        NAMED,
        NAMED,
        st.sampled_from(["accepted", "accepted", "rejected"]),
    ),
    max_size=8,
)


@given(RECORDS)
def test_the_first_that_supersedes_is_found(records: list[DecisionRecord]) -> None:
    listed = standing(records, AS_OF)
    found = superseding(listed, AS_OF)
    for own in listed:
        assert found.get(own.id) == next((other for other in listed if supersedes(other, own)), None)
