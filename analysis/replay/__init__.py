"""Logged calls under another routing."""
