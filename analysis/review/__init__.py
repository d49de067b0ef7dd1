"""The monthly routing review: what a month cost, why, and what to decide; `results.py` is the contract."""
