"""Daily costs ahead of time: the forecast of a month, odd days, and how good both have been."""
