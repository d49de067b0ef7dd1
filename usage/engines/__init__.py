"""The rollup where the calls are: one statement (`statement.py`), run by the engine that holds them."""
