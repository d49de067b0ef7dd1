"""costsim: what a fleet of LLM agents will cost, what it did cost, and which routing would have been cheaper."""

from __future__ import annotations

__version__ = "0.1.0"
