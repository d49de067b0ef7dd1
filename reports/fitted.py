"""A table that fits the terminal: its keys are never cut, and what can be derived goes first.

Where a terminal is too narrow, in this order: models lose the provider that all of them share; columns go, those of
the lowest `goes` first; at last each row becomes a block of lines. A line under the table names what is not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..shown import MAX_LINE, MAX_NAME, one_line, shortened_line

Cell = str | Text

WORDS_NEED = 24
"""Columns that a column of words needs at least: below that, prose is a stack of single words."""
BORDERS = 3  # what a column takes beside its text: a line and two spaces


@dataclass(frozen=True)
class TableColumn:
    """`key` names a row and `model` names a model: never cut. `figure` is right-aligned. `words` may wrap.

    `goes` says when a column goes in a narrow terminal: 1 first, 0 never; those of one number go together. A column
    with `instead_of` is shown only once that one has gone.
    """

    heading: str
    kind: Literal["key", "model", "label", "figure", "words"] = "figure"
    goes: int = 0
    instead_of: str = ""


@dataclass(frozen=True)
class Fitted:
    """Rows of cells, one for each of `columns`; `total` is the last row, apart; `sections` are rows that end one.

    Printed by Rich's console, in the widest form that fits it.
    """

    columns: Sequence[TableColumn]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    total: Sequence[Cell] = ()
    sections: frozenset[int] = frozenset()
    provider: str = ""  # what has been taken off the models

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The widest form that fits `options.max_width`."""
        width = options.max_width
        whole = self._bounded()
        table = next((form for form in whole._narrower() if form._fits(width)), None)
        if table is None:
            yield from next(whole._narrower())._blocks()
            return
        if self.title:
            yield Text(self.title, style="bold")  # above the table, whose own title would wrap at its width
        yield table._drawn()
        left_out = ", ".join(whole._left_out(table))
        notes = [f"models are {table.provider}…"] if table.provider else []
        notes += [f"not shown in {width} columns: {left_out}"] if left_out else []
        if notes:
            yield Text("; ".join(notes), style="dim")

    def _bounded(self) -> Fitted:
        """With no name longer than people read, and no sentence longer than a line."""
        most = [MAX_LINE if column.kind == "words" else MAX_NAME for column in self.columns]
        columns = [replace(column, heading=_line(column.heading, MAX_NAME)) for column in self.columns]
        return replace(self, columns=columns, rows=[[*map(_short, row, most)] for row in self.rows])

    def _narrower(self) -> Iterator[Fitted]:
        """From the widest to the narrowest."""
        yield self._keeping(0)
        for gone in sorted({0, *(column.goes for column in self.columns)}):
            yield self._keeping(gone)._without_common_provider()

    def _left_out(self, shown: Fitted) -> list[str]:
        headings = {column.heading for column in shown.columns}
        return [
            column.heading
            for n, column in enumerate(self.columns)
            if column.heading and column.heading not in headings and not column.instead_of and self._says_something(n)
        ]

    def _keeping(self, gone: int) -> Fitted:
        """Without the columns that have gone, with those that stand in for them."""
        lost = {column.heading for column in self.columns if 0 < column.goes <= gone}
        stays = [
            column.heading not in lost and (not column.instead_of or column.instead_of in lost)
            for column in self.columns
        ]
        kept = [n for n, stay in enumerate(stays) if stay and self._says_something(n)]
        return replace(
            self,
            columns=[self.columns[n] for n in kept],
            rows=[[row[n] for n in kept] for row in self.rows],
            total=[self.total[n] for n in kept] if self.total else (),
        )

    def _says_something(self, n: int) -> bool:
        """A column of figures or labels without any is left out; an empty table shows all."""
        return self.columns[n].kind in ("key", "model") or not self.rows or any(_plain(row[n]) for row in self.rows)

    def _without_common_provider(self) -> Fitted:
        """Models without the provider, where all of the table have the same."""
        places = [n for n, column in enumerate(self.columns) if column.kind == "model"]
        named = [name for row in self.rows for n in places if (name := _plain(row[n])).strip()]
        providers = {name.rpartition("/")[0] for name in named}
        provider = f"{min(providers)}/" if len(providers) == 1 and all(providers) else ""
        if not provider:
            return self
        rows = [[_less(cell, provider) if n in places else cell for n, cell in enumerate(row)] for row in self.rows]
        return replace(self, rows=rows, provider=provider)

    def _fits(self, width: int) -> bool:
        return 1 + sum(self._needed(n) + BORDERS for n in range(len(self.columns))) <= width

    def _needed(self, n: int) -> int:
        """The columns that a column's text takes, or that a column of words needs at least."""
        cells = [self.columns[n].heading, *(row[n] for row in self.rows), *([self.total[n]] if self.total else [])]
        natural = max(Text(_plain(cell)).cell_len for cell in cells)
        if self.columns[n].kind != "words":
            return natural
        longest_word = max((Text(word).cell_len for cell in cells for word in _plain(cell).split()), default=0)
        return min(natural, max(longest_word, WORDS_NEED))

    def _drawn(self) -> Table:
        table = Table(show_footer=bool(self.total))
        for n, column in enumerate(self.columns):
            words = column.kind == "words"
            table.add_column(
                Text(column.heading),
                self.total[n] if self.total else "",
                justify="right" if column.kind == "figure" else "left",
                overflow="fold",
                no_wrap=not words,
            )
        for number, row in enumerate(self.rows):
            table.add_row(*(_text(cell) for cell in row), end_section=number in self.sections)
        return table

    def _blocks(self) -> Iterator[Text | Padding]:
        """A row as lines: its keys, then its figures with their names."""
        if self.title:
            yield Text(self.title, style="bold")
        for row in [*self.rows, *([self.total] if self.total else [])]:
            yield Text(" · ").join(self._of(row, ("key", "model"), named=False))
            yield Padding(
                Text(" · ").join(self._of(row, ("label", "figure", "words"), named=True)), (0, 0, 0, 2), expand=False
            )

    def _of(self, row: Sequence[Cell], kinds: tuple[str, ...], *, named: bool) -> list[Text]:
        pairs = [(c.heading, _text(cell)) for c, cell in zip(self.columns, row, strict=True) if c.kind in kinds]
        return [
            Text.assemble(f"{name} ", cell) if named and name else cell for name, cell in pairs if cell.plain.strip()
        ]


def _short(cell: Cell, most: int) -> Cell:
    """The cell on one line; of a text that is too long, its beginning and end."""
    text = _plain(cell)
    return cell if (short := _line(text, most)) == text else Text(short, _text(cell).style)


def _line(text: str, most: int) -> str:
    return shortened_line(one_line(text), most)


def _plain(cell: Cell) -> str:
    return cell.plain if isinstance(cell, Text) else cell


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def _less(cell: Cell, prefix: str) -> Cell:
    """The cell without the prefix, or as it is where it is empty; marks before a name (`> `) stay."""
    if isinstance(cell, Text):
        return cell[len(prefix) :] if cell.plain.startswith(prefix) else cell
    return cell.removeprefix(prefix)
