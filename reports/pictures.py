"""A chart as a picture for a slide: with a title, a subtitle and a line that says where its figures come from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

from ..errors import InputError, OutputError
from .escaping import chart as harmless
from .escaping import plain, xml
from .page import spec_of
from .theme import DARK, FONT, LIGHT, Theme
from .vega import converted

if TYPE_CHECKING:
    from pathlib import Path

    import altair as alt

Shades = Literal["light", "dark"]
ENDINGS = (".png", ".svg", ".pdf")
SCALE = 2
"""Pixels of a PNG for each of the picture's own: sharp on today's screens and projectors."""
EDGE = 16
_SIZE = re.compile(r'<svg\b[^>]*?\swidth="([\d.]+)"[^>]*?\sheight="([\d.]+)"')


@dataclass(frozen=True)
class Framed:
    """A chart with the words around it: `title` above, `subtitle` below it, `source` at the foot."""

    chart: alt.LayerChart
    title: str
    subtitle: str
    source: str


@dataclass(frozen=True)
class _Words:
    """How a text is set: its size, the height of a line, and how wide a letter is on average."""

    size: int
    line: int
    letter: float
    bold: bool = False

    def lines(self, text: str, width: float) -> list[str]:
        """The text in lines that fit a width, in pixels."""
        return wrap(plain(text), max(12, int(width / (self.letter * self.size))))


TITLE, SUBTITLE, SOURCE = _Words(18, 24, 0.53, bold=True), _Words(13, 18, 0.52), _Words(11, 15, 0.52)


def theme_of(shade: Shades) -> Theme:
    """The palette of a shade."""
    return DARK if shade == "dark" else LIGHT


def check_ending(file: Path) -> None:
    """Raises InputError where a picture cannot be written under that name."""
    if file.suffix.lower() not in ENDINGS:
        raise InputError("a picture ends in .png or .svg, or in .pdf", file=file)


def draw(framed: Framed, ending: str, shade: Shades, width: int) -> str | bytes:
    """The picture as the content of a .svg (text), .png (at twice the width in pixels) or .pdf file.

    Raises OutputError where the drawing fails.
    """
    import vl_convert

    svg = framed_svg(framed, theme_of(shade), width)
    try:
        if ending == ".pdf":
            return bytes(vl_convert.svg_to_pdf(svg))
        return svg if ending == ".svg" else bytes(vl_convert.svg_to_png(svg, scale=SCALE))
    except ValueError as error:
        raise OutputError(f"the picture cannot be drawn as {ending}: {error}; write an .svg instead") from None


def framed_svg(framed: Framed, theme: Theme, width: int) -> str:
    """The picture as SVG, `width` pixels wide; as high as its words and its chart need."""
    room = width - 2 * EDGE
    spec = {**harmless(spec_of(framed.chart)), "width": room}
    inner = converted(spec)
    head, top = _text(framed.title, TITLE, theme.text, room, EDGE)
    below, top = _text(framed.subtitle, SUBTITLE, theme.muted, room, top + 2)
    body, height = _nested(inner, room, top + 10)
    foot, end = _text(framed.source, SOURCE, theme.muted, room, top + 10 + height + 8)
    total = end + EDGE - 4
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" '
        f'height="{total:g}" viewBox="0 0 {width} {total:g}" role="img" aria-label="{_quoted(framed.title)}">'
        f'<title>{escape(xml(plain(framed.title)))}</title><rect width="{width}" height="{total:g}" '
        f'fill="{theme.surface}"/>{head}{below}{body}{foot}</svg>\n'
    )


def _nested(svg: str, room: float, top: float) -> tuple[str, float]:
    """A drawing at its place, no wider than there is room, and its height there."""
    found = _SIZE.search(svg)
    if not found:
        raise OutputError("the chart has no size; write another one")
    wide, high = float(found[1]), float(found[2])
    shrink = min(1.0, room / wide)
    at = f'<g transform="translate({EDGE} {top:g}) scale({shrink:.4g})">{svg[svg.index("<svg") :]}</g>'
    return at, high * shrink


def _text(text: str, words: _Words, colour: str, room: float, top: float) -> tuple[str, float]:
    """Lines of text from a height on, and where they end."""
    lines = words.lines(text, room)
    weight = ' font-weight="bold"' if words.bold else ""
    drawn = [
        f'<text x="{EDGE}" y="{top + words.line * n + words.size:g}" font-family="{_quoted(FONT)}" '
        f'font-size="{words.size}" fill="{colour}"{weight}>{escape(xml(line))}</text>'
        for n, line in enumerate(lines)
    ]
    return "".join(drawn), top + words.line * len(lines)


def _quoted(text: str) -> str:
    return escape(xml(plain(text)), {'"': "&quot;"})
