"""Readers look at each message as often as it takes, not once for each of the others: counted, not by a clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from costsim.usage.readers import copilot, copilot_legs
from costsim.usage.readers.copilot_legs import COUNTS, Legs, Sum
from costsim.usage.readers.jcode import Looks
from costsim.usage.readers.shelley import _original


class Asked(dict[Any, Any]):
    """A map that counts how often it is asked."""

    times = 0

    def get(self, key: Any, default: Any = None) -> Any:
        self.times += 1
        return super().get(key, default)


def test_a_chain_of_forks_is_walked_once() -> None:
    """1,000 messages: the n-th is a copy of the one before; each is asked a few times, not 500 on average."""
    origins = Asked({n: n - 1 for n in range(2, 1_001)})
    assert {_original(n, origins) for n in reversed(range(1, 1_001))} == {1}
    assert origins.times < 5_000


def test_messages_that_name_one_another_in_a_circle_are_copies_of_none() -> None:
    """1,000 in a circle, and one (-1) that is a copy of the message 7 of it."""
    origins = Asked({**{n: n % 1_000 + 1 for n in range(1, 1_001)}, -1: 7})
    assert _original(-1, origins) == 7
    assert [_original(n, origins) for n in range(1, 1_001)] == list(range(1, 1_001))
    assert origins.times < 5_000


def test_a_message_of_jcode_finds_its_look_without_asking_all() -> None:
    """2,000 messages and looks: the looks are asked once for their times and once a message, not 4,000,000 times."""
    looks = [Asked(captured_at=f"2026-10-05T09:{n // 60:02}:{n % 60:02}Z", model=f"m{n}") for n in range(2_000)]
    seen = Looks(looks)
    for n in range(2_000):
        found = seen.seen_by({"timestamp": f"2026-10-05T09:{n // 60:02}:{n % 60:02}.5Z"})
        assert found is not None
        assert found["model"] == f"m{n}"
    assert sum(look.times for look in looks) < 20_000


def test_the_look_of_a_message_is_the_last_listed_of_those_before_it() -> None:
    """Whatever the order of their times; without one before it, the first."""
    draw = random.Random(17)
    for _ in range(200):
        looks = [{"captured_at": str(draw.randrange(9)), "model": n + 1} for n in range(draw.randrange(6))]
        for moment in ("", *"0123456789"):
            before = [look for look in looks if moment and look["captured_at"] <= moment]
            look = before[-1] if before else looks[0] if looks else None
            found = Looks(looks).seen_by({"timestamp": moment})
            assert (found and found["model"]) == (look and look["model"])


def test_a_shutdown_of_copilot_adds_up_its_messages_once(monkeypatch: Any) -> None:
    """1,000 messages with a resumption after each: the counters are compared with a start each, and sums are added up
    once; it counted the last 400 messages, of 3 tokens each."""
    calls: list[tuple[int, ...]] = []
    difference = copilot_legs._difference

    def counted(*given: Any) -> int:
        calls.append(given)
        return difference(*given)

    monkeypatch.setattr(copilot_legs, "_difference", counted)
    metrics = {"gpt-5": {"requests": {"count": 400}, "usage": {"inputTokens": 100, "outputTokens": 1_200}}}
    events = [{"type": "session.start", "data": {"selectedModel": "gpt-5"}}]
    for n in range(1_000):
        events.append({"type": "assistant.message", "id": f"m{n}", "data": {"messageId": f"m{n}", "outputTokens": 3}})
        events.append({"type": "session.resume", "data": {}})
    events.append({"type": "session.shutdown", "id": "end", "data": {"modelMetrics": metrics}})
    found = [(one.stated, one.counts["requests"], one.counts["output"]) for one in Legs().read(events)]
    assert found == [(False, 600, 1_800), (True, 400, 1_200)]
    assert len(calls) == 1_001


def test_what_a_leg_of_copilot_has_beyond_the_store_is_what_no_request_in_its_time_has() -> None:
    """As each request is asked whether it is one of the leg's model and time, of 400 drawn stores and legs."""
    draw = random.Random(17)
    begin = datetime(2026, 10, 5, tzinfo=UTC)

    def at(most: int) -> str:
        return draw.choice(["", "no time", *[(begin + timedelta(minutes=draw.randrange(most))).isoformat()] * 8])

    for _ in range(400):
        requests: list[dict[str, Any]] = [
            {"model": draw.choice("ab"), "time": at(30), **{name: draw.randrange(-1, 9) for name in COUNTS}}
            for _ in range(draw.randrange(9))
        ]
        counts = {name: draw.randrange(40) for name in COUNTS}
        leg = Sum("leg", draw.choice("abc"), at(15), at(40), counts, stated=draw.random() < 0.5)
        ended, begun = copilot.instant(leg.time), copilot.instant(leg.begun)
        left = counts
        if requests and ended:
            ended += timedelta(0) if leg.stated else copilot.LATE
            own = [r for r in requests if r["model"] == leg.model and (time := copilot.instant(r["time"]))
                   and (begun is None or time > begun) and time <= ended]  # fmt: skip
            left = {name: max(counts[name] - sum(max(r[name], 0) for r in own), 0) for name in COUNTS}
        found = copilot._beyond(leg, copilot._summed(requests))
        assert (found.counts if found else dict.fromkeys(COUNTS, 0)) == left
