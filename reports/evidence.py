"""Evidence for people and for other programs: routers, outcomes and recommendations as tables, JSON and CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from ..analysis.outcomes.error_rates import ErrorReport
from ..analysis.outcomes.outcomes import ModelOutcome, OutcomeChange, OutcomeReport, SuccessRate
from ..analysis.router_eval.evaluation import Evaluation, RouterScore
from ..money import format_cents, format_usd
from .fitted import Cell, Fitted, TableColumn

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
    goes = {"AIQ": 2, "AIQ over zero": 3}
    figures = [TableColumn(heading, goes=goes.get(heading, 0)) for heading in columns]
    rows = [[one.router, *(show(one) for show in columns.values()), one.message] for one in evaluation.routers]
    console.print(Fitted([TableColumn("router", "key"), *figures, TableColumn("decides", "words", goes=1)], rows))


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


def _bench_models(evaluation: Evaluation) -> Fitted:
    rows = [
        [model.model, format_usd(model.cost), f"{model.quality:.4f}", "yes" if model.on_hull else "no"]
        for model in sorted(evaluation.models, key=lambda m: (m.cost, m.model))
    ]
    return Fitted(
        [TableColumn("model", "model"), *map(TableColumn, ("cost per query", "quality", "on the hull"))], rows
    )


def print_outcomes(report: OutcomeReport, console: Console) -> None:
    """Success and cost per solved task by task and model, then what changed between the last two months."""
    if not report.models:
        console.print("There are no outcomes for those days.")
        return
    console.print(_success_table(report))
    if report.month_before and report.month_after:
        console.print(_change_table(report))
    console.print(
        f"Intervals: Wilson, {report.confidence:.0%}. Changes: Fisher's exact test, Holm-adjusted, at {report.alpha:g};"
        f" the floor is {report.min_success:.0%}."
    )
    if any(row.paid_usd is None for row in report.models):
        console.print("Cost -: some of the runs have no known cost.")


def print_error_rates(report: ErrorReport, console: Console) -> None:
    """How often logged calls failed, by task and model, and what that does not say."""
    if not report.models:
        console.print("There are no logged calls with a status for those days.")
        return
    figures = [
        TableColumn("calls", goes=2),
        TableColumn("failed", goes=1),
        TableColumn("error rate"),
        TableColumn("interval"),
    ]
    rows = [
        [row.task, row.model, f"{row.calls:,}", f"{row.failed:,}", f"{row.rate:.1%}", f"{row.low:.1%} - {row.high:.1%}"]
        for row in report.models
    ]
    console.print(
        Fitted([TableColumn("task", "key"), TableColumn("model", "model"), *figures], rows, title="Failed calls")
    )
    console.print(f"Intervals: Wilson, {report.confidence:.0%}. {report.note}", markup=False)


def _success_table(report: OutcomeReport) -> Fitted:
    scored = any(row.human_score is not None for row in report.models)
    goes = {"interval": 5, "paid": 3, "escalated": 2, "score": 1, "runs": 4}
    headings = ("runs", "success", "interval", "escalated", "paid", "per solved", *(["score"] if scored else []))
    columns = [
        TableColumn("task", "key"),
        TableColumn("model", "model"),
        *(TableColumn(h, goes=goes.get(h, 0)) for h in headings),
    ]
    models_of = Counter(row.task for row in report.models)
    rows: list[list[Cell]] = [[row.task, row.model or "", *_outcome_figures(row, scored)] for row in report.models]
    rows += [
        [Text(row.task, style="bold"), Text("all models"), *_outcome_figures(row, scored)]
        for row in report.tasks
        if models_of[row.task] > 1
    ]
    return Fitted(columns, rows, title="Outcomes")


def _outcome_figures(row: ModelOutcome, scored: bool) -> list[str]:
    score = [] if not scored else ["-" if row.human_score is None else f"{row.human_score:.2f}"]
    return [
        f"{row.success.trials:,}",
        rate(row.success),
        interval(row.success),
        f"{row.escalation_rate:.1%}",
        "-" if row.paid_usd is None else format_cents(row.paid_usd),
        "-" if row.usd_per_solved is None else format_usd(row.usd_per_solved),
        *score,
    ]


def rate(success: SuccessRate) -> str:
    """A success rate, or a dash without runs."""
    return "-" if success.rate is None else f"{success.rate:.1%}"


def interval(success: SuccessRate) -> str:
    """The interval of a success rate, or a dash without runs."""
    return f"{success.low:.1%} - {success.high:.1%}" if success.trials else "-"


def _change_table(report: OutcomeReport) -> Fitted:
    columns = [
        TableColumn("task", "key"),
        TableColumn("model", "model"),
        TableColumn("before", goes=3),
        TableColumn("after", goes=3),
        TableColumn("p", goes=1),
        TableColumn("share of runs", goes=2),
        TableColumn("verdict", "label"),
        TableColumn("used to need", "label"),
    ]
    title = f"{report.month_before:%Y-%m} to {report.month_after:%Y-%m}"
    return Fitted(columns, [_change(row) for row in report.changes], title=title)


def _change(row: OutcomeChange) -> list[Cell]:
    shares = ["-" if part is None else f"{part:.0%}" for part in (row.share_before, row.share_after)]
    return [
        row.task,
        row.model,
        f"{rate(row.before)} of {row.before.trials:,}",
        f"{rate(row.after)} of {row.after.trials:,}",
        "-" if row.p_adjusted is None else f"{row.p_adjusted:.3g}",
        " to ".join(shares),
        Text(row.verdict, style=_VERDICTS.get(row.verdict, "")),
        row.used_to_need or "" if row.verdict == "now handles it" else "",
    ]


_VERDICTS = {"now handles it": "green", "improved": "green", "no longer handles it": "bold red", "declined": "red"}
