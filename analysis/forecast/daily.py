"""The built-in forecaster: a Bayesian regression of the logarithm of daily cost, robust against anomalies.

    log cost(t) = level + weekday + trend * t + shifts + wandering + noise

The coefficients have normal priors in logs of cost (weekday effects, trend, wandering: a grid, with the noise's scale)
that are weighed by their marginal likelihood, so that a pattern counts as far as the days support it. The noise's
variance is integrated out (regression.py), which makes the predictive distribution a mixture of Student t. Anomalies
weigh less (the square of Huber's weight) and return at random, rarely, in the forecast. Whether the last few days are
outliers or a new level is a mixture too, until the days settle it. The noise may fall as the level rises (noise.py).
Days of no cost have a chance of their own (activity.py). See docs/forecast.md for the formulas and how often the ranges
held.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from . import levels, noise
from .activity import draw_active
from .history import Days, Floats
from .regression import NOISE_SCALES, Posterior, Prior, likely_enough, priors, regress

WINDOW = 91
"""Days looked at: 13 of each weekday."""
WANDER_STEP = 3
"""The level may move every so many days (and is drawn day by day in the forecast)."""
TREND = 9
"""The trend's column of the regression."""
LEAST_KNOWN = 1 / 16
"""A trend's range is at least a quarter of its prior's: from a day or two its estimate has no error, for it is 0."""
LEVEL_WIDTH, SHIFT_WIDTH = 10.0, 1.5
OUTLIER, LARGEST = 3.5, 1.6
"""A day is an outlier beyond so many standard deviations; drawn again, it is at most e^1.6 = 5 times off."""
OUTLIER_PRIOR_DAYS = 28
"""Days without an outlier that we believe to have seen before the first day."""
ENOUGH_DAYS = 28
"""Of residuals, to draw the noise from them."""
TREND_DAYS = 45
"""A trend, and the level's wandering, go on so long after the last day known, and no further."""
MONTH_DAYS = 62
"""Of so many days to come, normal noise is drawn together with the rest, which is quicker; of more, by itself."""
RECENT_DAYS, RECENT_SCORE, BEFORE_DAYS = 10, 2.0, 8
"""A new level may have begun on any of the last ten days: considered where the days since then are 2 standard errors
from the level before, of which eight days are known."""
FEW_DAYS, FEW_BEFORE = 14, 2
"""With fewer days than two weeks medians by weekday say nothing: any day after the second may have begun a level."""
HAZARD, FEW_HAZARD, RECENT_SIZE = 1 / 10, 1 / 40, 0.6
"""The prior chance that a level begins on a given day, where days that look like it are considered, and of each of few
days, however it looks; and the standard deviation of its size in logs."""
LEAST_CHANCE = 0.02
"""A day that is less likely to have begun a level is not drawn from."""


