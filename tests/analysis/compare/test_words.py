"""What a difference says changed: amounts as people write them, prices as prices, numbers of runs as volume."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from costsim import Settings, diff
from costsim.analysis.compare.words import plain

HAIKU = "anthropic/claude-haiku-4-5"
DESK: dict[str, Any] = {
    "name": "desk",
    "model_routing": {"fallback": HAIKU},
    "components": [{"name": "drafts", "runs_per_day": {"poisson": 100}, "tokens": {"input": 1000, "output": 100}}],
}
OVERLAY = {
    "book": "contract",
    "source": "contract",
    "models": [{"model": HAIKU, "valid_from": "2026-12-15", "usd_per_mtok": {"input": 0.5, "output": 2.5}}],
}


@pytest.mark.parametrize(
    ("stated", "text"),
    [
        ({"poisson": "140"}, "Poisson 140"),
        ({"low": "100", "high": "200"}, "100 to 200"),
        ({"low": "3000", "mode": "6000", "high": "20000"}, "3,000 to 20,000, most often 6,000"),
        ({"p50": "150", "p95": "600"}, "P50 150, P95 600"),
        ({"to": HAIKU, "rate": "0.2", "none": None}, f"to {HAIKU}, rate 0.2"),
        (True, "yes"),
        (None, "–"),
        (["mon", "tue"], "mon, tue"),
    ],
)
def test_a_stated_value_is_shown_as_people_write_it(stated: Any, text: str) -> None:
    assert plain(stated) == text


def causes(folder: Path, head: dict[str, Any]) -> list[tuple[str, str]]:
    (folder / "prices.yaml").write_text(yaml.safe_dump(OVERLAY))
    for name, content in (("base.yaml", DESK), ("head.yaml", DESK | head)):
        (folder / name).write_text(yaml.safe_dump(content))
    settings = Settings(date(2026, 12, 1), trials=20)
    [row] = diff(folder / "base.yaml", folder / "head.yaml", settings).components
    return [(cause.cause, cause.message) for cause in row.causes]


def changed(**keys: Any) -> dict[str, Any]:
    return {"components": [DESK["components"][0] | keys]}


def test_other_numbers_of_runs_are_volume(tmp_path: Path) -> None:
    found = causes(tmp_path, changed(runs_per_day={"poisson": 120}))
    assert found == [("volume", "runs_per_day: Poisson 100 -> Poisson 120")]


def test_other_days_are_schedule(tmp_path: Path) -> None:
    assert causes(tmp_path, changed(weekdays_only=True)) == [("schedule", "weekdays_only: no -> yes")]


def test_tokens_are_named_class_by_class(tmp_path: Path) -> None:
    found = causes(tmp_path, changed(tokens={"input": 2000, "output": 100}))
    assert found == [("tokens", "input tokens: 1,000 -> 2,000")]


def test_prices_are_shown_as_prices_with_the_day_from_which_they_hold(tmp_path: Path) -> None:
    found = causes(tmp_path, {"prices": ["prices.yaml"]})
    assert found == [("prices", f"{HAIKU} from 2026-12-15: input $1 -> $0.50, output $5 -> $2.50 per million tokens")]
