"""PerSplit: a real-time group-expense server."""
