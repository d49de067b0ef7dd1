"""The profile of a component whose tokens are a log's: whole sessions where the log has them, else single calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ArchitectureError
from ...usage.sample import LoggedCalls, file_calls, store_calls
from ..architecture.component import Component, FromUsage
from .profiles import Joint
from .sessions.measured import LoggedSessions

if TYPE_CHECKING:
    from ...usage.sample import Opened


def measured(component: Component, source: FromUsage, opened: Opened) -> Joint | LoggedSessions:
    """What the component's runs draw from; `opened` opens a store.

    Raises ArchitectureError, UsageLogError, StoreError.
    """
    calls = _calls(source, opened)
    if source.by == "session" and calls.session is None:
        raise ArchitectureError(
            f"component {component.name!r}: from_usage has by: session, but no call of the log has a session; map one "
            "(columns: {session: …}), or say by: call"
        )
    by_call = source.by == "call" or (source.by is None and component.stated & OF_CALLS)
    if calls.session is None or by_call:
        return Joint(calls.classes, calls.rows)
    return LoggedSessions(calls.classes, calls.rows, calls.session)


OF_CALLS = frozenset({"cache", "batch_with"})
"""Policies of single calls: a component that states one draws single calls, where it does not say otherwise."""


def _calls(source: FromUsage, opened: Opened) -> LoggedCalls:
    if source.file:
        return file_calls(source.file, source.columns, source.input_includes_cached)
    assert source.store is not None  # noqa: S101 (the file has one of the two)
    where = {str(name): value for name, value in source.where.items()}
    return store_calls(opened, source.store, where, source.since, source.until)
