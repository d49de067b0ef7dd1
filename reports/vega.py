"""Vega, offline: the scripts that draw a chart in a page, and charts drawn without a browser.

Everything comes from vl-convert, which carries Vega, Vega-Lite and Vega-Embed; nothing is fetched.
"""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

Spec = dict[str, Any]

_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that defines `vegaEmbed`.

    Making it takes some seconds, so it is kept in the user's cache folder, by version of vl-convert. Where
    that folder cannot be written it is made anew each time.
    """
    import vl_convert

    kept = _cache_folder() / f"vega-embed-{version('vl-convert-python')}.js"
    with suppress(OSError, UnicodeDecodeError):
        return kept.read_text(encoding="utf-8")
    script = vl_convert.javascript_bundle(_SNIPPET)
    with suppress(OSError):
        _keep(kept, script)
    return script


def static_svg(spec: Spec, width: int) -> str:
    """A chart as SVG text, `width` pixels wide; it scales with its place through its `viewBox`."""
    import vl_convert

    return vl_convert.vegalite_to_svg({**spec, "width": width}, allowed_base_urls=[])


def _cache_folder() -> Path:
    """Where the XDG base directory specification wants it."""
    base = os.environ.get("XDG_CACHE_HOME") or Path("~").expanduser() / ".cache"
    return Path(base) / "costsim"


def _keep(path: Path, script: str) -> None:
    """Write whole or not at all: another run may be reading."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(script)
    Path(file.name).replace(path)
