"""How long `recommend` takes for 200 tasks x 20 models. The floor is the bare integer programme in SciPy's milp.

python tests/bench/bench_recommend.py
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from statistics import median
from time import perf_counter
from typing import TypeVar

import numpy as np
from costsim.analysis.outcomes.outcomes import Evidence
from costsim.analysis.recommend.budgeted import expected_rate
from costsim.analysis.recommend.candidates import Candidate, MonthlyCost, Task
from costsim.analysis.recommend.recommend import recommend
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

Result = TypeVar("Result")
TASKS, MODELS, ROUNDS, TARGET_SECONDS = 200, 20, 5, 2.0


def fleet(seed: int) -> tuple[list[Task], list[Candidate]]:
    """Tasks of 10 to 5,000 runs a month; more expensive models do better, more or less; a tenth lack evidence."""
    draw = random.Random(seed)
    prices = [Fraction(draw.randint(1, 1000), 10 ** draw.randint(3, 5)) for _ in range(MODELS)]
    tasks, candidates = [], []
    for number in range(TASKS):
        task = Task(f"task {number}", Fraction(draw.randint(10, 5000)), "model 0")
        hardness = draw.random()
        tasks.append(task)
        for model, price in enumerate(prices):
            trials = draw.choice([0, *[draw.randint(20, 2000) for _ in range(9)]])
            rate = min(0.999, 1 - hardness * draw.random() / (1 + 30 * float(price)))
            usd = price * task.runs_per_month * draw.randint(50, 150) / 100
            cost = MonthlyCost(usd, usd * 9 / 10, usd * 12 / 10)
            evidence = Evidence(int(trials * rate), trials)
            candidates.append(Candidate(task.name, f"model {model}", cost, evidence))
    return tasks, candidates


def bare_milp(tasks: list[Task], candidates: list[Candidate], budget: Fraction) -> None:
    """The same programme in floats, to milp's own tolerance: no evidence, no front, no proof."""
    runs = {task.name: (i, float(task.runs_per_month)) for i, task in enumerate(tasks)}
    known = [(c, c.cost) for c in candidates if c.evidence.trials and c.cost]
    worth = np.array([-runs[c.task][1] * float(expected_rate(c.evidence)) for c, _ in known])
    cost = np.array([[float(price.expected_usd) for _, price in known]])
    rows = np.array([runs[c.task][0] for c, _ in known])
    one_each = csr_array((np.ones(len(known)), (rows, np.arange(len(known)))))
    limits = [LinearConstraint(one_each, 1, 1), LinearConstraint(cost, -np.inf, float(budget))]
    solved = milp(worth, integrality=np.ones(len(known), dtype=np.int64), bounds=Bounds(0, 1), constraints=limits)
    assert solved.x is not None


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds, and what the work returned."""
    start = perf_counter()
    result = work()
    return perf_counter() - start, result


def main() -> None:
    """Print the median and the worst of five fleets, against the floor and the target."""
    floored, budgeted, floor, proved = [], [], [], 0
    for seed in range(ROUNDS):
        tasks, candidates = fleet(seed)
        time, result = timed(partial(recommend, tasks, candidates))
        floored.append(time)
        budget = Fraction(result.front[0].usd_per_month + result.front[-1].usd_per_month) / 2
        time, result = timed(partial(recommend, tasks, candidates, budget_usd=budget))
        budgeted.append(time)
        proved += result.could_gain_successes == 0
        floor.append(timed(partial(bare_milp, tasks, candidates, budget))[0])
    print(f"recommend, {TASKS} tasks x {MODELS} models, {ROUNDS} fleets (target {TARGET_SECONDS} s)")
    for name, times in (("floor", floored), ("budget", budgeted), ("bare milp", floor)):
        ratio = median(times) / median(floor)
        print(f"  {name:<10} median {median(times):.3f} s   worst {max(times):.3f} s   {ratio:.2f}x bare milp")
    print(f"  proved optimal: {proved} of {ROUNDS}")


if __name__ == "__main__":
    main()
