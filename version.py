"""The version, in its one place: the package's metadata is made of it, and what costsim writes states it."""

__version__ = "0.1.0"
