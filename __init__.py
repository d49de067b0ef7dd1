"""costsim: what a fleet of LLM agents will cost, what it did cost, and which routing would have been cheaper.

    import costsim
    from datetime import date
    from pathlib import Path

    fleet = costsim.read_architecture(Path("architecture.yaml"))
    projection = costsim.project(fleet, costsim.Settings(date(2026, 12, 1)))
    with costsim.open_store(Path("costsim.duckdb")) as store:
        store.load(["logs"])
        spend = store.spend(by=("model",))

The names of `__all__` are the public API; everything else is private to the package and may change. A name is loaded
where it is first used, so that `import costsim` costs next to nothing. Money is USD as `Decimal`, days are UTC days
unless a time zone is named, and every error that is raised on purpose is a `CostsimError` of one clear line.
"""

from __future__ import annotations

from .version import __version__ as __version__

TYPE_CHECKING = False  # to type checkers it is true; importing typing would cost more than all else here
if TYPE_CHECKING:
    from typing import Any

    from .analysis.architecture.load import read_architecture
    from .analysis.architecture.model import Architecture
    from .analysis.budgets.results import CheckResult
    from .analysis.compare.results import ArchitectureDifference
    from .analysis.findings import Finding
    from .analysis.forecast.results import MonthForecast
    from .analysis.lint import lint
    from .analysis.projection import Projection
    from .analysis.reconcile.results import Reconciliation
    from .analysis.replay.results import Replay
    from .analysis.review.results import Review
    from .analysis.routing.routing import RouteDecision
    from .analysis.simulation.run import project
    from .analysis.simulation.settings import Settings
    from .analysis.spend.spend import Spend
    from .api import check, diff, forecast, reconcile, route
    from .errors import CostsimError
    from .pricing.book import PriceBook, open_book
    from .pricing.queries import list_prices
    from .store import Store, open_store
    from .usage.report import LoadReport

__all__ = [
    "Architecture",
    "ArchitectureDifference",
    "CheckResult",
    "CostsimError",
    "Finding",
    "LoadReport",
    "MonthForecast",
    "PriceBook",
    "Projection",
    "Reconciliation",
    "Replay",
    "Review",
    "RouteDecision",
    "Settings",
    "Spend",
    "Store",
    "check",
    "diff",
    "forecast",
    "lint",
    "list_prices",
    "open_book",
    "open_store",
    "project",
    "read_architecture",
    "reconcile",
    "route",
]

_MODULES = {
    "Architecture": "analysis.architecture.model",
    "ArchitectureDifference": "analysis.compare.results",
    "CheckResult": "analysis.budgets.results",
    "CostsimError": "errors",
    "Finding": "analysis.findings",
    "LoadReport": "usage.report",
    "MonthForecast": "analysis.forecast.results",
    "PriceBook": "pricing.book",
    "Projection": "analysis.projection",
    "Reconciliation": "analysis.reconcile.results",
    "Replay": "analysis.replay.results",
    "Review": "analysis.review.results",
    "RouteDecision": "analysis.routing.routing",
    "Settings": "analysis.simulation.settings",
    "Spend": "analysis.spend.spend",
    "Store": "store",
    "check": "api",
    "diff": "api",
    "forecast": "api",
    "lint": "analysis.lint",
    "list_prices": "pricing.queries",
    "open_book": "pricing.book",
    "open_store": "store",
    "project": "analysis.simulation.run",
    "read_architecture": "analysis.architecture.load",
    "reconcile": "api",
    "route": "api",
}
"""Where each public name lives."""


def __getattr__(name: str) -> Any:
    """A public name, loaded where it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
