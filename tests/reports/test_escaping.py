"""Untrusted names in every medium: they are read, and act on nothing."""

from __future__ import annotations

import io
import json
import re
import sys
from unicodedata import category
from xml.etree import ElementTree as ET

import duckdb
import pytest
from costsim.cli.screen import terminal_console
from costsim.reports import escaping
from costsim.reports.focus import _cell
from costsim.reports.page import _environment
from costsim.reports.vega import static_svg
from costsim.shown import MAX_NAME, shortened
from markupsafe import Markup

OSC = "\x1b]52;c;ZXZpbA==\x07"
NAMES = [
    "a\x1b[31mred",
    OSC,
    "\x9b31m",
    "a\n::stop-commands::x",
    "a\r\nb",
    "\u202eevil",
    "a\x00b",
    "\ud800",
    "##[error]x",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_name_reaches_a_terminal_as_a_command(name: str) -> None:
    for text in (escaping.terminal(name), escaping.plain(name), escaping.cell(name), escaping.inert(name)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", text)
    assert not any(line.lstrip().startswith(("::", "##[")) for line in escaping.terminal(name).splitlines())
    printed = io.StringIO()
    terminal_console(file=printed, width=80).print(name, markup=False)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", printed.getvalue())
    assert not any(line.lstrip().startswith(("::", "##[")) for line in printed.getvalue().splitlines())


@pytest.mark.parametrize("name", ["a ##[stop-commands]x", "a ##vso[task.setvariable variable=x]y", "##[error]x"])
def test_no_name_is_a_command_within_a_line(name: str) -> None:
    """GitHub's runner looks for `##[` and Azure's for `##vso[` anywhere in a line, not only where it begins."""
    printed = io.StringIO()
    terminal_console(file=printed, width=80).print(name, markup=False)
    for text in (escaping.terminal(f"model {name}"), printed.getvalue(), escaping.terminal(json.dumps({"a": name}))):
        assert not re.search(r"##(\[|vso\[)", text)
    assert json.loads(escaping.terminal(json.dumps({"a": name}))) == {"a": name}


def test_json_keeps_its_values() -> None:
    assert escaping.terminal('{"a": "\x9b31m"}') == '{"a": "\\u009b31m"}'


def test_workflow_commands_of_our_own_are_printed() -> None:
    assert escaping.terminal(escaping.Commands("::error::x\n")) == "::error::x\n"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("@octocat", "@\u200boctocat"),
        ("https://evil.example", "https:\u200b//evil.example"),
        ("www.evil.example", "www\u200b.evil.example"),
        ("#12", "\\#\u200b12"),
        ("[x](y)", "\\[x\\](y)"),
        ("a|b\nc", "a\\|b c"),
        ("claude-haiku-4-5", "claude-haiku-4-5"),
        ("me@example.com", "me@\u200bexample.com"),
        ("&commat;octocat", "\\&commat;octocat"),
        ("&#64;octocat", "&\\#\u200b64;octocat"),
        ("AT&T", "AT&T"),
        ("~~gone~~", "\\~\\~\u200bgone\\~\\~"),
        ("!12", "!\u200b12"),
        ("owner/repo#12", "owner/repo\\#\u200b12"),
        ("GH-12", "GH\u200b-12"),
        ("%12", "%\u200b12"),
        ("$x$", "<span>&#36;</span>x<span>&#36;</span>"),
        ("$1$", "$1<span>&#36;</span>"),
        ("$`x`$", r"<span>&#36;</span>\`x\`<span>&#36;</span>"),
        ("a$5", "a<span>&#36;</span>5"),
        ("$$x$$", "<span>&#36;</span>" * 2 + "x" + "<span>&#36;</span>" * 2),
        ("costs $4.26 (now $17.08)", "costs $4.26 (now $17.08)"),
        (":smile:", ":\u200bsmile:"),
        (":+1:", ":\u200b+1:"),
        ("at 12:30", "at 12:30"),
        ("a" * 40, "\u200b".join(["a" * 6] * 6 + ["a" * 4])),
        ("0123abc", "0123ab\u200bc"),
        ("model-20251001", "model-20251001"),
        ("defaced", "defaced"),
        ("move-3f9a2c01", "move-3f9a2c01"),  # people copy it
        ("<!-- x -->", r"\<!-- x --\>"),
        ("a[^1]", r"a\[^1\]"),
        ("- [ ] x", r"\- \[ \] x"),
        ("1. x", r"1\. x"),
        ("---", r"\---"),
        ("> [!NOTE]", r"\> \[!NOTE\]"),
    ],
)
def test_a_name_in_markdown_is_no_mention_and_no_link(name: str, shown: str) -> None:
    assert escaping.cell(name) == shown


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", " =1+1", "\t=1", "|x", "%0A", "＝1+1"]
)
def test_no_name_is_run_by_a_spreadsheet(name: str) -> None:
    assert escaping.inert(name).startswith("'")
    with duckdb.connect() as connection:
        sql = f"SELECT {_cell('x_Agent', 'VARCHAR')} FROM (SELECT $name AS x_Agent)"
        [(cell,)] = connection.execute(sql, {"name": name}).fetchall()
    assert cell.startswith("'")


