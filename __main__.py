"""`python -m costsim` is `costsim`."""

from .cli.entry import main

main()
