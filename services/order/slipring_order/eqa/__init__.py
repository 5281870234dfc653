"""Comparison with others: rounds of proficiency testing or another objective comparison, and what each must come to (5.6.3)."""
