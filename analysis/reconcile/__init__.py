"""Sources compared with one another and with the bill: where the difference comes from, and what is missing."""
