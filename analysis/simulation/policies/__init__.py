"""Routing policies: which runs happen, what they send, and to which model, beyond the choice of one model.

Their keys are in analysis/architecture/policies.py, the counted chance of an escalation in its escalation.py.

spawns.py    which runs still happen: fresh_for, batch_with; how often a cache is still warm
batching.py  the tokens of n tasks in one spawn
cuts.py      brackets of tokens within which no call changes its price tier
calls.py     a component under a plan as a list of weighted calls, each costed as any component is
draws.py     the same calls, drawn
notes.py     break-even rates, tier crossings, cold caches: what a user should know about them
"""
