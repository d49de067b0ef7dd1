"""From logged sessions to a `session` that a person can edit, and how well it fits."""
