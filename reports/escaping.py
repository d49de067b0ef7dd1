"""Untrusted text in every medium: one function each for terminals, Markdown, Slack, spreadsheets, XML,
pages and charts.

Names of models, agents, components and budgets come from logs and from files that others wrote. Each writer passes them
through the function of its medium, and nothing else does the escaping. What people read is bounded too (`shown.py`);
what other programs read (CSV, JSON, Parquet) has every name whole.
"""

from __future__ import annotations

import re
from typing import Any

from ..json_text import COMMANDS_WITHIN, harmless
from ..shown import MAX_LINE, MAX_NAME, one_line, shortened, shortened_words
from .chart_labels import cut_between_characters

UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff"
    "\U000e0000-\U000e007f"
)
CONTROLS = re.compile(f"[{UNSEEN}]")
"""Controls but tab and line feed, what turns the direction of text, tags that nobody sees, what is no character."""
XML_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
BREAK = "\N{ZERO WIDTH SPACE}"
"""Between two characters, it keeps programs from seeing a command, a mention or an address; people see nothing."""
COMMANDS = re.compile(r"^((?:\x1b\[[0-9;]*m|\s)*)(::)", re.MULTILINE)  # a style of ours may come before
LIVE = re.compile(
    r"@(?=[\w.-])|(?<=:)(?=//)|(?<=www)(?=\.)|[#!&](?=\d)|[%~](?=\d+\b(?!\.\d)|[^\W\d]|\")"
    r"|(?<=GH|GL)(?=-\d)|(?<=CVE)(?=-\d)|(?<=GHSA)(?=-)|[\[*](?=[a-z_]+:)|[\[{](?=[+-])|^/(?=\w)"
    r"|:(?=(?:[+-]?\d+|[\w+-]*[a-z][\w+-]*):)",
    re.IGNORECASE,
)
"""Where GitHub and GitLab see a mention, an address (whatever stands before it: `_www.` is one too), the number of an
issue, a label (`~bug`), an advisory, an object of GitLab (`[wiki_page:x]`), a change (`{+x+}`), a command where a line
begins (`/close`) or an emoji (`:tada:`)."""
CHAT = re.compile(rf"{LIVE.pattern}|\](?=[(\[])", re.IGNORECASE)
"""The same in a chat, where nothing else is escaped: a link of Markdown too."""
COMMIT = re.compile(r"\b(?:[0-9a-f]{40,}|(?<!-)(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,39})\b", re.IGNORECASE)
"""What may be a commit's id: GitHub links seven digits of one. A date as in a model's name is none,
nor is what ends a decision's id (`move-3f9a2c01`)."""
DOLLAR = re.compile(r"(?<![\s(+−~-])(?<!^)\$|\$(?!\d)")
"""Where it may begin or end a formula, unless it begins an amount: $4.26."""
NO_FORMULA = "<span>&#36;</span>"
"""A dollar sign that GitHub and GitLab take for nothing else."""
ENTITY = re.compile(r"&(?=#?\w+;)")
"""Where Markdown would read another character: `&commat;name` is a mention too."""
BLOCK = re.compile(r"^(?:[-+](?=\s|$)|[-=](?=[-=])|\d{1,9}(?=[.)](?:\s|$)))")
"""What begins a list, a rule or a heading where it begins a line."""
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
NAMES_OF_CHART, SENTENCES_OF_CHART = ("datasets", "values", "domain"), ("message",)
BLANK = (
    "\x00- \x7f-\xa0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5"
    "\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Blanks, controls and format characters (Unicode's Z, Cc and Cf, which a test holds), and what else nobody sees:
spreadsheets leave out some of it before they look for a formula."""
SIGNS = "=+@|%＝＋－＠﹢﹣﹦﹫−-"
"""What begins a formula; spreadsheets read the wide and the small ones too."""
FORMULA = re.compile(f"[{BLANK}]*[{SIGNS}]")
CELL_WITHIN = re.compile(f";(?=[{BLANK}\"']*[{SIGNS}])")
"""Where a spreadsheet that separates cells by semicolons would begin one with a formula."""


class Commands(str):
    """Workflow commands whose writer has escaped everything in them: they are printed as they are."""

    __slots__ = ()


def plain(name: str) -> str:
    """A name on one line, without what a terminal, a page or a picture would act upon."""
    return shortened(_one_line(name))


def _one_line(name: str) -> str:
    return CONTROLS.sub(REPLACEMENT, one_line(name).replace("\t", " "))


def terminal(text: str) -> str:
    """Text for a terminal or a CI log: no escape sequences, and no line that a CI takes for a command."""
    if isinstance(text, Commands):
        return text
    if text[:1] in ("{", "["):  # JSON: the same value, written so that it does nothing
        text = harmless(text)
    return without_commands(without_escapes(text))


def without_escapes(text: str) -> str:
    """Text without control characters."""
    return CONTROLS.sub(REPLACEMENT, text)


def without_commands(text: str) -> str:
    """Text with no line that a CI takes for a command."""
    return COMMANDS.sub(rf"\1{BREAK}\2", COMMANDS_WITHIN.sub(f"##{BREAK}", text))


def cell(name: str) -> str:
    """A name that stays text in Markdown, in a table too: no markup, no mention, no link, no formula, no emoji."""
    name = LIVE.sub(lambda found: found[0] + BREAK, " ".join(plain(name).split()))
    name = COMMIT.sub(lambda found: BREAK.join(_in_sixes(found[0])), name)
    for mark in "\\`*_[]<>|#~":
        name = name.replace(mark, "\\" + mark)
    name = BLOCK.sub(lambda found: found[0] + "\\" if found[0].isdigit() else "\\" + found[0], name)
    return DOLLAR.sub(NO_FORMULA, ENTITY.sub(r"\\&", name))


def _in_sixes(digits: str) -> list[str]:
    return [digits[place : place + 6] for place in range(0, len(digits), 6)]


def inert(name: str) -> str:
    """A name for a spreadsheet: one that would be run as a formula gets a leading apostrophe, whatever nobody sees
    stands before it."""
    mark = "'" if FORMULA.match(name) and not NUMBER.fullmatch(name) else ""
    return mark + CELL_WITHIN.sub(";'", _one_line(name))


def inert_sql(column: str) -> str:
    """The same for a column of names (a quoted identifier), as DuckDB's SQL."""
    one_line = rf"regexp_replace({column}, '\r\n|[\t\n]', ' ', 'g')"
    name = f"regexp_replace({one_line}, '[{_in_sql(UNSEEN)}]', '{REPLACEMENT}', 'g')"
    within = f"""regexp_replace({name}, ';([{_in_sql(BLANK)}"'']*[{SIGNS}])', ';''\\1', 'g')"""
    run = f"regexp_matches({column}, '^[{_in_sql(BLANK)}]*[{SIGNS}]')"
    number = f"regexp_full_match({column}, '{NUMBER.pattern}')"
    return f"CASE WHEN {run} AND NOT {number} THEN chr(39) ELSE '' END || {within}"


def _in_sql(signs: str) -> str:
    """A class of characters as DuckDB's regular expressions have it; its texts hold no surrogates."""
    signs = signs.replace("\ud800-\udfff", "")
    return "".join(sign if sign == "-" else f"\\x{{{ord(sign):x}}}" for sign in signs)


def slack(text: str) -> str:
    """One line for Slack, which asks for the three characters that begin its links and mentions to be escaped; no
    mention, address or link for Mattermost and Rocket.Chat either, which read Markdown in it."""
    text = CHAT.sub(lambda found: found[0] + BREAK, _one_line(" ".join(text.split())))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def sarif(text: str) -> str:
    """A message of SARIF without links (SARIF 2.1.0, section 3.11.6: `[text](address)`) and without what turns text."""
    text = without_escapes(text)
    return re.sub(r"[\\\[\]]", r"\\\g<0>", text) if "](" in text else text


def xml(text: str) -> str:
    """A line of text that XML can hold, and that does nothing where a program shows it."""
    return XML_FORBIDDEN.sub(REPLACEMENT, shortened(_one_line(text)))


def html(value: Any) -> Any:
    """What a page shows: text without what turns its direction or breaks its lines; markup of ours stays as it is."""
    named = isinstance(value, str) and not hasattr(value, "__html__")
    return CONTROLS.sub(REPLACEMENT, shortened_words(value)) if named else value


def chart(spec: dict[str, Any]) -> dict[str, Any]:
    """A chart's specification, every text in it without what its drawing could stumble over.

    Names, which are its data and the domains of its scales, are bounded as in a table's cell: to find how much of a
    label fits, Vega measures it many times over.
    """
    return cut_between_characters(_of_chart(spec, MAX_LINE))


def _of_chart(part: Any, most: int) -> Any:
    if isinstance(part, str):
        return CONTROLS.sub(REPLACEMENT, shortened(part, most))
    if isinstance(part, dict):
        bounds = {**dict.fromkeys(NAMES_OF_CHART, MAX_NAME), **dict.fromkeys(SENTENCES_OF_CHART, MAX_LINE)}
        return {_of_chart(key, most): _of_chart(value, bounds.get(key, most)) for key, value in part.items()}
    return [_of_chart(one, most) for one in part] if isinstance(part, list | tuple) else part