@pytest.mark.parametrize(
    "name",
    [*(name for name in NAMES if name != "\ud800"), "=1", "a\tb", "\u00a0=1", "-2", "＋1", "a\U000e0041"],
    ids=ascii,
)
def test_sql_makes_a_name_inert_as_python_does(name: str) -> None:
    with duckdb.connect() as connection:
        [(made,)] = connection.execute(
            f"SELECT {escaping.inert_sql('n')} FROM (SELECT $name AS n)", {"name": name}
        ).fetchall()
    assert made == escaping.inert(name)


UNSEEN_BEFORE = [
    "\ufeff",
    "\u200b",
    "\u2060",
    "\u00a0",
    "\t",
    "\r",
    "\u00ad",
    "\u3164",
    "\u202e",
    "\u2800",
    "\x00",
    "\ufe0f",
    "\U0001d173",
    "\U000110bd",
]


@pytest.mark.parametrize("before", [*UNSEEN_BEFORE, "\ufeff \u200d"], ids=ascii)
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "−", "|", "%"])
def test_what_nobody_sees_before_a_formula_hides_it_from_no_check(before: str, sign: str) -> None:
    name = f"{before}{sign}cmd"
    assert escaping.inert(name).startswith("'")
    with duckdb.connect() as connection:
        sql = f"SELECT {escaping.inert_sql('n')} FROM (SELECT $name AS n)"
        assert connection.execute(sql, {"name": name}).fetchall() == [(escaping.inert(name),)]


@pytest.mark.slow
def test_every_blank_control_and_format_character_is_one_that_may_hide_a_formula() -> None:
    """Unicode's categories Zs, Zl, Zp, Cc and Cf: of 1.1 million code points, some 230."""
    every = map(chr, range(sys.maxunicode + 1))
    unseen = [sign for sign in every if category(sign) in ("Zs", "Zl", "Zp", "Cc", "Cf")]
    assert len(unseen) > 200
    assert [ascii(sign) for sign in unseen if not escaping.inert(f"{sign}=cmd").startswith("'")] == []


@pytest.mark.parametrize("name", ["a;=cmd", "a; \ufeff=cmd", 'a";"=cmd', "a;;=cmd;+x"])
def test_no_cell_begins_with_a_formula_where_semicolons_separate_cells(name: str) -> None:
    """As in a spreadsheet of a country whose decimal point is a comma."""
    assert ";'" in escaping.inert(name)
    with duckdb.connect() as connection:
        sql = f"SELECT {escaping.inert_sql('n')} FROM (SELECT $name AS n)"
        assert connection.execute(sql, {"name": name}).fetchall() == [(escaping.inert(name),)]


@pytest.mark.parametrize("name", ["-1.5", "gpt-4o", "", "3", "a;b", "a; b-c"])
def test_numbers_and_plain_names_stay_as_they_are(name: str) -> None:
    assert escaping.inert(name) == name


def test_xml_has_no_text_that_turns_its_direction_or_opens_a_link() -> None:
    """A bidi override, an isolate, a C1 control, a link of a terminal (OSC 8)."""
    shown = escaping.xml("a\u202eb\u2066c\x9bd\x1b]8;;https://x\x07e")
    assert shown == "a\ufffdb\ufffdc\ufffdd\ufffd]8;;https://x\ufffde"


