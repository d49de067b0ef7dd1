"""The SQL that groups priced sums as a query asks, with the most expensive groups apart and the rest as `others`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...tokens import TOKEN_SUM
from .query import OTHERS, OWNERS, TIMES, UNATTRIBUTED, Query, key_of, met

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TOP = """
CREATE OR REPLACE TEMP TABLE top_group AS
SELECT {keys} FROM (SELECT {selected}, usd, {tokens} AS tokens FROM {relation} WHERE {where})
WHERE {named} GROUP BY ALL ORDER BY sum(usd) DESC NULLS LAST, sum(tokens) DESC, {keys} LIMIT {top}
"""


def select_groups(query: Query, what: str) -> str:
    """The SQL of the groups: `key_0`, `key_1` and so on, then `what`, aggregates with one named `unpriced`.

    Groups with something unpriced come first, then by their keys; those of `query.top` by their cost within each time.
    Run `keep_top` first where there is a `top`.
    """
    keys = [f"key_{n}" for n in range(len(query.by))]
    listed = "".join(f"{key}, " for key in keys)
    if not query.by:
        return f"SELECT {what} FROM {_relation(query)} WHERE {_where(query)}"  # noqa: S608 (names of ours)
    groups = f"GROUP BY {', '.join(keys)} ORDER BY {_order(query, keys)}"
    return f"SELECT {listed}{what} FROM ({keyed(query)}) {groups}"  # noqa: S608 (as above)


def keep_top(connection: DuckDBPyConnection, query: Query) -> None:
    """Fill `top_group` with the keys of the most expensive groups, but those that are unattributed altogether."""
    keys, relation = _ranked(query), _relation(query)
    selected = ", ".join(f"{key_of(query.by[n])} AS key_{n}" for n in keys)
    tokens = "tokens" if query.needs_classes else TOKEN_SUM
    named = " OR ".join(f"key_{n} <> '{UNATTRIBUTED}'" for n in keys)
    sql = TOP.format(
        keys=", ".join(f"key_{n}" for n in keys), selected=selected, tokens=tokens, relation=relation,
        where=_where(query), named=named, top=int(query.top or 0),
    )  # fmt: skip
    connection.execute(sql)


def _relation(query: Query) -> str:
    return "cell" if query.needs_classes else "priced"


def _where(query: Query) -> str:
    return met(query.where, ["class"])


def _ranked(query: Query) -> list[int]:
    """The places of the keys that are ranked: all but those of time, or those where there are no others."""
    return [n for n, name in enumerate(query.by) if name not in TIMES] or [*range(len(query.by))]


def keyed(query: Query) -> str:
    """The SQL of the priced rows, or cells, that the query counts, with their keys."""
    keys = "".join(f", {key_of(name)} AS key_{n}" for n, name in enumerate(query.by))
    sql = f"SELECT * {keys} FROM {_relation(query)} WHERE {_where(query)}"  # noqa: S608 (as above)
    if not query.top or not query.by:
        return sql
    ranked = _ranked(query)
    in_top = f"({', '.join(f'key_{n}' for n in ranked)}) IN (FROM top_group)"
    folded = ", ".join(f"{_folded(n, query.by[n], in_top)} AS key_{n}" for n in ranked)
    return f"SELECT * REPLACE ({folded}) FROM ({sql})"  # noqa: S608 (as above)


def _folded(number: int, name: str, in_top: str) -> str:
    keeps = f"{in_top} OR key_{number} = '{UNATTRIBUTED}'" if name not in TIMES and _owned(name) else in_top
    return f"CASE WHEN {keeps} THEN key_{number} ELSE '{OTHERS}' END"


def _owned(name: str) -> bool:
    return name in OWNERS or name.startswith("tags.")


def _order(query: Query, keys: list[str]) -> str:
    if not query.top:
        return ", ".join(["unpriced = 0", *keys])
    ranked = _ranked(query)
    times = [key for n, key in enumerate(keys) if n not in ranked]
    others = [f"key_{n} = '{OTHERS}'" for n in ranked]
    return ", ".join([*times, *others, "sum(usd) DESC NULLS LAST", *keys])
