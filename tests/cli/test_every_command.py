"""Every command that analyses a store, over stores of the samples: each one, pairs, all of them at once.

What a command cannot do with a store it says in a line. The samples beside each other are what single tests of a
reader or of an analysis never see. A few stores always, all of them and more pairs with COSTSIM_THOROUGH=1.
"""

from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from costsim.analysis.review import review
from costsim.analysis.spend.same_calls import RUNS_OF, SESSIONS_OF, SUMS_OF
from thorough import THOROUGH

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run

pytestmark = pytest.mark.slow
SAMPLES = Path(__file__).parents[1] / "data" / "usage"
NAMES = sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir())
FOUND = [("litellm", "litellm-daily"), ("claude-code", "copilot-bill")]
"""Pairs that were faults."""
RELATED = sorted({
    *SUMS_OF.items(), *SESSIONS_OF.items(), *((runs, one) for runs, calls in RUNS_OF.items() for one in calls),
} - {*FOUND})  # fmt: skip
RANDOM = random.Random(17)
MORE = [*RELATED, *((name,) for name in NAMES), *RANDOM.sample([*combinations(NAMES, 2)], 60)]
STORES = [*FOUND, *([*MORE, tuple(NAMES)] if THOROUGH else [])]

HAIKU, GPT = "anthropic/claude-haiku-4-5", "openai/gpt-4o"
ARCHITECTURE = {
    "name": "desk",
    "routing": "routing.json",
    "budgets": [
        {"name": "month", "usd": 1, "period": "month"},
        {"name": "model", "usd": 1, "period": "day", "scope": {"model": GPT}},
    ],
    "components": [
        {"name": "a", "agent": "a", "task": "monitoring", "runs_per_day": 10, "tokens": {"input": 1000, "output": 100}}
    ],
}
OUTCOMES = "".join(f"2026-10-05,monitoring,{model},{good},0.01\n" * 30 for model, good in ((HAIKU, 1), (GPT, 0)))
FILES = {
    "desk.json": json.dumps(ARCHITECTURE),
    "routing.json": json.dumps({"model_routing": {"monitoring": GPT, "fallback": HAIKU}}),
    "outcomes.csv": f"ts,task,model,success,usd\n{OUTCOMES}",
}
COMMANDS = """
outcomes outcomes.csv
outcomes --from-usage -f json
spend
spend --by day,model,component,task,user,session,team,project,source,provider -f csv
spend --by month,agent --costs both -f json
spend --by hour --reprice 2026-11-01 --tz Asia/Tokyo --top 3 -f markdown
spend -o spend.parquet
reconcile --by day,month,provider,model,class
reconcile -f json
reconcile --by class -f csv
reconcile --by model -f markdown
replay --model anthropic/claude-haiku-4-5
replay --model openai/gpt-4o -f json
replay --config routing.json -f markdown
replay --plan naive --architecture desk.json --as-logged -f csv
recommend desk.json
recommend desk.json -f json
recommend desk.json --budget 5 -f csv
recommend desk.json -f markdown
report -o review.html
report -f table --architecture desk.json
report -f markdown --config routing.json
report --index .
decide --list
decide --list -f csv
run --from-usage --trials 20 --days 10 --save observed.yaml
run --from-usage --trials 20 --moves --details -f markdown
run observed.yaml --trials 20 --moves -o plan.html
check observed.yaml --trials 20 --usage -f json
diff desk.json observed.yaml --trials 20
profile
profile --by task -f yaml -o profile.yaml
run profile.yaml --trials 20 -f csv
check desk.json --trials 20 --usage
check desk.json --trials 20 --usage -f sarif
export -o focus.csv --tags team,project,user,session,task
export -o focus.parquet --focus-version 1.2
rollup costsim.duckdb -o rollup.parquet --keep user,session,team
chart bridge -o bridge.svg
store verify
"""


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is called once with the same arguments."""
    made: dict[str, Any] = {}

    def kept(*arguments: Any) -> Any:
        if (key := repr(arguments)) not in made:
            made[key] = function(*arguments)
        return made[key]

    return kept


@pytest.fixture(autouse=True)
def forecasts_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six commands make the review of a store; two thirds of the time are the same forecasts of its past."""
    for name in ("backtest", "calibrate"):
        monkeypatch.setattr(review, name, once(getattr(review, name)))


@pytest.mark.parametrize("names", STORES, ids=lambda names: "all" if len(names) > 2 else "+".join(names))
def test_no_store_is_a_fault_of_a_command(costsim: Run, tmp_path: Path, names: tuple[str, ...]) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert costsim("load", *(SAMPLES / name for name in names)).code == 0
    done = {command: costsim(*command.split()) for command in COMMANDS.strip().splitlines()}
    assert {command: one.err for command, one in done.items() if one.code not in (0, 1, 2)} == {}
    assert {command: one.out for command, one in done.items() if one.code == 2 and not one.err} == {}
