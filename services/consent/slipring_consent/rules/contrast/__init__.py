"""Rules about one dose of contrast: its lot, its amount, how it is injected."""
