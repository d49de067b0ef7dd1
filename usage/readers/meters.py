"""SQL for what a bill's row counts: the class of tokens that a meter's name means, and tokens from a quantity.

A unit that says no number of tokens gives none: the row keeps its cost, and no count is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...tokens import BILLED_TOKENS
from ..reader import identifier

TOO_MANY = 10**15
"""A count that the loader refuses, in a BIGINT still."""


def token_class(name: str) -> str:
    """SQL for the class that a meter's name (SQL, VARCHAR) means; NULL where it is no count of tokens."""
    text = f"lower({name})"
    heard = f"regexp_matches({text}, '{AUDIO}') AND NOT regexp_matches({text}, '\\b(text|txt)\\b|{WRITTEN}')"
    return f"({_kind(text)}) || CASE WHEN {heard} THEN '_audio' ELSE '' END"


SAID = tuple(name for name in BILLED_TOKENS if not name.endswith("_image"))
"""The classes that a meter's name may mean; UNSAID, the others: images may be counted one by one."""
UNSAID = tuple(name for name in BILLED_TOKENS if name not in SAID)
WRITTEN = "cache.?write|cache.?creation"
_SPOKEN = "(audio|aud|speech)"
AUDIO = f"(^|[ _-]){_SPOKEN}[ _-](in|out|opt|cach|cchd)|(inp|input|outp?|output|cached|cchd)[ _-]{_SPOKEN}\\b"
"""Audio beside a direction: in the name of a model it says nothing of the tokens. Images may be counted one by one."""


def _kind(text: str) -> str:
    return f"""CASE
        WHEN {text} IS NULL OR regexp_matches({text}, 'storage|hours?\\b|provisioned|custom.?model|image|request')
            THEN NULL
        WHEN regexp_matches({text}, '{WRITTEN}')
            THEN CASE WHEN regexp_matches({text}, '1.?h(r|our)?([^a-z]|input)') THEN 'cache_write_1h'
                 ELSE 'cache_write_5m' END
        WHEN regexp_matches({text}, 'cach|cchd') THEN 'cache_read'
        WHEN regexp_matches({text}, 'outp|opt\\b|completion|response') THEN 'output'
        WHEN regexp_matches({text}, 'inp|prompt') THEN 'input' END"""


def per_unit(unit: str) -> str:
    """SQL for the tokens of one unit (SQL, VARCHAR): `Tokens`, `1K tokens`, `1000000 Tokens`; NULL where unknown."""
    text = f"lower(trim({unit}))"
    leading = f"TRY_CAST(replace(regexp_extract({text}, '^([0-9][0-9,]*)', 1), ',', '') AS BIGINT)"
    return f"""TRY(CASE
        WHEN regexp_matches({text}, 'hour|month|day|gb|image|request') THEN NULL
        WHEN regexp_matches({text}, '^([0-9,]+ ?)?(m|mn|million)s?\\b') THEN coalesce({leading}, 1) * 1000000
        WHEN regexp_matches({text}, '^([0-9,]+ ?)?(k|thousand)s?\\b') THEN coalesce({leading}, 1) * 1000
        WHEN {leading} IS NOT NULL THEN {leading}
        WHEN regexp_matches({text}, '^(tokens?|count)$') THEN 1 END)"""


def numbers(*columns: str) -> str:
    """SQL columns: the numbers that these columns state. To read one takes long, so it is done once, for `tokens`."""
    return ", ".join(f"TRY_CAST({identifier(name)} AS DOUBLE) AS {_number(name)}" for name in columns)


def _number(column: str) -> str:
    return identifier(f"number in {column}")


def tokens(column: str, factor: str) -> str:
    """SQL for the tokens of a quantity of `numbers`, in units of so many (`per_unit`); NULL of a negative one.

    Of a quantity that no count has (infinity, 10^39), more than the loader takes. Below 10^11 a DOUBLE is off by less
    than 0.001, so the exact product, which takes far longer, is needed only where it is as near to a half.
    """
    exact = f"TRY_CAST({identifier(column)} AS DECIMAL(38, 12)) * {factor}"
    rough = f"{_number(column)} * {factor}"
    sure = f"{rough} < 1e11 AND {factor} <= 1000000000 AND abs({rough} - floor({rough}) - 0.5) > 0.001"
    return f"""CASE WHEN {rough} > {TOO_MANY} THEN {TOO_MANY}
        WHEN {_number(column)} >= 0 THEN CASE WHEN {sure} THEN round({rough})::BIGINT
            ELSE round(coalesce(TRY({exact}), {rough}))::BIGINT END END"""


def unreadable(column: str, counts: str) -> str:
    """SQL for why a row is none: it counts tokens (`counts`, SQL), and its quantity is no number (2.000,5, NaN)."""
    return f"""CASE WHEN {counts} AND {identifier(column)} IS NOT NULL
            AND NOT coalesce(isfinite({_number(column)}), FALSE)
        THEN 'a quantity that is no number' END"""


def joined(left: str, right: str, columns: Sequence[str]) -> str:
    """SQL for rows of a bill with what their meters mean, which is found out once for each; NULLs are alike."""
    alike = " AND ".join(f'{left}."{name}" IS NOT DISTINCT FROM {right}."{name}"' for name in columns)
    but = ", ".join(f'"{name}"' for name in columns)
    return f"SELECT {left}.*, {right}.* EXCLUDE ({but}) FROM {left} JOIN {right} ON {alike}"  # noqa: S608 (names)


def instant(cell: str) -> str:
    """SQL for the time that a cell states, in UTC where it names no other offset."""
    own = f"suffix({cell}, 'Z') OR regexp_matches({cell}, '[+-]\\d\\d:?\\d\\d$')"
    return f"CASE WHEN {own} THEN utc({cell}) ELSE coalesce(utc({cell} || 'Z'), utc({cell})) END"


def classes(kind: str, counted: str, names: Iterable[str] = BILLED_TOKENS) -> str:
    """SQL columns: the tokens `counted`, where a row is of that class (`kind`, SQL), else 0."""
    return ", ".join(f"CASE WHEN {kind} = '{name}' THEN coalesce({counted}, 0) ELSE 0 END AS {name}" for name in names)


def provider(name: str) -> str:
    """SQL for a cloud or vendor as the price book calls it."""
    text = f"lower({name})"
    return f"""CASE WHEN {text} IN ('aws', 'amazon', 'amazon web services', 'amazon web services, inc.') THEN 'aws'
        WHEN {text} IN ('microsoft', 'azure', 'microsoft azure', 'microsoft corporation') THEN 'azure'
        WHEN {text} IN ('google', 'google cloud', 'google cloud platform', 'gcp') THEN 'google'
        ELSE replace({text}, ' ', '-') END"""


def usd(amount: str, currency: str) -> str:
    """SQL for an amount in USD; in another currency it stays a text that the loader rejects, with the currency."""
    return f"CASE WHEN upper(coalesce({currency}, 'USD')) = 'USD' THEN {amount} ELSE {amount} || ' ' || {currency} END"
