"""Routers measured as the field measures them."""
