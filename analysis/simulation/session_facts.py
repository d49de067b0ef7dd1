"""What a component's sessions are like, and how exactly their cost is known: facts beside the money."""

from __future__ import annotations

import math
from fractions import Fraction

from ...money import to_usd
from ..projection import SessionFacts
from .policies.calls import Costed
from .sessions.measured import Sessions


def error_percent(costed: Costed) -> float | None:
    """The stated error of its expected cost, in percent, rounded up to four places; None where it is exact."""
    error = costed.expected_error if costed.priced else 0.0
    return math.ceil(error * 1e6) / 1e4 if error else None


def session_facts(costed: Costed) -> SessionFacts | None:
    """One session of the component, on average; None where its runs are single requests."""
    profile = costed.profile
    if not isinstance(profile, Sessions):
        return None
    runs = costed.work.runs.total
    requests = sum((call.expected_calls for call in costed.calls), Fraction(0))
    return SessionFacts(
        turns=to_usd(profile.turns),
        requests=to_usd(requests / runs if runs else Fraction(0)),
        tokens={name: to_usd(amount) for name, amount in profile.mean.items()},
        largest_context_p95=round(profile.largest_context),
        cold_percent=round(100 * profile.cold_share, 2),
        compactions=round(profile.compactions, 4),
        usd_per_session=to_usd(costed.horizon_usd / runs) if runs and costed.priced else None,
    )
