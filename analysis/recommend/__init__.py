"""The routing that the evidence allows."""
