"""The palette of charts and report, light and dark: on `surface`, text meets WCAG AA (4.5:1), marks 3:1."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
"""The charts' font: of the same widths on every system, so that what was measured here fits there."""


@dataclass(frozen=True)
class Theme:
    """Colours as CSS writes them. `plans` and `parts` are taken in order; the last part is for the rest."""

    text: str
    muted: str
    rule: str
    surface: str
    raised: str
    accent: str
    good: str
    bad: str
    plans: tuple[str, ...]
    parts: tuple[str, ...]

    def variables(self) -> dict[str, str]:
        """CSS custom properties by name: `--text`, …, `--plan-1`, …, `--part-1`, …"""
        named = {f"--{name}": getattr(self, name) for name in SINGLE}
        plans = {f"--plan-{n}": colour for n, colour in enumerate(self.plans, 1)}
        parts = {f"--part-{n}": colour for n, colour in enumerate(self.parts, 1)}
        return {**named, **plans, **parts}


SINGLE = tuple(f.name for f in fields(Theme) if f.name not in ("plans", "parts"))
"""The fields that hold one colour."""

LIGHT = Theme(
    text="#1a1c1f",
    muted="#575c63",
    rule="#dad8d2",
    surface="#fdfcfa",
    raised="#f3f1ec",
    accent="#0f5c94",
    good="#1f6b3a",
    bad="#a8221c",
    plans=("#81878f", "#0f5c94", "#bd5b1a", "#37795a", "#8c4a86"),
    parts=("#0f5c94", "#bd5b1a", "#37795a", "#8c4a86", "#857511", "#4687b8", "#b0413e", "#81878f"),
)

DARK = replace(
    LIGHT,
    text="#e8e6e1",
    muted="#a5abb3",
    rule="#3a3f46",
    surface="#15181c",
    raised="#1f2328",
    accent="#7cbcf0",
    good="#7fd49b",
    bad="#ff8f86",
    plans=("#8f96a0", "#6fb3ec", "#ef9c62", "#74c69d", "#d493cc"),
    parts=("#6fb3ec", "#ef9c62", "#74c69d", "#d493cc", "#d3c25a", "#a9d1f2", "#f08a86", "#8f96a0"),
)

CSS = Theme(
    **{name: f"var(--{name})" for name in SINGLE},
    plans=tuple(f"var(--plan-{n})" for n in range(1, len(LIGHT.plans) + 1)),
    parts=tuple(f"var(--part-{n})" for n in range(1, len(LIGHT.parts) + 1)),
)
"""Colours by reference to the page's custom properties: a drawing follows light, dark and print by itself."""
