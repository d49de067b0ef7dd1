"""Daily costs ahead of time: the forecast of a month, anomalies, and how good both have been."""
