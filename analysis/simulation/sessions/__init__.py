"""Sessions: runs of many turns, each a request of its own, whose context grows."""