def test_tags_that_nobody_sees_are_replaced_everywhere() -> None:
    name = "a\U000e0041b"
    assert {write(name) for write in (escaping.plain, escaping.terminal, escaping.cell, escaping.inert)} == {"a\ufffdb"}


def test_xml_takes_every_text() -> None:
    element = ET.fromstring(f"<a>{escaping.xml('b' + chr(0) + chr(27) + chr(0xFFFE))}</a>")
    assert element.text == "b\ufffd\ufffd\ufffd"


def test_a_chart_is_drawn_whatever_the_names_hold() -> None:
    values = [{"name": f"{name}", "usd": 1} for name in (*NAMES, "x\x01y", "😀" * 60, "\ud83d" * 60)]
    spec = {"data": {"values": values}, "mark": "bar", "encoding": {"y": {"field": "name"}, "x": {"field": "usd"}}}
    svg = static_svg(spec, 200)
    ET.fromstring(svg)


FAMILY, FLAG, THUMB, ACUTE = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "👍🏽", "e\u0301"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("😀" * 30, "😀" * 9 + "…"),
        ("😀" * 9, "😀" * 9),
        ("customer support " + "🚀" * 12, "customer support …"),
        ("𝐀" * 45, "𝐀" * 9 + "…"),
        (FAMILY * 12, FAMILY * 9 + "…"),
        (FLAG * 12, FLAG * 9 + "…"),
        (THUMB * 12, THUMB * 9 + "…"),
        (ACUTE * 20 + "😀", ACUTE * 18 + "…"),
        ("a😀" * 20, "a😀" * 4 + "a" + "…"),
        ("\U000f0000" * 30, "\U000f0000" * 9 + "…"),
        ("\U0001f600" + "\ud83d" * 30, "😀" + "\ufffd" * 8 + "…"),
        ("客户" * 10 + "😀", "客户" * 4 + "客" + "…"),
        (FLAG * 9, FLAG * 9),
        (FAMILY * 9, FAMILY * 9),
        ("\u200d" * 30 + "😀", "\u200d" * 30 + "😀"),
        ("\u0301" * 90 + "😀", "\u0301" * 81 + "…"),
        ("conversations 😀", "conversations 😀"),
    ],
    ids=ascii,
)
def test_a_label_is_cut_between_characters_as_people_see_them(name: str, shown: str) -> None:
    """A limit of 110 px is nine units of 12: a wide character, or two narrow ones. Vega would cut a character in two,
    and draw nothing then."""
    axis = {"labelLimit": 110}
    spec = {
        "datasets": {"rows": [{"name": name, "usd": 1}]},
        "data": {"name": "rows"},
        "mark": "bar",
        "encoding": {"y": {"field": "name", "type": "nominal", "axis": axis}, "x": {"field": "usd", "axis": None}},
    }
    drawn = ET.fromstring(static_svg(spec, 200))
    assert shown in [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]


def test_a_label_that_vega_would_cut_nowhere_wrong_is_left_to_it() -> None:
    spec = {"encoding": {"y": {"axis": {"labelLimit": 110}}}, "title": "客户 e\u0301 \ufffd"}
    assert escaping.chart(spec) == spec


def test_no_name_turns_the_text_of_a_page() -> None:
    shown = _environment({}).from_string("{{ name }}{{ ours }}").render(name="a\u202eb\x1bc<", ours=Markup("<b>"))
    assert shown == "a\ufffdb\ufffdc&lt;<b>"


def test_labels_of_a_chart_are_bounded_as_names_and_sentences_as_lines() -> None:
    """Vega measures a label many times over to see how much of it fits: 35 of 2,000 characters took 20 seconds."""
    long, sentence = "n" * 2_000, "s" * 1_000
    spec = {
        "datasets": {"rows": [{"row": long, "usd": 1.5, "message": sentence}]},
        "layer": [{"encoding": {"y": {"scale": {"domain": [long]}}}}],
        "title": sentence,
    }
    drawn = escaping.chart(spec)
    (row,), (name,) = drawn["datasets"]["rows"], drawn["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert row["row"] == name == shortened(long, MAX_NAME)
    assert (row["usd"], row["message"], drawn["title"]) == (1.5, sentence, sentence)
