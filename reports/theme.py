"""The palette of charts and report, light and dark: on `surface`, text meets WCAG AA (4.5:1), marks 3:1.

Plans, components (`parts`), models and agents have colours of their own, no two of them the same.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
"""The charts' font: of the same widths on every system, so that what was measured here fits there."""


@dataclass(frozen=True)
class Theme:
    """Colours as CSS writes them. Those of a kind of things are taken in order; `rest` is for what is added up."""

    text: str
    muted: str
    rule: str
    surface: str
    raised: str
    accent: str
    good: str
    bad: str
    rest: str
    plans: tuple[str, ...]
    parts: tuple[str, ...]
    models: tuple[str, ...]
    agents: tuple[str, ...]

    def variables(self) -> dict[str, str]:
        """CSS custom properties by name: `--text`, …, `--plans-1`, …, `--parts-1`, …"""
        named = {f"--{name}": getattr(self, name) for name in SINGLE}
        several = {f"--{kind}-{n}": colour for kind in KINDS for n, colour in enumerate(getattr(self, kind), 1)}
        return {**named, **several}


KINDS = ("plans", "parts", "models", "agents")
"""The fields that hold a colour for each thing of a kind."""
SINGLE = tuple(f.name for f in fields(Theme) if f.name not in KINDS)
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
    rest="#8b9097",
    plans=("#6b7178", "#3d52aa", "#864905", "#046e30", "#8f316d", "#635d04", "#096868", "#68439e"),
    parts=("#2e69b2", "#af5a21", "#0c7d48", "#914a8c", "#8b7b02", "#584fa3", "#933331"),
    models=("#068fa7", "#b85c8b", "#b17000", "#5d913c", "#926abe", "#059488", "#c15c67"),
    agents=("#09614b", "#813b22", "#364f8c", "#625103", "#6b3d76", "#0b5a78", "#7f3650"),
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
    rest="#7d848d",
    plans=("#a3a9b1", "#a5bbfd", "#fba860", "#7bd690", "#fa9ad1", "#cac254", "#22d8d8", "#c9acfe"),
    parts=("#7cb4fc", "#e8875a", "#58b87c", "#dc95d5", "#b9a830", "#9d99ed", "#df7f78"),
    models=("#01aac6", "#cf78a3", "#c78a3b", "#77a95b", "#aa84d4", "#00b0a2", "#c9626c"),
    agents=("#87dfc1", "#ffb79e", "#b2cafd", "#ece0a4", "#e7b7f2", "#86d7fd", "#fdb2c8"),
)


def _named(kind: str, colours: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"var(--{kind}-{n})" for n in range(1, len(colours) + 1))


CSS = Theme(
    **{name: f"var(--{name})" for name in SINGLE},
    plans=_named("plans", LIGHT.plans),
    parts=_named("parts", LIGHT.parts),
    models=_named("models", LIGHT.models),
    agents=_named("agents", LIGHT.agents),
)
"""Colours by reference to the page's custom properties: a drawing follows light, dark and print by itself."""
