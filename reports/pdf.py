"""A page as PDF, printed by Chromium where there is one."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from ..errors import OutputError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
SECONDS = 90


def print_pdf(html: str) -> bytes:
    """The page as it prints. Raises OutputError: no Chromium, or it fails."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise OutputError(
            "a PDF needs Chromium or Chrome, and there is none; install one (apt install chromium), or print the HTML "
            "page from a browser"
        )
    with tempfile.TemporaryDirectory() as folder:
        page, printed = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
            f"--user-data-dir={folder}/profile", "--no-pdf-header-footer", "--virtual-time-budget=10000",
            f"--print-to-pdf={printed}", page.as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, check=False, capture_output=True, timeout=SECONDS)  # noqa: S603 (no shell, our own page)
        except subprocess.TimeoutExpired:
            raise OutputError(f"{browser} did not print the page within {SECONDS} s") from None
        if not printed.exists():
            raise OutputError(f"{browser} printed nothing; print the HTML page from a browser instead")
        return printed.read_bytes()
