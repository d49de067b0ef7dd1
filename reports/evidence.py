"""Evidence for people and for other programs: routers, outcomes and recommendations as tables, JSON and CSV."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..analysis.evaluation import Evaluation, RouterScore
from .numbers import usd

FORMS = {"routellm": "RouteLLM form", "routerbench": "RouterBench form"}


def print_evaluation(evaluation: Evaluation, name: str, console: Console) -> None:
    """The models by themselves, then every router: what it recovers of the gap, its mean quality over costs."""
    unit = "questions" if evaluation.form == "routellm" else "queries"
    console.print(Text(f"{name}: {evaluation.queries:,} {unit}, {FORMS[evaluation.form]}", style="bold"))
    if evaluation.form == "routellm":
        console.print("  " + "   ".join(f"{m.model} right {share(m.quality)}" for m in evaluation.models))
        columns = _pair_columns()
    else:
        console.print(_bench_models(evaluation))
        columns = _bench_columns()
    table = Table(box=None, pad_edge=True)
    table.add_column("router")
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("decides", overflow="fold")
    for router in evaluation.routers:
        table.add_row(router.router, *(show(router) for show in columns.values()), Text(router.says))
    console.print(table)


def share(part: Decimal | None) -> str:
    """A share to three decimals, as the field's tables have it: `63.734 %`; `never` where there is none."""
    return "never" if part is None else f"{part * 100:.3f} %"


def _pair_columns() -> dict[str, Callable[[RouterScore], str]]:
    return {
        "CPT(50%)": lambda router: share(router.cpt_50),
        "CPT(80%)": lambda router: share(router.cpt_80),
        "APGR": lambda router: "-" if router.apgr is None else f"{router.apgr:.4f}",
        **_bench_columns(),
    }


def _bench_columns() -> dict[str, Callable[[RouterScore], str]]:
    return {
        "AIQ": lambda router: f"{router.aiq:.4f}",
        "AIQ over zero": lambda router: f"{router.aiq_over_zero:+.4f}",
    }


def _bench_models(evaluation: Evaluation) -> Table:
    table = Table(box=None, pad_edge=True)
    table.add_column("model", overflow="fold")
    for heading in ("cost per query", "quality", "on the hull"):
        table.add_column(heading, justify="right", no_wrap=True)
    for model in sorted(evaluation.models, key=lambda m: (m.cost, m.model)):
        table.add_row(Text(model.model), usd(model.cost), f"{model.quality:.4f}", "yes" if model.on_hull else "no")
    return table
