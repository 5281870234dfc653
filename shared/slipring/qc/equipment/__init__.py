"""The quality programme of the equipment: charts, rules, baselines, comparison, what is due, and how far back to look. Pure."""
