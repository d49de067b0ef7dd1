"""Budgets: what they say, and whether a projection or the month so far keeps them."""
