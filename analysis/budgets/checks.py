"""What a check looks at besides budgets: prices, routing, claims, and whether every log could be read."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ...documents import Document, dotted
from ...money import format_amount
from ...yaml_nodes import KeyPath
from ..findings import Finding, Status, shown_path
from ..lint.architecture import lint_costed
from ..lint.routing import NO_PRICE
from ..simulation.baseline import most_expensive_model
from ..simulation.claims import check as check_claims
from ..simulation.plans import plans_of
from ..simulation.provenance import unpriced
from ..simulation.run import claim_costs

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection

    from ..architecture.load import LoadedArchitecture
    from ..architecture.model import Claim
    from ..projection import ClaimResult
    from ..spend.ledger import Ledger
    from .projected import Projected
    from .rejects import Rejects
    from .spent import Usage

MAX_NAMED = 3


def unpriced_models(projected: Projected, loaded: LoadedArchitecture) -> list[Finding]:
    """A failure for every model that the routing uses and no book prices; one pass where there is none."""
    plan = projected.plan
    costings = {(plan.name, name): projected.costs.planned(name, plan) for name in plan.models}
    lacking = unpriced([plan], costings)
    if not lacking:
        return [Finding(rule="unpriced-model", name="prices", status="pass", message="every model has a price")]
    return [
        _at(
            loaded.document, loaded.place_of(entry.components[0]) or (), rule="unpriced-model", name=entry.model,
            status="fail", message=f"{entry.reason} for {entry.model}, which {_named(entry.components)} runs on: "
            "its cost is in no figure",
            fix="Correct the model's name, or add its price to a prices.yaml overlay.",
        )
        for entry in lacking
    ]  # fmt: skip


def routing_errors(projected: Projected, loaded: LoadedArchitecture, known_unpriced: Collection[str]) -> list[Finding]:
    """The linter's errors as failures and its warnings as warnings; one pass where there is neither.

    Models without a price that are reported already are not repeated.
    """
    known = {repr(name) for name in known_unpriced}
    found = [
        finding
        for finding in lint_costed(projected.costs, loaded)
        if finding.status in ("fail", "warn")
        and not (finding.rule == "unpriced-model" and _unpriced_in(finding.message) in known)
    ]
    if not found:
        return [Finding(rule="routing", name="routing", status="pass", message="the routing has no errors")]
    return [_linted(finding, loaded.document) for finding in found]


def _unpriced_in(message: str) -> str:
    """The model, in quotes, of the linter's `'lab/none' has no price in …` or `scout: 'lab/none' has …`."""
    said = message.partition(NO_PRICE)[0]
    return said[-1:] + said.rpartition(f": {said[-1:]}")[2].removeprefix(said[-1:])


def _linted(finding: Finding, document: Document) -> Finding:
    file = finding.file
    changed = {
        "rule": "routing",
        "name": finding.subject,
        "message": f"{finding.message} [{finding.rule}]",
        "file": file if file is None or file == document.file else Path(shown_path(file)),
    }
    return finding.model_copy(update=changed)


def broken_claims(projected: Projected, loaded: LoadedArchitecture) -> list[Finding]:
    """Every claim at each of its books: whether it holds."""
    costs, architecture = projected.costs, projected.costs.architecture
    if not architecture.claims:
        return []
    naive = most_expensive_model(architecture, costs) if any(map(_is_of_naive, architecture.claims)) else ""
    costs_of_claims = claim_costs(plans_of(architecture, naive or next(iter(projected.plan.models.values()))), costs)
    return [
        _claimed(claim, result, ("claims", n), loaded.document)
        for n, claim in enumerate(architecture.claims)
        for result in check_claims([claim], costs_of_claims, costs.run_book)
    ]


def _is_of_naive(claim: Claim) -> bool:
    named = [claim.plan_ratio.plan, claim.plan_ratio.to] if claim.plan_ratio else []
    return "naive" in [*named, *([claim.daily_usd.plan] if claim.daily_usd else [])]


def _claimed(claim: Claim, result: ClaimResult, path: KeyPath, document: Document) -> Finding:
    status: Status = "pass" if result.holds else claim.severity
    if result.computed is None:
        message = f"nobody knows: {result.note}"
    else:
        usd = result.unit == "usd_per_day"
        computed = format_amount(result.computed) if usd else f"{float(result.computed):.4g}"
        word = "holds" if result.holds else "does not hold"
        message = f"{word}: it is {computed}, stated is {result.stated}"
    fix = "" if result.holds else "Correct the claim, or let it warn only: severity: warn."
    return _at(
        document, path, rule="claim", name=f"{claim.says} (at {result.book})", status=status, message=message, fix=fix
    )  # fmt: skip


def unpriced_usage(usage: Usage) -> list[Finding]:
    """A failure for every model that the month's logs name and no book prices; one pass where there is none."""
    if not usage.unpriced:
        return [
            Finding(
                rule="unpriced-model", name="logged prices", status="pass", message="every logged model has a price"
            )
        ]
    return [
        Finding(
            rule="unpriced-model", name=entry.model, status="fail",
            message=f"no price for {entry.model}, logged by {_named(entry.components)}: {entry.tokens:,} tokens of "
            "the month are in no figure",
            fix="Add the model to a prices.yaml overlay.",
        )
        for entry in usage.unpriced
    ]  # fmt: skip


def overlaps(ledger: Ledger, month: date, as_of: date) -> list[Finding]:
    """A warning for every two sources that may have the same calls of the month: what is spent may be less."""
    from ..spend.sources import sources_of  # loads DuckDB: not for a check without usage

    return [
        Finding(
            rule="overlap", name=f"{found.source} and {found.other}", status="warn", message=found.statement,
            fix=f"{found.choice}.",
        )
        for found in sources_of(ledger, month, as_of).overlaps
    ]  # fmt: skip


def rejected_lines(connection: DuckDBPyConnection, allowed: Rejects) -> Finding:
    """Whether more log lines were refused than are allowed: each may be a call whose cost is missing."""
    from .spent import ENTRIES, REJECTED

    files = connection.execute(REJECTED).fetchall()
    (entries,) = connection.execute(ENTRIES).fetchone() or (0,)
    rejected = sum(row[1] for row in files)
    limit = allowed.allowed(entries)
    message = f"{rejected:,} of {entries:,} log lines could not be read; {limit:,} may be so"
    if rejected <= limit:
        return Finding(rule="rejected-lines", name="log lines", status="pass", message=message)
    path, count, _, line = max(files, key=lambda row: row[1])
    return Finding(
        rule="rejected-lines", name="log lines", status="fail", message=f"{message}; {count:,} of them in {path}",
        fix="Fix the lines (the store's table reject says what is wrong), or allow them: --max-rejected.",
        file=path, line=line,
    )  # fmt: skip


def _at(document: Document, path: KeyPath, **verdict: object) -> Finding:
    return Finding.model_validate(
        {**verdict, "file": document.file, "line": document.line(path), "key": dotted(path) or None}
    )


def _named(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:MAX_NAMED])
    return f"{shown} and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else shown