@dataclass(frozen=True)
class Fit:
    """A regression of the days, `residuals` in logs: the last `since` days have a level of their own (0: none has)."""

    since: int
    posterior: Posterior
    residuals: Floats
    chance: float = 1.0


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
    def _level(self) -> Floats:
        """The days' logs without what is usual for their weekday."""
        _, weekday = self._recent
        return self._logs - levels.weekday_effects(self._logs, weekday)[weekday]

    @cached_property
    def _first_look(self) -> tuple[Floats, list[int], float]:
        """Medians only: how far each day deviates, in standard deviations; where the level shifts; the noise."""
        level = self._level
        deviations = level - levels.medians(levels.windows(level, 7, 7))
        scale = max(levels.spread(deviations), 0.02)
        return deviations / scale, levels.shifts(level, scale), scale

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

    @cached_property
    def _grid(self) -> list[Prior]:
        """How days may vary: from enough days the noise's scale is known, else it is one of several."""
        enough = np.count_nonzero(~np.isnan(self._logs)) >= ENOUGH_DAYS
        noises = {self._first_look[2]: 1.0} if enough else NOISE_SCALES
        return priors(noises, len(self._logs))

    def _priors(self) -> tuple[Floats, Floats]:
        """Means and standard deviations of the coefficients in logs: (grid, k) each."""
        steps = len(np.arange(0, len(self._logs) - 1, WANDER_STEP))
        rest = len(self.shifts) + steps
        centres = [[0.0] * 8 + [prior.weekend_mean] + [0.0] * (1 + rest) for prior in self._grid]
        widths = [
            [LEVEL_WIDTH, *[prior.weekday] * 7, prior.weekend, prior.trend, *[SHIFT_WIDTH] * len(self.shifts)]
            + [prior.wander * WANDER_STEP**0.5] * steps
            for prior in self._grid
        ]
        return np.array(centres), np.array(widths)

    @cached_property
    def _known(self) -> tuple[Floats, Floats, float]:
        """Features and centred logs of the days that cost something, and their centre."""
        _, weekday = self._recent
        active = ~np.isnan(self._logs)
        day = np.arange(len(active)) - len(active) + 1
        centre = float(np.median(self._logs[active]))
        return self._features(day[active], weekday[active]), self._logs[active] - centre, centre

    @property
    def _few(self) -> bool:
        return int(np.count_nonzero(~np.isnan(self._logs))) < FEW_DAYS

    @cached_property
    def _recent_shifts(self) -> list[int]:
        """For how many days, the last one included, the level may be another: [1, 2] where it may be two days old."""
        level, shifts, scale = self._level, self.shifts, self._first_look[2]
        days = len(level)
        active = ~np.isnan(level)
        if self._few:
            return [
                n for n in range(1, min(RECENT_DAYS, days - 1) + 1) if active[-n] and active[:-n].sum() >= FEW_BEFORE
            ]
        found = []
        for since in range(1, min(RECENT_DAYS, days - 1) + 1):
            past, recent = level[max(0, days - since - levels.SHIFT_WINDOW) : days - since], level[days - since :]
            if np.isnan(recent[0]) or np.count_nonzero(~np.isnan(level[: days - since])) < BEFORE_DAYS:
                continue
            if np.isnan(past).all() or any(abs(1 - since - at) < levels.SHIFT_DAYS for at in shifts):
                continue
            apart = abs(np.nanmedian(recent) - np.nanmedian(past)) / scale
            if apart * np.count_nonzero(~np.isnan(recent)) ** 0.5 > RECENT_SCORE:
                found.append(since)
        return found

    @cached_property
    def _fits(self) -> list[Fit]:
        """No new level in the last days, and one on each day on which it may have begun; their chances add up to 1."""
        fits = [self._fit(since) for since in (0, *self._recent_shifts)]
        hazard = FEW_HAZARD if self._few else HAZARD
        evidence = np.array([fit.posterior.evidence + np.log(hazard if fit.since else 1.0) for fit in fits])
        chances = likely_enough(np.exp(evidence - evidence.max()), LEAST_CHANCE)
        return [replace(fit, chance=chance) for fit, chance in zip(fits, chances, strict=True)]

    @property
    def _fitted(self) -> Fit:
        """The likeliest of them."""
        return max(self._fits, key=lambda fit: fit.chance)

    @cached_property
    def _usual_logs(self) -> Floats:
        """What is usual on each of the days that cost something, by medians: the level around it and its weekday."""
        usual = self._logs - self._first_look[0] * self._first_look[2]
        return usual[~np.isnan(self._logs)]

    @cached_property
    def _noise_power(self) -> float:
        """By what power of the level the noise's variance falls (noise.py); few days do not show it."""
        usual, scores = self._usual_logs, self._first_look[0][~np.isnan(self._logs)]
        return noise.power(scores, usual) if len(usual) >= ENOUGH_DAYS else 0.0

    def _precision(self, usual: Floats) -> Floats:
        """How many times as precise days of these levels, in logs, are as the newest week's: (days,)."""
        return noise.precision(usual - self._usual_logs[-7:].mean(), self._noise_power)

    def _fit(self, since: int) -> Fit:
        """Regress the days, anomalies weighing less; the last `since` days have a level of their own."""
        features, logs, _ = self._known
        deviations = self._first_look[0][~np.isnan(self._logs)]
        centres, widths = self._priors()
        if len(logs) < 8:
            deviations = np.zeros(len(logs))
        if since:
            recent = (np.arange(len(self._logs)) >= len(self._logs) - since)[~np.isnan(self._logs)]
            deviations = np.where(recent, 0, deviations)
            features = _with_level(features, recent)
            widths = np.hstack([widths, np.full((len(widths), 1), RECENT_SIZE)])
            centres = np.hstack([centres, np.zeros((len(centres), 1))])
        precision = self._precision(self._usual_logs)
        weights = np.zeros(len(logs))
        for _ in range(3):
            before, weights = weights, np.minimum(1.0, (2.5 / np.maximum(np.abs(deviations), 1e-9)) ** 2)
            if (weights == before).all():
                break
            posterior = regress(features, logs, weights * precision, self._grid, centres, widths)
            residuals = (logs - features @ posterior.mean[posterior.best]) * precision**0.5
            if len(logs) >= 8:
                deviations = residuals / posterior.noise
        return Fit(since, posterior, residuals)

    @cached_property
    def outliers(self) -> Floats:
        """How far, in logs, the anomalies of the past lay off."""
        fit = self._fitted
        off = fit.residuals[np.abs(fit.residuals) > OUTLIER * fit.posterior.noise]
        return np.clip(off, -LARGEST, LARGEST) if len(fit.residuals) >= 8 else off[:0]

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
        known = (self.first + np.arange(self._window[0], len(self.costs))) % 7  # a silence after the window counts too
        return costs * draw_active(self.costs[self._window[0] :], known, weekday, trials, rng)

    def _draw_logs(self, features: Floats, trials: int, rng: np.random.Generator) -> Floats:
        counts = rng.multinomial(trials, [fit.chance for fit in self._fits])
        drawn = [self._draw_fit(fit, features, count, rng) for fit, count in zip(self._fits, counts, strict=True)]
        return rng.permutation(np.vstack(drawn))

    def _draw_fit(self, fit: Fit, features: Floats, trials: int, rng: np.random.Generator) -> Floats:
        """Logs of the days to come by one of the fits: (trials, days)."""
        posterior, days = fit.posterior, len(features)
        if fit.since:
            features = _with_level(features, np.ones(days, dtype=np.bool_))
        drawn = np.empty((trials, days))
        apart = days > MONTH_DAYS or (len(self._usual) >= ENOUGH_DAYS and bool(self._usual.any()))
        start = 0
        for grid, count in enumerate(rng.multinomial(trials, posterior.weights)):
            if not count:
                continue
            part = drawn[start : start + count]
            size = np.sqrt(posterior.rate[grid] / rng.standard_gamma(posterior.shape, count))[:, None]
            usual = features @ posterior.mean[grid]
            louder = self._precision(usual + self._known[2]) ** -0.5
            spread = _spread(features, posterior.cholesky[grid], self._grid[grid], None if apart else louder)
            np.matmul(rng.standard_normal((count, len(spread))), spread, out=part)
            if apart:
                part += self._draw_noise((count, days), rng) * louder
            part *= size
            part += usual
            start += count
        return drawn

    def _draw_noise(self, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
        """Noise of mean square 1: the past days' own, outliers left out, where they are enough, else normal.

        Their skew is what makes the mean of costs right (Duan's smearing estimate, 1983).
        """
        usual = self._usual
        if len(usual) < ENOUGH_DAYS or not usual.any():  # every day cost the same
            return rng.standard_normal(shape)
        size = np.sqrt(np.mean(usual**2))
        return rng.choice(usual / size, shape) if size > 0 else np.zeros(shape)  # days may be all alike

    @cached_property
    def _usual(self) -> Floats:
        """The past days' residuals, outliers left out."""
        fit = self._fitted
        return fit.residuals[np.abs(fit.residuals) <= OUTLIER * fit.posterior.noise]


def draw_days(known: Days, ahead: int, trials: int, rng: np.random.Generator) -> Floats:
    """Costs of the `ahead` days after the known ones, USD: (trials, ahead)."""
    return Model(known.costs, known.first.weekday()).draw(ahead, trials, rng)


def _spread(features: Floats, cholesky: Floats, prior: Prior, noise: Floats | None) -> Floats:
    """Standard normal numbers times this (rows, days) are how far days to come may be off, in logs over the noise.

    By the coefficients, by wandering on, and by normal `noise` of this size (days,) where it is given. Of the trend,
    this is the error of its estimate and not the posterior's spread: where few days leave the trend to its prior, the
    posterior's is as wide as the prior whatever the fleet does.
    """
    days = len(features)
    trend = np.zeros((len(cholesky), 1))
    trend[TREND] = 1
    solved = np.linalg.solve(cholesky, np.hstack([features.T, trend]))  # (k, days + 1): its Gram matrix is the variance
    upper, pull = solved[:, :-1], solved[:, -1]
    variance = float(pull @ pull)
    kept = max(1 - variance * (prior.noise / prior.trend) ** 2, LEAST_KNOWN) ** 0.5
    upper -= (1 - kept) / variance * np.outer(pull, pull @ upper)
    wander = np.triu(np.full((min(days, TREND_DAYS), days), prior.wander / prior.noise))
    rows = np.vstack([upper, wander] if noise is None else [upper, wander, np.diag(noise)])
    return rows if len(rows) <= days else np.asarray(np.linalg.qr(rows, mode="r"), np.float64)


def _with_level(features: Floats, days: NDArray[np.bool_]) -> Floats:
    """The regression's columns and one more: the level of these days."""
    return np.hstack([features, days[:, None].astype(np.float64)])
