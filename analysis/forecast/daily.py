"""The built-in forecaster: a Bayesian regression of the logarithm of daily cost, robust against anomalies.

    log cost(t) = level + weekday + trend * t + shifts + wandering + noise

The coefficients have normal priors around 0 whose widths (weekday effects, trend, wandering: a grid of 48) are
weighed by their marginal likelihood, so that a pattern counts as far as the days support it. The noise's variance
is integrated out (normal-inverse-gamma: Gelman et al., Bayesian Data Analysis, 3rd ed., ch. 14), which makes the
predictive distribution a mixture of Student t: few days give wide ranges by themselves. Anomalies weigh less
(the square of Huber's weight) and return at random, rarely, in the forecast. Days of no cost are a matter of chance
of their own. See docs/forecast.md for the formulas and what the ranges were worth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from . import levels
from .history import Floats

WINDOW = 91
"""Days looked at: 13 of each weekday."""
WANDER_STEP = 3
"""The level may move every so many days (and is drawn day by day in the forecast)."""
PRIOR_FREEDOM, PRIOR_SD = 1.5, 0.2
"""The noise before any day is seen: inverse gamma, as if a day and a half had strayed by 20 %, or by less where two
weeks of days are seen to stray by less (by their median)."""
LEVEL_WIDTH, SHIFT_WIDTH = 50.0, 20.0
ODD, ODDEST = 3.5, 1.6
"""A day is an outlier beyond so many standard deviations; drawn again, it is at most e^1.6 = 5 times off."""
OUTLIER_PRIOR_DAYS = 28
"""Days without an outlier that we believe to have seen before the first day."""
ENOUGH_DAYS = 28
"""Of residuals, to draw the noise from them."""
HALF_LIFE_DAYS = 14.0
"""Of what is known about days of no cost."""
WEEKDAY_WIDTHS = {0.1: 0.35, 0.6: 0.35, 2.0: 0.25, 6.0: 0.05}
TREND_WIDTHS = {0.001: 0.4, 0.2: 0.2, 1.0: 0.4}
WANDER_WIDTHS = {0.02: 0.45, 0.1: 0.2, 0.3: 0.2, 1.0: 0.15}
"""Prior widths in units of the noise, and their chances: of weekday effects, of trend a week, of wandering per day."""
TREND_DAYS = 45
"""A trend, and the level's wandering, go on so long after the last day known, and no further."""
GRID = list(product(WEEKDAY_WIDTHS, TREND_WIDTHS, WANDER_WIDTHS))
GRID_CHANCES = np.array([WEEKDAY_WIDTHS[w] * TREND_WIDTHS[t] * WANDER_WIDTHS[v] for w, t, v in GRID])


@dataclass(frozen=True)
class Posterior:
    """What is known of the coefficients: a mixture, by GRID, of normal-inverse-gamma distributions.

    Shapes: weights (grid,), mean (grid, k), cholesky of the precision (grid, k, k), rate (grid,); shape of the noise
    is the same for all.
    """

    weights: Floats
    mean: Floats
    cholesky: Floats
    shape: float
    rate: Floats

    @property
    def best(self) -> int:
        """The likeliest of the grid."""
        return int(np.argmax(self.weights))

    @property
    def noise(self) -> float:
        """The noise's standard deviation at the likeliest of the grid."""
        return float(np.sqrt(self.rate[self.best] / self.shape))


