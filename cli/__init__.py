"""The command line: each command parses, calls one function of the API, hands the result to one renderer."""
