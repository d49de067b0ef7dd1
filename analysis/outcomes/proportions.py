"""Statistics of counts: how sure a success rate is, and whether it changed. Counts in, floats out."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """A confidence interval of a success rate; both ends are within 0..1."""

    low: float
    high: float


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """The Wilson score interval of `successes` in `trials`, two-sided; (0, 1) where there are no trials.

        (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n),  p = successes/n

    E. B. Wilson (1927), J. Am. Stat. Assoc. 22:209-212. Unlike p ± z·√(p(1-p)/n) it keeps its coverage near
    100 % and in small samples (Brown, Cai and DasGupta 2001, Statistical Science 16:101-133), which is
    where routing decisions are taken: 20 of 20 is (0.839, 1), not (1, 1).
    """
    if trials == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = successes / trials
    middle = rate + z * z / (2 * trials)
    reach = z * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # at the ends the formula is exactly 0 and 1; rounding must not take that away
    low = 0.0 if successes == 0 else (middle - reach) / scale
    high = 1.0 if successes == trials else (middle + reach) / scale
    return Interval(low, high)


def fisher_exact(successes: int, trials: int, other_successes: int, other_trials: int) -> float:
    """The two-sided p-value of "both success rates are the same": Fisher's exact test.

    The sum of the hypergeometric probabilities, given all margins, that are no larger than the observed one
    (R. A. Fisher 1935, J. R. Stat. Soc. 98:39-82). Exact at any count: in routing a task has a few dozen
    runs a month and hardly any failures, so the score test's normal approximation (five expected failures a
    cell) does not hold. Its price is that it is conservative: it finds a change a little later.
    """
    import numpy as np

    solved, total = successes + other_successes, trials + other_trials
    low, high = max(0, solved - other_trials), min(solved, trials)
    k = np.arange(low, high, dtype=float)
    ratios = (solved - k) * (trials - k) / ((k + 1) * (total - solved - trials + k + 1))
    logs = np.concatenate(([0.0], np.cumsum(np.log(ratios))))
    weights = np.exp(logs - logs.max())
    # two tables may have the same probability but for rounding; R and SciPy leave room for that too
    as_rare = weights <= weights[successes - low] * (1 + 1e-7)
    return min(1.0, float(weights[as_rare].sum() / weights.sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for their number, in the given order: S. Holm (1979), Scand. J. Stat. 6:65-70.

    Of m tests the i-th smallest is multiplied by m - i + 1, and none falls below a smaller one. Comparing
    them with alpha keeps the chance of any false alarm under alpha, however the tests depend on each other.
    """
    adjusted = [1.0] * len(p_values)
    worst = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = worst
    return adjusted
