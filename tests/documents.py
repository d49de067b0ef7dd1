"""README.md and docs/ as the tests see them: their text, the files that they show, the commands that they run."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
TEXT = "\n".join(PAGES.values())
FILES: dict[str, str] = dict(re.findall(r"```yaml file=(\S+)\n(.*?)```", TEXT, re.DOTALL))
"""By name, as they stand in blocks that begin with yaml file=NAME."""


def commands(text: str) -> list[str]:
    """The lines of console blocks that begin with a dollar sign."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def write_files(folder: Path) -> None:
    """All files that the pages show."""
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
