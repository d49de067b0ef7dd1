"""Which model a task gets: rules, conditions, reachability, edits."""
