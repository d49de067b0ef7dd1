"""From an architecture to its cost: workload, plans, expected cost, Monte Carlo, policies, claims."""
