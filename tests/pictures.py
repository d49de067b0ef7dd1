"""Make the pictures of the README and docs/, from the shipped example and the demo, as they look today.

`python tests/pictures.py` writes them, with Chromium; `--dry` prints what would be made, and by which commands.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DOCS = Path(__file__).parent.parent / "docs"
WIDTH, HEIGHT = 1280, 900
START = "2026-12-01"


@dataclass(frozen=True)
class Picture:
    """A file of docs/: what `command` of costsim writes, `made`, or the first screen of it where that is a page."""

    name: str
    command: str
    made: str


PICTURES = (
    Picture("report.png", f"run --start {START} --report plan.html", "plan.html"),
    Picture("plans.png", f"chart plans --start {START} --out plans.png", "plans.png"),
    Picture("review.png", "demo --out demo", "demo/review.html"),
)


def main(arguments: list[str]) -> int:
    """Make all pictures, or print how with `--dry`."""
    if arguments == ["--dry"]:
        for of in PICTURES:
            print(f"docs/{of.name}: costsim {of.command}")
        return 0
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for of in PICTURES:
            make(of, Path(folder), browser)
        browser.close()
    return 0


def make(of: Picture, folder: Path, browser: Browser) -> None:
    """Run the command in the folder and keep what it made, or a picture of it."""
    subprocess.run([sys.executable, "-m", "costsim", *shlex.split(of.command)], cwd=folder, check=True)
    made, target = folder / of.made, DOCS / of.name
    if made.suffix != ".html":
        target.write_bytes(made.read_bytes())
        return
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.goto(made.as_uri())
    page.wait_for_selector("html.ready")
    page.screenshot(path=target)
    page.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
