"""The engine that `--engine` names."""

from __future__ import annotations

from ...documents import nearest
from ...errors import CostsimError
from .engine import Engine

ENGINES = ("local", "spark", "clickhouse://HOST/DATABASE", "postgresql://HOST/DATABASE")
ALSO = {"postgres": "postgresql", "clickhouses": "clickhouse"}
"""Other spellings of a kind of address, and the one that is shown."""


def engine_of(name: str, source: str) -> Engine:
    """The engine that `--engine` names, over a source. Raises CostsimError with those there are."""
    kind = name.partition("://")[0]
    if name == "local":
        from .local import Local

        return Local.open(source)
    if name == "spark":
        from .spark import Spark

        return Spark.open(source)
    if kind in ("clickhouse", "clickhouses") and "://" in name:
        from .clickhouse import ClickHouse

        return ClickHouse.connect(name, source)
    if kind in ("postgresql", "postgres") and "://" in name:
        from .postgres import Postgres

        return Postgres.connect(name, source)
    address = next((known for known in ENGINES if known.partition("://")[0] == ALSO.get(name, name)), None)
    if address:
        raise CostsimError(f"--engine {name} needs its address: {address}")
    near = nearest(kind, [known.partition("://")[0] for known in ENGINES])
    raise CostsimError(f"there is no engine {name!r}{near}: {', '.join(ENGINES)}")
