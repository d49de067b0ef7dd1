"""One colour for each plan, component, model and agent: in every chart, legend and table of a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..analysis.grouping import by_cost, fold, ranked
from .theme import CSS, Theme

if TYPE_CHECKING:
    from ..analysis.projection import ComponentCost, Projection
    from ..analysis.review.results import Where


@dataclass(frozen=True)
class Things:
    """The things of one kind: `names` as legends show them, in order, and the name of the others added up, if any."""

    names: list[str]
    folded: str
    colours: dict[str, str]
    label: Callable[[str], str] = str

    def colour(self, name: str) -> str:
        """The colour of a thing; that of the rest where it is added up with others, none where it is in no chart."""
        return self.colours.get(self.label(name), "")

    def scale(self, alt: Any) -> Any:
        """Names to colours, for a chart."""
        return alt.Scale(domain=self.names, range=[self.colours[name] for name in self.names])


@dataclass(frozen=True)
class Colours:
    """The things of a page, by kind."""

    plans: Things
    parts: Things
    models: Things
    agents: Things


def of_projection(projection: Projection, theme: Theme = CSS) -> Colours:
    """Plans in their order; components, models and agents by the most that they cost in any plan."""
    plans, short = projection.plans, model_label(projection)
    return Colours(
        _things([plan.name for plan in plans], theme.plans, theme, "plans"),
        _things(ranked(plans, lambda row: row.name), theme.parts, theme, "components"),
        _things(ranked(plans, lambda row: short(row.model)), theme.models, theme, "models", short),
        _things(ranked(plans, agent_of), theme.agents, theme, "agents"),
    )


def of_month(where: Where, theme: Theme = CSS) -> Colours:
    """Components, models and agents by what they cost: components in both months, as the chart of days shows them."""
    parts = by_cost((d.component, d.usd) for d in where.days)
    models = by_cost((last_part(cell.model), cell.usd) for cell in where.cells)
    return Colours(
        _things([], theme.plans, theme, "plans"),
        _things(parts, theme.parts, theme, "components"),
        _things(models, theme.models, theme, "models", last_part),
        _things([], theme.agents, theme, "agents"),
    )


def model_label(projection: Projection) -> Callable[[str], str]:
    """How a model is called in charts: without its provider where that leaves no doubt."""
    models = {row.model for plan in projection.plans for row in plan.components}
    return str if len(set(map(last_part, models))) < len(models) else last_part


def agent_of(row: ComponentCost) -> str:
    """The agent of a component, in words where it has none (a subscription)."""
    return row.agent or "no agent"


def last_part(model: str) -> str:
    """A model without its provider."""
    return model.rpartition("/")[2]


def _things(
    names: Sequence[str], colours: Sequence[str], theme: Theme, kind: str, label: Callable[[str], str] = str
) -> Things:
    shown, folded = fold(list(names), len(colours), kind)
    own = dict(zip((name for name in shown if name != folded), colours, strict=False))
    rest = dict.fromkeys((*names, *shown), theme.rest)
    return Things(shown, folded, rest | own, label)