@dataclass(frozen=True)
class Model:
    """Daily costs (days,), USD, oldest first, of which at least one is not 0; `first` is their first weekday."""

    costs: Floats = field(repr=False)
    first: int

    @cached_property
    def _recent(self) -> tuple[Floats, NDArray[np.int64]]:
        """The window of days looked at: the last ones, or the last ones that end with a cost after a long silence."""
        start, end = self._window
        return self.costs[start:end], (self.first + np.arange(start, end)) % 7

    @cached_property
    def _window(self) -> tuple[int, int]:
        end = len(self.costs)
        if not self.costs[max(0, end - WINDOW) :].any():
            end = int(np.flatnonzero(self.costs)[-1]) + 1
        return max(0, end - WINDOW), end

    @cached_property
    def _logs(self) -> Floats:
        costs, _ = self._recent
        return np.log(np.where(costs > 0, costs, np.nan))

    @cached_property
    def shifts(self) -> list[int]:
        """Days before the last, counted back from it, from which the level is another."""
        return [day - len(self._logs) + 1 for day in self._first_look[1]]

    @cached_property
    def _first_look(self) -> tuple[Floats, list[int], float]:
        """Medians only: how far each day deviations, in standard deviations; where the level shifts; the noise."""
        _, weekday = self._recent
        level = self._logs - levels.weekday_effects(self._logs, weekday)[weekday]
        deviations = level - levels.medians(levels.windows(level, 7, 7))
        noise = max(levels.spread(deviations), 0.02)
        return deviations / noise, levels.shifts(level, noise), noise

    def _features(self, day: NDArray[np.int64], weekday: NDArray[np.int64]) -> Floats:
        """The regression's columns for days counted from the last known one (0; the future is positive)."""
        ages = np.arange(0, len(self._logs) - 1, WANDER_STEP)
        columns = [
            np.ones((len(day), 1)),
            weekday[:, None] == np.arange(7),
            weekday[:, None] >= 5,
            np.minimum(day[:, None], TREND_DAYS) / 7,
            day[:, None] >= np.array(self.shifts, dtype=np.int64),
            day[:, None] > -1 - ages,  # the level's steps, the latest first
        ]
        return np.hstack(columns).astype(np.float64)

    def _widths(self) -> Floats:
        """The prior standard deviations of the coefficients, in units of the noise: (grid, k)."""
        steps = len(np.arange(0, len(self._logs) - 1, WANDER_STEP))
        rows = [
            [LEVEL_WIDTH, *[weekday] * 7, 2 * weekday, trend, *[SHIFT_WIDTH] * len(self.shifts)]
            + [wander * WANDER_STEP**0.5] * steps
            for weekday, trend, wander in GRID
        ]
        return np.array(rows)

    @cached_property
    def _known(self) -> tuple[Floats, Floats, float]:
        """Features and centred logs of the days that cost something, and their centre."""
        _, weekday = self._recent
        active = ~np.isnan(self._logs)
        day = np.arange(len(active)) - len(active) + 1
        centre = float(np.median(self._logs[active]))
        return self._features(day[active], weekday[active]), self._logs[active] - centre, centre

    @cached_property
    def _fitted(self) -> tuple[Posterior, Floats]:
        """The posterior and the days' residuals in logs, anomalies weighing less."""
        features, logs, _ = self._known
        deviations = self._first_look[0][~np.isnan(self._logs)]
        if len(logs) < 8:
            deviations = np.zeros(len(logs))
        widths = self._widths()
        prior_sd = min(PRIOR_SD, self._first_look[2]) if len(logs) >= 14 else PRIOR_SD
        for _ in range(3):
            weights = np.minimum(1.0, (2.5 / np.maximum(np.abs(deviations), 1e-9)) ** 2)
            posterior = _posterior(features, logs, weights, widths, prior_sd)
            residuals = logs - features @ posterior.mean[posterior.best]
            if len(logs) >= 8:
                deviations = residuals / posterior.noise
        return posterior, residuals

    @cached_property
    def outliers(self) -> Floats:
        """How far, in logs, the anomalies of the past lay off."""
        posterior, residuals = self._fitted
        off = residuals[np.abs(residuals) > ODD * posterior.noise]
        return np.clip(off, -ODDEST, ODDEST) if len(residuals) >= 8 else off[:0]

    def draw(self, days: int, trials: int, rng: np.random.Generator) -> Floats:
        """Costs of the days to come, USD: (trials, days), the days of a trial together."""
        ahead = np.arange(1, days + 1)
        weekday = (self.first + len(self.costs) - 1 + ahead) % 7
        _, logs, centre = self._known
        drawn = self._draw_logs(self._features(ahead, weekday), trials, rng)
        if self.outliers.size:
            rate = rng.gamma(self.outliers.size + 0.5, 1 / (len(logs) + OUTLIER_PRIOR_DAYS), (trials, 1))
            drawn += (rng.random((trials, days)) < rate) * rng.choice(self.outliers, (trials, days))
        np.clip(drawn, logs.min() - 3, logs.max() + 3, out=drawn)
        costs: Floats = np.exp(drawn + centre)
        return costs * self._draw_active(weekday, trials, rng)

    def _draw_logs(self, features: Floats, trials: int, rng: np.random.Generator) -> Floats:
        posterior, _ = self._fitted
        days = len(features)
        drawn = np.empty((trials, days))
        start = 0
        for grid, count in enumerate(rng.multinomial(trials, posterior.weights)):
            if not count:
                continue
            part = drawn[start : start + count]
            noise = np.sqrt(posterior.rate[grid] / rng.standard_gamma(posterior.shape, count))[:, None]
            upper = np.linalg.solve(posterior.cholesky[grid], features.T)  # (k, days): its Gram matrix is the variance
            part[:] = rng.standard_normal((count, len(upper))) @ upper
            wander = rng.standard_normal((count, days)) * GRID[grid][2]
            wander[:, TREND_DAYS:] = 0
            part += np.cumsum(wander, axis=1) + self._draw_noise((count, days), rng)
            part *= noise
            part += features @ posterior.mean[grid]
            start += count
        return rng.permutation(drawn)

    def _draw_noise(self, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
        """Noise of mean square 1: the past days' own, outliers left out, where they are enough, else normal.

        Their skew is what makes the mean of costs right (Duan's smearing estimate, 1983).
        """
        posterior, residuals = self._fitted
        usual = residuals[np.abs(residuals) <= ODD * posterior.noise]
        if len(usual) < ENOUGH_DAYS or not usual.any():  # every day cost the same
            return rng.standard_normal(shape)
        size = np.sqrt(np.mean(usual**2))
        return rng.choice(usual / size, shape) if size > 0 else np.zeros(shape)  # days may be all alike

    def _draw_active(self, weekday: NDArray[np.int64], trials: int, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Whether the days to come cost anything: weekdays that mostly do share a chance, and those that do not."""
        costs = self.costs[self._window[0] :]  # a silence after the window counts too
        known = (self.first + np.arange(self._window[0], len(self.costs))) % 7
        weight = 0.5 ** (np.arange(len(costs))[::-1] / HALF_LIFE_DAYS)
        yes, no = (np.bincount(known, weight * part, 7) for part in (costs > 0, costs <= 0))
        chance = np.ones((trials, 7))
        for group in ((yes > no), (yes <= no) & (no > 0)):
            if no[group].sum() > 0:
                a, b = yes[group].sum(), no[group].sum()
                chance[:, group] = rng.beta(a + 0.05, b + 0.05, (trials, 1))
        unseen = (yes + no == 0) & (np.arange(7) >= 5)
        chance[:, unseen] = rng.random((trials, 1)) < 2 / 3  # a weekend not yet seen may be one of rest
        return rng.random((trials, len(weekday))) < chance[:, weekday]


def _posterior(features: Floats, logs: Floats, weights: Floats, widths: Floats, prior_sd: float) -> Posterior:
    """Weighted Bayesian regression at every width of the grid. Precisions and moments are in units of the noise."""
    weighted = features * weights[:, None]
    gram, moment = weighted.T @ features, weighted.T @ logs
    precision = np.repeat(gram[None], len(widths), axis=0)
    k = np.arange(len(gram))
    precision[:, k, k] += widths**-2.0
    cholesky = np.linalg.cholesky(precision).astype(np.float64, copy=False)
    moments = np.broadcast_to(moment[:, None], (len(widths), len(moment), 1))
    mean = np.linalg.solve(precision, moments)[:, :, 0].astype(np.float64, copy=False)
    squares = np.maximum((weights * logs) @ logs - mean @ moment, 0)
    shape = (PRIOR_FREEDOM + len(logs)) / 2
    rate = (PRIOR_FREEDOM * prior_sd**2 + squares) / 2
    evidence = -np.log(cholesky[:, k, k]).sum(axis=1) - np.log(widths).sum(axis=1) - shape * np.log(rate)
    likely = GRID_CHANCES * np.exp(evidence - evidence.max())
    return Posterior(likely / likely.sum(), mean, cholesky, shape, rate)
