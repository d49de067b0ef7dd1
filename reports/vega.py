"""Vega, offline: the scripts that draw a chart in a page, and charts drawn without a browser.

Everything comes from vl-convert, which carries Vega, Vega-Lite and Vega-Embed; nothing is fetched.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import Any

from ..errors import OutputError
from .escaping import chart

Spec = dict[str, Any]

_SNIPPET = "window.vegaEmbed = vegaEmbed;"
_DRAW = """
import json, sys, vl_convert
for line in sys.stdin:
    asked = json.loads(line)
    script = isinstance(asked, str)
    made = vl_convert.javascript_bundle(asked) if script else vl_convert.vegalite_to_svg(asked, allowed_base_urls=[])
    print(json.dumps(made), flush=True)
"""
_ASKING = Lock()
_SHAPE = re.compile(r' (?:d|transform)="[^"]*"')
_LONG = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")


def bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that defines `vegaEmbed`.

    Making it takes some seconds, so it is kept in the user's cache folder, by version of vl-convert. Where
    that folder cannot be written it is made anew each time.
    """
    kept = cache_folder() / f"vega-embed-{version('vl-convert-python')}.js"
    with suppress(OSError, UnicodeDecodeError):
        return kept.read_text(encoding="utf-8")
    script = converted(_SNIPPET)
    with suppress(OSError):
        _keep(kept, script)
    return script


def warm_up() -> None:
    """Start what draws charts, which takes half a second, beside whatever is done meanwhile."""
    drawing({"data": {"values": [{}]}, "mark": "point"}, 100)


def drawing(spec: Spec, width: int) -> Future[str]:
    """A chart as SVG text, drawn beside whatever is done meanwhile: see `static_svg`."""
    return _queue().submit(static_svg, spec, width)


def static_svg(spec: Spec, width: int) -> str:
    """A chart as SVG text, its plot `width` pixels wide, labels beside; it scales with its place by its `viewBox`.

    To fit the whole to a width, Vega would lay it out twice, and measure every text again, which takes half the time.
    It is one picture to a screen reader, to be named by its place: its shapes carry no names of their own.
    """
    spec = chart(spec)
    quiet = {**spec.get("config", {}), "aria": False}
    svg = converted({**spec, "width": width, "autosize": "pad", "config": quiet})
    return _SHAPE.sub(lambda shape: _LONG.sub(_short, shape[0]), svg)


def converted(asked: Spec | str) -> str:
    """A chart as SVG text, or of a script what it needs with it: made by the other process.

    Where that is none or has failed, made here, where its reason comes to light; not where a signal ended it, which
    would end this one too. Raises OutputError then.
    """
    with _ASKING, suppress(OSError, ValueError):
        artist = _artist()
        if artist and artist.stdin and artist.stdout:
            artist.stdin.write(json.dumps(asked) + "\n")
            artist.stdin.flush()
            return str(json.loads(artist.stdout.readline()))
    _raise_if_killed()
    import vl_convert

    if isinstance(asked, str):
        return vl_convert.javascript_bundle(asked)
    return vl_convert.vegalite_to_svg(asked, allowed_base_urls=[])


def _raise_if_killed() -> None:
    """Raises OutputError where a signal ended the process that draws."""
    artist = _artist()
    with suppress(TimeoutExpired):
        if artist and (code := artist.wait(1)) < 0:
            raise OutputError(
                f"no chart can be drawn: what draws them was ended (signal {-code}); it needs memory, and "
                "reserves far more address space than that (lift ulimit -v)"
            )


@cache
def _queue() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="charts")


@cache
def _artist() -> Popen[str] | None:
    """A Python that draws: vl-convert holds the interpreter's lock all the while, so a thread would gain nothing."""
    if not sys.executable:
        return None
    command = [sys.executable, "-P", "-c", _DRAW]
    artist = Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True, encoding="ascii")  # noqa: S603
    atexit.register(_dismiss, artist)
    return artist


def _dismiss(artist: Popen[str]) -> None:
    with suppress(OSError):
        artist.communicate()


def _short(number: re.Match[str]) -> str:
    """A hundredth of a pixel is enough for any shape."""
    return f"{round(float(number[0]), 2):g}"


def cache_folder() -> Path:
    """Of what can be made anew; it may not exist yet. Where the XDG base directory specification wants it."""
    base = os.environ.get("XDG_CACHE_HOME") or Path("~").expanduser() / ".cache"
    return Path(base) / "costsim"


def _keep(path: Path, script: str) -> None:
    """Write whole or not at all: another run may be reading."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(script)
    Path(file.name).replace(path)
