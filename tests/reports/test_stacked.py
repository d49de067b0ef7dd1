"""Tables as stacked rows on a phone: every cell knows the heading of its column."""

from __future__ import annotations

import re

from costsim.reports.stacked import label_cells

PLAIN = "<table><thead><tr><th>Plan</th><th>Per day</th><th>Models</th></tr></thead><tbody>{}</tbody></table>"


def labels(row: str, table: str = PLAIN) -> list[str]:
    return re.findall(r'data-label="([^"]*)"', label_cells(table.format(row)))


def test_a_cell_has_the_heading_of_its_column_and_the_row_s_own_heading_has_none() -> None:
    assert labels('<tr><th>naive</th><td class="n">$1</td><td>all</td></tr>') == ["Per day", "Models"]


def test_a_cell_over_several_columns_and_an_empty_one_have_no_heading() -> None:
    assert labels('<tr><th>naive</th><td colspan="2">baseline</td></tr>') == []
    assert labels("<tr><th>naive</th><td></td><td>all</td></tr>") == ["Models"]
    wide = PLAIN.replace("<th>Models</th>", "<th>Saves</th><th>Models</th>")
    assert labels('<tr><th>naive</th><td colspan="2">baseline</td><td>all</td></tr>', wide) == ["Models"]


def test_a_group_of_columns_stands_before_their_own_headings() -> None:
    grouped = (
        '<table><thead><tr><td colspan="1"></td><th colspan="2">routed</th></tr>'
        "<tr><th>Component</th><th>Model</th><th>Per day</th></tr></thead><tbody>{}</tbody></table>"
    )
    assert labels("<tr><th>a</th><td><span>x/</span><wbr><span>y</span></td><td>$1</td></tr>", grouped) == [
        "routed: Model",
        "routed: Per day",
    ]


def test_nothing_but_labels_is_added() -> None:
    page = PLAIN.format('<tr><th>&lt;b&gt;</th><td title="&#34;">$1 &amp; more</td><td>all</td></tr>') + "<p>x</p>"
    assert re.sub(r' data-label="[^"]*"', "", label_cells(page)) == page


def test_a_hostile_heading_stays_inside_its_attribute() -> None:
    hostile = PLAIN.replace("Per day", "&#34; onclick=&#34;x").format("<tr><th>a</th><td>1</td><td>2</td></tr>")
    assert 'data-label="&#34; onclick=&#34;x"' in label_cells(hostile)
