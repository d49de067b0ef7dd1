"""What every HTML page shares: the frame, its style and scripts, figures that stand without scripts too."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..money import format_cents, format_exact, format_range, format_usd
from .escaping import chart as bounded
from .escaping import html
from .numbers import count, percent
from .stacked import label_cells
from .theme import DARK, LIGHT
from .vega import Spec, bundle, cache_folder, drawing

if TYPE_CHECKING:
    from concurrent.futures import Future

    import altair as alt
    import jinja2
    from jinja2.bccache import Bucket

TEMPLATES = Path(__file__).parent / "templates"
STATIC_WIDTH_PX = 430
LARGE_ROWS = 200
"""From here on a chart's rows are packed in the page."""


@dataclass(frozen=True)
class Figure:
    """One chart of a page: `spec` for the scripts, `svg` for paper and for browsers without them.

    Two charts stand beside each other, unless one is to be as wide as the `whole` page. `query` is the id of the
    text that says how its figures are got, `csv` its data as a file to save; both may be empty.
    """

    id: str
    title: str
    caption: str
    spec: Spec
    drawing: Future[str]
    whole: bool = False
    query: str = ""
    csv: str = ""

    @property
    def svg(self) -> str:
        """The drawing, once it is there."""
        return self.drawing.result()


def figure(
    name: str,
    title: str,
    caption: str,
    chart: alt.LayerChart,
    *,
    rows: Mapping[str, Any] | None = None,
    whole: bool = False,
    query: str = "",
    csv: str = "",
) -> Figure:
    """A chart drawn once for paper, and as the specification that scripts draw, with `rows` in place of its own."""
    spec = spec_of(chart)
    drawn = drawing(spec, STATIC_WIDTH_PX)
    live = bounded({**spec, "datasets": {**spec["datasets"], "rows": rows}} if rows else spec)
    return Figure(name, title, caption, live, drawn, whole, query, csv)


def spec_of(chart: alt.LayerChart) -> Spec:
    """The chart as Vega-Lite; its data are not copied, as Altair would, row by row."""
    data = chart.datasets
    chart.datasets = {}
    spec = chart.to_dict(validate=False)
    chart.datasets = data
    return {**spec, "datasets": {**spec.get("datasets", {}), **data}}  # Altair names the data of single layers itself


def packed(spec: Spec) -> Spec:
    """The specification with its large datasets by column."""
    return {**spec, "datasets": {name: by_column(rows) for name, rows in spec.get("datasets", {}).items()}}


def by_column(rows: Any) -> Any:
    """Many rows of plain values as columns: each column's different values, and which of them each row has."""
    if not isinstance(rows, list) or len(rows) <= LARGE_ROWS or any(row.keys() != rows[0].keys() for row in rows):
        return rows
    return {"columns": {key: _column([row[key] for row in rows]) for key in rows[0]}}


def from_columns(columns: Mapping[str, tuple[list[Any], list[int]]]) -> list[dict[str, Any]]:
    """The rows again."""
    every = [[values[place] for place in places] for values, places in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*every, strict=True)]


def _column(values: list[Any]) -> tuple[list[Any], list[int]]:
    place = {value: n for n, value in enumerate(dict.fromkeys(values))}
    return list(place), [place[value] for value in values]


def render_page(template: str, filters: Mapping[str, Callable[..., Any]], scripts: Sequence[str], **values: Any) -> str:
    """A self-contained HTML document (text; write it as UTF-8) of a template that extends page.html.jinja.

    It makes no request: a Content-Security-Policy in the page forbids them, and allows only the page's own
    two scripts (Vega, and the templates of these names), by hash.
    """
    texts = [bundle(), "\n".join(template_text(name) for name in scripts)]
    page = _environment(filters).get_template(template).render(
        style=page_style(),
        light=LIGHT.variables(),
        dark=DARK.variables(),
        scripts=texts,
        script_hashes=[_csp_hash(script) for script in texts],
        **values,
    )  # fmt: skip
    return label_cells(page)


def page_style() -> str:
    """The style of all pages. A table is stacked on a phone, and where it does not fit (report.js)."""
    rows = template_text("stacked.css")
    when = {
        "table": " and (max-width:40rem)",
        "table.many": " and (max-width:64rem) and (scripting:none)",
        "table.stacked": "",
    }
    stacked = [f"@media screen{media}{{\n{rows.replace('TABLE', table)}}}" for table, media in when.items()]
    return "\n".join([template_text("report.css"), *stacked])


def _environment(filters: Mapping[str, Callable[..., Any]]) -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        bytecode_cache=_compiled(),
        autoescape=True,
        finalize=html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    shared: dict[str, Callable[..., Any]] = {
        "usd": format_usd, "cents_usd": format_cents, "usd_range": format_range, "exact_usd": format_exact,
        "percent": percent,
        "count": count, "day": day, "words": words, "per": per, "packed": packed,
    }  # fmt: skip
    environment.filters.update({**shared, **filters})
    return environment


def _compiled() -> jinja2.BytecodeCache | None:
    """Templates as they were compiled before, by what they are and how: that takes a third of a page's time.

    None where the cache folder cannot be made; what cannot be written there is made anew each time.
    """
    import jinja2

    class Kept(jinja2.FileSystemBytecodeCache):
        def dump_bytecode(self, bucket: Bucket) -> None:
            with suppress(OSError):
                super().dump_bytecode(bucket)

    how = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = cache_folder() / f"templates-{jinja2.__version__}-{how}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return Kept(str(folder))


def day(moment: date) -> str:
    """A date as people write it: 1 December 2026."""
    return f"{moment.day} {moment:%B %Y}"


def words(name: str) -> str:
    """An identifier as words: `cache_write_5m` is `cache write 5m`."""
    return name.replace("_", " ")


def per(units: int) -> str:
    """The unit that a price is for."""
    return _PER.get(units) or f"per {units:,}"


_PER = {1: "each", 1_000: "per thousand", 1_000_000: "per million"}


def template_text(name: str) -> str:
    """A file of the templates as it is."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _csp_hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
