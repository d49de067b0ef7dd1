"""`python -m costsim` is `costsim`."""

from .cli import main

main()
