"""vLLM's metrics page, as scraped: counters since the server began, one scrape a file or several one after the other.

https://docs.vllm.ai/en/latest/usage/metrics.html: `vllm:prompt_tokens_total` includes hits of the prefix cache, which
`vllm:prompt_tokens_by_source_total` (or `vllm:prefix_cache_hits_total`) separates; series of engines add up. A scrape
is a state: of one server's run the largest counts, so that a later scrape replaces an earlier one and the difference is
what was used between. A run is known by `process_start_time_seconds` or the counters' `_created`; within a file, by a
counter that falls. The page states no time: it counts at the file's date, and one scrape alone as all since the start.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..reader import Reader, Sample
from .counts import count_in_text

SERIES = re.compile(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})? +(\S+)")
LABEL = re.compile(r'(?<!\w)(\w++)="((?:[^"\\]++|\\.)*+)"')  # a word's other characters begin none
COUNTERS = {
    "vllm:prompt_tokens_total": "prompt",
    "vllm:generation_tokens_total": "generated",
    "vllm:request_success_total": "requests",
    "vllm:prefix_cache_hits_total": "hits",
}
BY_SOURCE = "vllm:prompt_tokens_by_source_total"
CREATED = "vllm:generation_tokens_created"

State = dict[str, dict[str, float]]
"""Model to counter to value."""


def unfold(content: Path, _: Path) -> Iterator[dict[str, Any]]:
    """The last state of every run of the server that the file shows, a record for each model."""
    run, before, start = 0, State(), ""
    for start_now, state in _scrapes(content):
        fell = any(value < before.get(m, {}).get(n, 0) for m, values in state.items() for n, value in values.items())
        if before and (fell or start_now != start):
            yield from _records(before, start, run)
            run += 1
        before, start = state, start_now
    yield from _records(before, start, run)


def _scrapes(content: Path) -> Iterator[tuple[str, State]]:
    """Each scrape with the start of its run: a series that stands there again begins another."""
    start, state, seen = "", defaultdict[str, dict[str, float]](lambda: defaultdict(float)), set[str]()
    with content.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found = SERIES.match(line)
            if not found:
                continue
            name, labels, value = found.groups()
            if (key := f"{name}{{{labels}}}") in seen:
                yield start, dict(state)
                start, seen = "", set()
                state = defaultdict(lambda: defaultdict(float))
            seen.add(key)
            labelled = dict(LABEL.findall(labels or ""))
            if name == "process_start_time_seconds" or (name == CREATED and not start):
                start = value
            counter = (
                "hits_by_source" if name == BY_SOURCE and "cache" in labelled.get("source", "") else COUNTERS.get(name)
            )
            if counter:
                state[labelled.get("model_name", "")][counter] += _finite(value)
    yield start, dict(state)


def _finite(value: str) -> float:
    """A counter's value. Raises ValueError for what is none."""
    if not math.isfinite(number := float(value)):
        raise ValueError(value)
    return number


def _records(state: State, start: str, run: int) -> Iterator[dict[str, Any]]:
    for model, values in state.items():
        cached = values.get("hits_by_source", values.get("hits", 0))
        counts = {name: round(values.get(name, 0)) for name in ("prompt", "generated", "requests")}
        yield {"model": model, "start": start, "run": run, "cached": round(cached), **counts}


SQL = f"""
SELECT record.file_id, line,
    concat_ws(':', 'vllm', model, coalesce(nullif(start, ''), 'run ' || run)) AS event_id,
    modified AS ts,
    model,
    TRUE AS aggregated,
    {count_in_text("prompt")} - {count_in_text("cached")} AS input,
    {count_in_text("cached")} AS cache_read,
    {count_in_text("generated")} AS output,
    {count_in_text("requests")} AS request,
    json_object('server', 'vllm', 'time_from', 'the file',
        'since', coalesce(nullif(start, ''), 'the server began')) AS tags
FROM record JOIN file_time USING (file_id)
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """A page of metrics with vLLM's names."""
    return bool(re.search(r"^(# (HELP|TYPE) )?vllm:\w+", sample.head, re.MULTILINE))


READER = Reader(
    name="vllm",
    origin="provider",
    doc="https://docs.vllm.ai/en/latest/usage/metrics.html",
    columns=dict.fromkeys(("model", "start", "run", "prompt", "cached", "generated", "requests"), "VARCHAR"),
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    unfold=unfold,
    counted=("prompt", "cached", "generated", "requests"),
    unique_by="the model and the run of its server; the largest state counts",
    kept_at="curl HOST:8000/metrics, twice or more",
    no_call="no difference: usage is that of two scrapes",
    sample="made: two scrapes and a restart",
    undercounts="what was used between the last scrape and a restart",
)
