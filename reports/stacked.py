"""Tables of a page as stacked rows on a narrow screen: each cell carries the heading of its column.

A table of many columns is marked: without scripts, which see what is too wide, it is stacked on tablets too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
HEAD = re.compile(r"<thead.*?</thead>", re.DOTALL)
ROW = re.compile(r"<tr.*?</tr>", re.DOTALL)
CELL = re.compile(r"<(t[dh])((?: [^>]*)?)>(.*?)</\1>", re.DOTALL)
SPAN = re.compile(r' colspan="(\d+)"')
TAG = re.compile(r"<[^>]*>")


MANY = 7
"""Columns from which on a table is too wide for a tablet."""


def label_cells(page: str) -> str:
    """The page with `data-label` at every cell of a table's body that has a heading; report.css shows it on phones.

    `page` is made by our templates: what users name is escaped in it, and no table stands in another.
    """
    return TABLE.sub(lambda table: _labelled(table[0]), page)


def _labelled(table: str) -> str:
    head = HEAD.search(table)
    if head is None:
        return table
    labels = _labels(head[0])
    marked = table[: head.end()] if len(labels) < MANY else _many(table[: head.end()])
    return marked + ROW.sub(lambda row: _row(row[0], labels), table[head.end() :])


def _many(start: str) -> str:
    """The table's beginning with the class `many`."""
    tag, rest = start.split(">", 1)
    return f'{tag[:-1]} many">{rest}' if tag.endswith('"') else f'{tag} class="many">{rest}'


def _labels(head: str) -> list[str]:
    """The heading of each column: that of its group, if any, before its own."""
    rows = [[text for text, width in _cells(row) for _ in range(width)] for row in ROW.findall(head)]
    return [": ".join(filter(None, column)) for column in zip(*rows, strict=False)]


def _cells(row: str) -> Iterator[tuple[str, int]]:
    """Each cell's text and how many columns it spans."""
    for _, attributes, content in CELL.findall(row):
        span = SPAN.search(attributes)
        yield TAG.sub("", content).strip(), int(span[1]) if span else 1


def _row(row: str, labels: list[str]) -> str:
    """The row with a label at each `td`; a cell over several columns has none, nor has an empty one."""
    column = 0

    def labelled(cell: re.Match[str]) -> str:
        nonlocal column
        kind, attributes, content = cell.groups()
        span = SPAN.search(attributes)
        label = labels[column] if column < len(labels) and not span else ""
        column += int(span[1]) if span else 1
        if kind == "th" or not label or not content:
            return cell[0]
        return f'<td{attributes} data-label="{label}">{content}</td>'

    return CELL.sub(labelled, row)
