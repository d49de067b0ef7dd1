"""A page in real Chromium, opened once, with all that it asked for and complained of, and what axe finds in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
LIKE_OTHERS = r"""() => {
    const kind = (of) => of.outerHTML.replace(/>[^<]+</g, '><').replace(/ (?!class|role|scope)[\w-]+="[^"]*"/g, '');
    for (const hidden of document.querySelectorAll('.static')) hidden.remove();
    for (const parent of document.querySelectorAll('tbody, .live svg g')) {
        const seen = {};
        for (const child of [...parent.children])
            if ((seen[kind(child)] = (seen[kind(child)] ?? 0) + 1) > 3) child.remove();
    }
}"""
"""What is hidden while scripts run goes, and all but three of a table's rows, or a chart's marks, that differ in text only."""
RULES = {
    "light": "axe.run({resultTypes: ['violations']})",
    "dark": "axe.run({resultTypes: ['violations'], runOnly: ['cat.color']})",
}
"""All rules once; of dark colours, those of colours: nothing else of a page changes with them."""


@dataclass
class Opened:
    """A page and all that went wrong in it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def dismiss(self, dialog: Dialog) -> None:
        """Note a dialog, which no page has, and close it."""
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def opened(browser: Browser, file: Path, width: int = 1280, **context: Any) -> Opened:
    """Open a page and wait until its charts stand."""
    page = browser.new_page(viewport={"width": width, "height": 900}, **context)
    seen = Opened(page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("dialog", seen.dismiss)
    page.goto(file.as_uri())
    if context.get("java_script_enabled", True):
        page.wait_for_selector("html.ready", timeout=30_000)
    return seen


def violations(page: Page) -> dict[Literal["light", "dark"], list[str]]:
    """What axe finds in the page, everything unfolded, by scheme. Open the page with `bypass_csp`, and use it no more."""
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.evaluate(LIKE_OTHERS)
    page.evaluate(AXE)
    found: dict[Literal["light", "dark"], list[str]] = {"light": [], "dark": []}
    for scheme, said in found.items():
        page.emulate_media(color_scheme=scheme)
        rules = page.evaluate(RULES[scheme])["violations"]
        said += [
            f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in rules for node in rule["nodes"]
        ]
    return found
