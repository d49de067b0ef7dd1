"""Routing policies: which runs happen, what they send, and to which model, beyond the choice of one model.

spec.py      the keys of a component in the architecture file
spawns.py    which runs still happen: fresh_for, batch_with; how often a cache is still warm
batching.py  the tokens of n tasks in one spawn
evidence.py  the chance of an escalation, counted in outcomes
calls.py     a component under a plan as a list of weighted calls, each costed as any component is
draws.py     the same calls, drawn
notes.py     break-even rates, tier crossings, cold caches: what a user should know about them
"""
