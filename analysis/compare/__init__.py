"""What a change of an architecture, its routing or its prices costs a month, component by component."""
