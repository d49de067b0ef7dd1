"""The architecture file: its models, its loader, and the amounts, schedules and policies that it writes."""
